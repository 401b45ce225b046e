"""docs/writing-an-engine.md shows the example package as it is, and the example keeps what the page promises."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from unavoce.audio.pcm import Pcm
from unavoce.audio.plausible import implausible
from unavoce.cores import Cores
from unavoce.engines import registry
from unavoce.engines.base import Engine, EngineContext
from unavoce.engines.registry import create_engine
from unavoce.errors import EngineRefused, SettingsError

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/writing-an-engine.md").read_text()
EXAMPLE = ROOT / "examples/unavoce-engine-example"
MODULE = EXAMPLE / "src/unavoce_engine_example/__init__.py"
SENTENCE = "Dinner will be ready in a quarter of an hour, sir."


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineContext:
    """With the example declared as its package declares it."""
    declared = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"][registry.GROUP]
    entries = [EntryPoint(name, value, registry.GROUP) for name, value in declared.items()]
    monkeypatch.setattr(registry, "entry_points", lambda **_: entries)
    return EngineContext(tmp_path, Cores(1))


@pytest.fixture(autouse=True)
def example() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("unavoce_engine_example", MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def engine(context: EngineContext) -> Engine:
    return create_engine("chirp", {"note_ms": 60, "revision": "b"}, context)


async def pieces_of(engine: Engine, text: str) -> list[Pcm]:
    pieces: list[Pcm] = []
    await engine.synthesise(text, engine.voices()[0], pieces.append)
    return pieces


def test_the_page_shows_the_package() -> None:
    """The Python and the TOML on the page are the package's own, letter for letter."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (table,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert code == MODULE.read_text()
    assert table in (EXAMPLE / "pyproject.toml").read_text()


def test_every_error_on_the_page_exists() -> None:
    """The errors that an author is told to raise are the project's."""
    import unavoce.errors

    named = set(re.findall(r"`(\w+(?:Error|Refused|Unavailable|Audio))`", PAGE)) - {"CancelledError"}
    assert {"EngineError", "EngineRefused", "EngineUnavailable", "SettingsError"} <= named
    assert all(hasattr(unavoce.errors, name) for name in named)


async def test_the_example_speaks_in_pieces(engine: Engine) -> None:
    """A sentence comes word by word, at a believable length."""
    pieces = await pieces_of(engine, SENTENCE)
    assert len(pieces) == len(SENTENCE.split())
    whole = Pcm(np.concatenate([piece.samples for piece in pieces]), pieces[0].rate_hz)
    assert implausible(whole, SENTENCE) is None
    assert engine.voices()[0].model == "60 ms b"


async def test_the_example_stops_when_cancelled(engine: Engine) -> None:
    """After a cancellation no further piece comes."""
    pieces: list[Pcm] = []
    call = asyncio.create_task(engine.synthesise(SENTENCE, engine.voices()[0], pieces.append))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert len(pieces) == 1


async def test_the_example_refuses_what_has_no_sound(engine: Engine) -> None:
    """Text without a letter is refused."""
    with pytest.raises(EngineRefused):
        await pieces_of(engine, "… — !")


def test_the_examples_options_are_checked(context: EngineContext) -> None:
    """The section of a third-party engine is validated like a built-in one's."""
    with pytest.raises(SettingsError, match=r"chirp\.note_ms = 5"):
        create_engine("chirp", {"note_ms": 5}, context)
