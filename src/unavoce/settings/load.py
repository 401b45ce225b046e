"""Lays defaults, file, environment and flags over each other and checks the result."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from unavoce.errors import SettingsError
from unavoce.settings.explain import HIDDEN, invalid, unknown
from unavoce.settings.model import Settings, section_name, setting_names
from unavoce.settings.sources import Layers, Table, add_environment, add_file, add_flags


def load_settings(config: Path | None = None, environ: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """Defaults < TOML file < `UNAVOCE_*` variables < `flags` (a flag that is None was not given).

    `config` is a TOML file, `unavoce.toml` in the current folder where None; `environ` stands in for the
    process's environment. Raises `SettingsError` for a file that cannot be read and a setting that is unknown
    or invalid; secrets are never part of its message.
    """
    engines = _installed_engines()
    sections = {section_name(name) for name in engines} - set(setting_names())
    layers = Layers()
    add_file(layers, config)
    add_environment(layers, os.environ if environ is None else environ, sections | _tables())
    add_flags(layers, flags)
    values = _split(layers, sections)
    settings = _checked(values, layers)
    _check_engines(settings.engines, engines, layers)
    return settings


def _installed_engines() -> list[str]:
    return sorted(entry.name for entry in entry_points(group="unavoce.engines"))


def _tables() -> set[str]:
    """Settings that are tables of settings, such as `llm`."""
    return {
        name
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def _split(layers: Layers, sections: Iterable[str]) -> Table:
    """What `Settings` takes: known names as they are, engines' sections gathered, anything else refused."""
    sections = set(sections)
    known = set(setting_names())
    found: Table = {"engine_sections": {}}
    for name, value in layers.values.items():
        if name in known:
            found[name] = value
        elif name in sections:
            found["engine_sections"][name] = _table(name, value, layers)
        else:
            raise unknown((name,), value, known | sections, layers)
    return found


def _table(name: str, value: object, layers: Layers) -> Table:
    if isinstance(value, dict):
        return value
    raise SettingsError(layers.name((name,)), HIDDEN, "a table of the engine's settings")


def _checked(values: Table, layers: Layers) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise invalid(error, Settings, layers) from None


def _check_engines(names: Iterable[str], installed: list[str], layers: Layers) -> None:
    for name in names:
        if name not in installed:
            near = get_close_matches(name, installed, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(layers.name(("engines",)), name, f"engines out of: {', '.join(installed)}{hint}")
