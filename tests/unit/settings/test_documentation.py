"""docs/configuration.md and the code say the same."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from unavoce.engines.base import EngineOptions
from unavoce.engines.registry import GROUP
from unavoce.errors import SettingsError
from unavoce.settings import Settings, load_settings
from unavoce.settings.model import setting_names

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `(?P<name>[A-Z_]+)` \| (?P<default>.*?) \|", re.MULTILINE)
IN_WORDS = {"UNAVOCE_CACHE_DIR", "UNAVOCE_PREWARM_PHRASES", "UNAVOCE_DATA_DIR", "UNAVOCE_LLM__SYSTEM_PROMPT"}
"""Defaults that are described instead of written out."""


def _documented() -> dict[str, str]:
    rows = ROW.finditer(PAGE.read_text(encoding="utf-8"))
    return {row["name"]: row["default"] for row in rows if row["name"].startswith("UNAVOCE_")}


def _defaults(model: type[BaseModel], prefix: str, names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        field = model.model_fields[name]
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= _defaults(field.annotation, f"{prefix}{name}__", list(field.annotation.model_fields))
        else:
            found[f"{prefix}{name}".upper()] = field.default
    return found


def _written(default: Any) -> str:
    match default:
        case None | ():
            return "none"
        case bool():
            return f"`{str(default).lower()}`"
        case tuple():
            return f"`{','.join(default)}`"
        case float():
            return f"`{default:g}`"
    return f"`{default}`"


CODE = _defaults(Settings, "unavoce_", setting_names())


def test_every_setting_is_documented_and_no_other() -> None:
    """A setting without a row, or a row without a setting, fails."""
    assert set(_documented()) == set(CODE)


@pytest.mark.parametrize("name", sorted(set(CODE) - IN_WORDS))
def test_the_documented_default_is_the_real_one(name: str) -> None:
    """Each row's default is what the code has."""
    assert CODE[name] is not PydanticUndefined
    assert not isinstance(CODE[name], SecretStr)
    assert _documented()[name] == _written(CODE[name])


def test_every_documented_bound_is_real() -> None:
    """Where a row says "1 to 64", both ends are accepted and what lies beyond is not."""
    row = re.compile(r"^\| `UNAVOCE_(?P<name>[A-Z_]+)` \| .*?\b(?P<low>\d+) to (?P<high>\d+)\s*[;|]", re.MULTILINE)
    bounds = [(m["name"].lower(), int(m["low"]), int(m["high"])) for m in row.finditer(PAGE.read_text("utf-8"))]
    bounds = [bound for bound in bounds if bound[0] in Settings.model_fields and bound[0] != "api_keys"]
    assert len(bounds) >= 5
    for name, low, high in bounds:
        for value in (low, high):
            assert getattr(load_settings(environ={}, **{name: value}), name) == value
        for value in (low - 1, high + 1):
            with pytest.raises(SettingsError):
                load_settings(environ={}, **{name: value})


def test_the_pages_toml_is_valid(tmp_path: Path) -> None:
    """The example can be copied as it stands."""
    block = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    path = tmp_path / "unavoce.toml"
    path.write_text(block[1], encoding="utf-8")
    settings = load_settings(config=path, environ={})
    assert settings.port == 9000
    assert settings.engine_section("piper") == {"length_scale": 1.1}


def _entries(heading: str) -> dict[str, str]:
    """Name and default of each row of the table that follows `heading` in the section on engines."""
    section = PAGE.read_text(encoding="utf-8").partition("## Engines")[2]
    table = section.partition(heading)[2].lstrip("\n").partition("\n\n")[0]
    return {row["name"].lower(): row["default"] for row in ROW.finditer(table)}


def test_what_every_engine_takes_is_documented() -> None:
    """The table of entries that all engines take names those, and no other."""
    assert set(_entries("All of them take:")) == set(EngineOptions.model_fields)


ENGINES = sorted(entry.name for entry in entry_points(group=GROUP) if entry.value.startswith("unavoce."))


@pytest.mark.parametrize("name", [name for name in ENGINES if name != "fake"])
def test_every_entry_of_an_engine_is_documented(name: str) -> None:
    """An engine's table names what it takes beyond that, and every default that is written out is the real one."""
    (entry,) = entry_points(group=GROUP, name=name)
    options = entry.load().Options.model_fields
    rows = _entries(f"Entries of `{name}`:")
    assert set(rows) == set(options) - set(EngineOptions.model_fields)
    for option, default in rows.items():
        if default.startswith("`"):
            assert default == _written(options[option].default), option
        else:
            assert options[option].default in (None, ""), option


SERVERS_PAGES = "".join(PAGE.with_name(name).read_text("utf-8") for name in ("engines-http.md", "engines-xtts.md"))


@pytest.mark.parametrize("line", re.findall(r"^export .*$", SERVERS_PAGES, re.MULTILINE))
def test_what_the_pages_on_speech_servers_say_to_type_can_be_typed(line: str) -> None:
    """Each line of settings is one that the server and the engine accept."""
    settings = load_settings(environ=dict(word.split("=", 1) for word in shlex.split(line, comments=True)[1:]))
    for name in settings.engines:
        (entry,) = entry_points(group=GROUP, name=name)
        entry.load().Options.model_validate(dict(settings.engine_section(name)))


def test_every_setting_on_the_pages_on_speech_servers_exists() -> None:
    """No engine's entry that they name is invented."""
    names = set(re.findall(r"UNAVOCE_([A-Z_]+?)__([A-Z_]+)", SERVERS_PAGES))
    assert names
    for section, option in names:
        (entry,) = entry_points(group=GROUP, name=section.lower().replace("_", "-"))
        assert option.lower() in entry.load().Options.model_fields
