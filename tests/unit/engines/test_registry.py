"""Engines are found by name, and whatever is wrong with a name or an option is said in full."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from pydantic import SecretStr

from unavoce.cores import Cores
from unavoce.engines import registry
from unavoce.engines.base import EngineContext, EngineOptions
from unavoce.engines.fake import FakeEngine
from unavoce.engines.registry import create_engine, engine_names
from unavoce.errors import EngineUnavailable, SettingsError


class KeyedOptions(EngineOptions):
    api_key: SecretStr


class KeyedEngine(FakeEngine):
    Options = KeyedOptions  # type: ignore[assignment]


@pytest.fixture
def context(tmp_path: Path) -> EngineContext:
    return EngineContext(tmp_path, Cores(2))


def declare(monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, str]) -> None:
    """Pretend that installed packages declare these engines."""
    declared = [EntryPoint(name, value, registry.GROUP) for name, value in entries]

    def entry_points(*, group: str, name: str | None = None) -> list[EntryPoint]:
        assert group == registry.GROUP
        return [entry for entry in declared if name in (None, entry.name)]

    monkeypatch.setattr(registry, "entry_points", entry_points)


def test_built_in_engines_come_through_the_entry_points() -> None:
    """The package's own engines are declared in its metadata like anyone else's."""
    assert {"fake", "piper"} <= set(engine_names())


def test_makes_an_engine_from_its_section(context: EngineContext) -> None:
    """Options reach the engine with their types; the concurrency replaces the engine's own."""
    engine = create_engine("fake", {"voices": ["a", "b"], "rate_hz": "16000", "max_concurrency": 5}, context)
    assert isinstance(engine, FakeEngine)
    assert [voice.name for voice in engine.voices()] == ["a", "b"]
    assert (engine.options.rate_hz, engine.max_concurrency) == (16_000, 5)


def test_an_unknown_engine_is_named_with_the_known_ones(context: EngineContext) -> None:
    """The error of a misspelt engine lists the right names."""
    with pytest.raises(SettingsError, match=r"setting engines = 'pipr': expected one of .*fake.*piper"):
        create_engine("pipr", {}, context)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"rate_hz": "fast"}, r"setting fake\.rate_hz = 'fast': .*integer"),
        ({"max_concurrency": 0}, r"setting fake\.max_concurrency = 0: .*greater than or equal to 1"),
        ({"voices": []}, r"setting fake\.voices = \[\]: "),
        ({"vioces": ["a"]}, r"setting fake\.vioces = \['a'\]: expected no such option; .*voices"),
    ],
)
def test_a_bad_option_is_named_in_full(context: EngineContext, section: dict[str, object], expected: str) -> None:
    """An option that does not validate is named with its section, its value and what was expected."""
    with pytest.raises(SettingsError, match=expected):
        create_engine("fake", section, context)


def test_a_missing_option_is_named(monkeypatch: pytest.MonkeyPatch, context: EngineContext) -> None:
    """A required option that is absent is named; a dash in the engine's name is the section's underscore."""
    declare(monkeypatch, ("my-engine", f"{__name__}:KeyedEngine"))
    with pytest.raises(SettingsError, match=r"setting my_engine\.api_key = None: expected a value"):
        create_engine("my-engine", {}, context)


def test_a_wrong_key_is_not_printed(monkeypatch: pytest.MonkeyPatch, context: EngineContext) -> None:
    """The value of an invalid key appears neither in the error nor in its cause."""
    declare(monkeypatch, ("keyed", f"{__name__}:KeyedEngine"))
    with pytest.raises(SettingsError, match="hidden") as caught:
        create_engine("keyed", {"api_key": 31337}, context)
    assert caught.value.__cause__ is None
    assert "31337" not in str(caught.value)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, context: EngineContext) -> None:
    """A built-in engine whose module cannot be imported says which extra brings it."""
    declare(monkeypatch, ("piper", "unavoce.engines.not_there:Engine"))
    with pytest.raises(EngineUnavailable, match=r"pip install 'unavoce\[piper\]'"):
        create_engine("piper", {}, context)


def test_a_broken_third_party_engine_names_its_package(monkeypatch: pytest.MonkeyPatch, context: EngineContext) -> None:
    """Someone else's engine that cannot be imported names the package to mend, not ours."""
    declare(monkeypatch, ("parrot", "parrot_engine.main:Parrot"))
    with pytest.raises(EngineUnavailable, match=r"pip install .* parrot_engine"):
        create_engine("parrot", {}, context)


def test_something_else_than_an_engine_is_refused(monkeypatch: pytest.MonkeyPatch, context: EngineContext) -> None:
    """An entry point that leads to anything but an engine class is named, not called."""
    declare(monkeypatch, ("odd", "pathlib:Path"))
    with pytest.raises(EngineUnavailable, match="pathlib:Path is not a subclass"):
        create_engine("odd", {}, context)


def test_two_packages_with_one_name_are_both_named(monkeypatch: pytest.MonkeyPatch, context: EngineContext) -> None:
    """A name that two packages declare is not decided by chance."""
    declare(monkeypatch, ("x", "a.b:C"), ("x", "d.e:F"), ("y", "g.h:I"))
    with pytest.raises(SettingsError, match=r"a\.b:C and d\.e:F"):
        create_engine("x", {}, context)


def test_one_package_seen_twice_is_one_engine(monkeypatch: pytest.MonkeyPatch, context: EngineContext) -> None:
    """One entry point found twice on the path (an editable install beside a wheel) is no conflict."""
    declare(monkeypatch, *[("fake", "unavoce.engines.fake:FakeEngine")] * 2)
    assert create_engine("fake", {}, context).name == "fake"
    assert engine_names() == ["fake"]
