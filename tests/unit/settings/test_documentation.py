"""docs/configuration.md and the code say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from unavoce.engines.base import EngineOptions
from unavoce.engines.kokoro import KokoroOptions
from unavoce.engines.piper import PiperOptions
from unavoce.errors import SettingsError
from unavoce.settings import Settings, load_settings
from unavoce.settings.model import setting_names

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `(?P<name>[A-Z_]+)` \| (?P<default>.*?) \|", re.MULTILINE)
IN_WORDS = {"UNAVOCE_DATA_DIR", "UNAVOCE_LLM__SYSTEM_PROMPT"}
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


def test_every_entry_of_the_engines_is_documented() -> None:
    """The tables of engine entries name what every engine takes, and what Piper and Kokoro take beyond it."""
    text = PAGE.read_text(encoding="utf-8").partition("## Engines")[2]
    documented = {row["name"].lower() for row in ROW.finditer(text)}
    assert documented == {*EngineOptions.model_fields, *PiperOptions.model_fields, *KokoroOptions.model_fields}
