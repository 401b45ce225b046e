"""Where settings are written: a TOML file, environment variables, flags; each gives nested tables."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unavoce.errors import SettingsError

Table = dict[str, Any]
Place = tuple[str, ...]
"""Where a value belongs, e.g. `("piper", "voice")`."""

PREFIX = "UNAVOCE_"
FILE_NAME = "unavoce.toml"


@dataclass(slots=True)
class Layers:
    """The layers laid so far: the values on top, and the name under which each was written."""

    values: Table = field(default_factory=dict)
    written_as: dict[Place, str] = field(default_factory=dict)

    def put(self, place: Place, value: Any, written_as: str) -> None:
        """Lay one value over what was there; a table is laid over a table entry by entry."""
        if isinstance(value, Mapping):
            for key, entry in value.items():
                self.put((*place, str(key)), entry, _entry_name(written_as, str(key)))
            if value:
                return
        self._put_leaf(place, value, written_as)

    def _put_leaf(self, place: Place, value: Any, written_as: str) -> None:
        table = self.values
        for key in place[:-1]:
            below = table.get(key)
            if not isinstance(below, dict):
                below = table[key] = {}
            table = below
        if not (isinstance(value, Mapping) and isinstance(table.get(place[-1]), dict)):
            table[place[-1]] = dict(value) if isinstance(value, Mapping) else value
        self.written_as[place] = written_as

    def name(self, place: Place) -> str:
        """The name an operator wrote for what stands at `place`, nearest above it, or else below it."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.written_as:
                return self.written_as[place[:length]]
        below = (name for where, name in self.written_as.items() if where[: len(place)] == place)
        return next(below, ".".join(place))


def _entry_name(table: str, key: str) -> str:
    if table.startswith(PREFIX):
        return f"{table}__{key.upper()}"
    name, separator, source = table.partition(" in ")
    return f"{name}.{key}{separator}{source}" if name else f"{key}{separator}{source}"


def add_file(layers: Layers, config: Path | None) -> None:
    """Lay `config`, or `unavoce.toml` of the current folder where there is one."""
    path = config if config is not None else Path(FILE_NAME)
    if config is None and not path.is_file():
        return
    for key, value in _read_toml(path).items():
        layers.put((key,), value, f"{key} in {path}")


def _read_toml(path: Path) -> Table:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError("--config", str(path), f"a readable TOML file ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SettingsError("--config", str(path), "a TOML file in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError("--config", str(path), f"valid TOML ({_lower_first(str(error))})") from None


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def add_environment(layers: Layers, environ: Mapping[str, str], sections: set[str]) -> None:
    """Lay `UNAVOCE_NAME` and `UNAVOCE_SECTION__NAME`; `sections` are the names that hold tables."""
    for place, value, variable in sorted(_variables(environ), key=lambda found: len(found[0])):
        layers.put(place, _decoded(place, value, sections), variable)


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[Place, str, str]]:
    for variable, value in environ.items():
        if variable.startswith(PREFIX):
            yield tuple(variable.removeprefix(PREFIX).lower().split("__")), value, variable


def _decoded(place: Place, value: str, sections: set[str]) -> Any:
    """A section, or a list or table in it, may be written as JSON; anything else is the text as it stands."""
    if place[0] not in sections or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def add_flags(layers: Layers, flags: Mapping[str, Any]) -> None:
    """Lay command flags (`data_dir` is `--data-dir`); None means that the flag was not given."""
    for name, value in flags.items():
        if value is not None:
            layers.put((name,), value, "--" + name.replace("_", "-"))
