"""Finds engines by name through the entry-point group `unavoce.engines`, the built-in ones too."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from pydantic import ValidationError

from unavoce.engines.base import Engine, EngineContext, EngineOptions
from unavoce.errors import EngineUnavailable, SettingsError

GROUP = "unavoce.engines"


def engine_names() -> list[str]:
    """Names of the engines that installed packages declare, in alphabetical order. Imports none of them."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def create_engine(name: str, section: Mapping[str, object], context: EngineContext) -> Engine:
    """The engine called `name`, made from its section of the settings; nothing is loaded before its `start`.

    Raises `SettingsError` for an unknown name or an option that is unknown or invalid, `EngineUnavailable`
    when the package behind the name cannot be imported.
    """
    engine = _engine_class(_entry(name))
    return engine(_options(name, engine.Options, section), context)


def _entry(name: str) -> EntryPoint:
    found = {entry.value: entry for entry in entry_points(group=GROUP, name=name)}
    if not found:
        raise SettingsError("engines", name, f"one of {', '.join(engine_names())}")
    if len(found) > 1:
        raise SettingsError("engines", name, f"a name declared once, not by {' and '.join(sorted(found))}")
    return next(iter(found.values()))


def _engine_class(entry: EntryPoint) -> type[Engine]:
    try:
        loaded = entry.load()
    except (ImportError, AttributeError) as error:
        message = f"engine {entry.name} cannot be imported ({error}); remedy: {_remedy(entry)}"
        raise EngineUnavailable(message) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Engine)):
        raise EngineUnavailable(f"engine {entry.name}: {entry.value} is not a subclass of unavoce's Engine")
    return loaded


def _remedy(entry: EntryPoint) -> str:
    if entry.module.startswith("unavoce."):
        return f"pip install 'unavoce[{entry.name}]'"
    package = entry.dist.name if entry.dist else entry.module.partition(".")[0]
    return f"pip install --upgrade --force-reinstall {package}"


def _options(name: str, model: type[EngineOptions], section: Mapping[str, object]) -> EngineOptions:
    try:
        return model.model_validate(dict(section))
    except ValidationError as error:
        raise _as_settings_error(name, model, error) from None  # its text shows keys


def _as_settings_error(name: str, model: type[EngineOptions], error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    setting = ".".join(filter(None, (name.replace("-", "_"), place)))
    if first["type"] == "extra_forbidden":
        expected = f"no such option; the engine knows {', '.join(model.model_fields)}"
    elif first["type"] == "missing":
        return SettingsError(setting, None, "a value, since it has no default")
    else:
        expected = first["msg"].removeprefix("Value error, ")
    return SettingsError(setting, _shown(place, first["input"]), expected)


def _shown(place: str, value: object) -> object:
    """Keys are never printed, however wrong they are."""
    return "(hidden)" if any(word in place for word in ("key", "token", "secret", "password")) else value
