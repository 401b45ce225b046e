"""Says what is wrong with a setting: its name as the operator wrote it, its value, what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from unavoce.errors import SettingsError
from unavoce.settings.sources import PREFIX, Layers, Place

_SECRET_NAME = re.compile(r"(key|secret|password|passwd|token|credential|auth)s?$", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Whether a setting of that name holds something nobody may see."""
    return _SECRET_NAME.search(name) is not None


class Shown:
    """Stands in a message where a value cannot."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


HIDDEN = Shown("(hidden)")


def unknown(place: Place, value: object, known: Iterable[str], layers: Layers) -> SettingsError:
    """The error for a name that means nothing, with the nearest name that does."""
    name = layers.name(place)
    near = get_close_matches(place[-1], list(known), n=1, cutoff=0.6)
    hint = f" (did you mean {_like(name, (*place[:-1], near[0]))}?)" if near else ""
    shown = HIDDEN if any(map(is_secret, (place[-1], *near))) else _plain(value)
    return SettingsError(name, shown, f"the name of a setting{hint}")


def _like(written: str, place: Place) -> str:
    """The name of `place`, spelt the way that `written` is."""
    if written.startswith(PREFIX):
        return PREFIX + "__".join(place).upper()
    if written.startswith("--"):
        return "--" + ".".join(place).replace("_", "-")
    return ".".join(place)


def _plain(value: object) -> object:
    """A table's entries may be secrets: name them only, and show none of a table written as text."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return HIDDEN
    return Shown(f"a table of {', '.join(map(str, value))}") if isinstance(value, Mapping) else value


def invalid(error: ValidationError, model: type[BaseModel], layers: Layers) -> SettingsError:
    """The first of pydantic's complaints, in our words."""
    complaint = error.errors(include_url=False)[0]
    place = tuple(str(part) for part in complaint["loc"] if not isinstance(part, int))
    value = _value_at(place, layers.values)
    field = _field(place, model)
    if complaint["type"] == "extra_forbidden":
        return unknown(place, value, _neighbours(place, model), layers)
    if isinstance(value, Mapping) and field and _model(field):  # entries that do not go together
        return SettingsError(".".join(place), _plain(value), _expected(complaint, field))
    shown = HIDDEN if _holds_secret(place, field) else _plain(value)
    return SettingsError(layers.name(place), shown, _expected(complaint, field))


def _expected(complaint: ErrorDetails, field: FieldInfo | None) -> str:
    if complaint["type"] == "value_error":  # raised by a validator of ours, which says what it expects
        return str(complaint["ctx"]["error"])
    described = describe(field) if field else ""
    return described or complaint["msg"][:1].lower() + complaint["msg"][1:]


def _value_at(place: Place, values: object) -> object:
    for key in place:
        if not isinstance(values, Mapping) or key not in values:
            return values
        values = values[key]
    return values


def _field(place: Place, model: type[BaseModel]) -> FieldInfo | None:
    field = model.model_fields.get(place[0]) if place else None
    if field is None or len(place) == 1:
        return field
    below = _model(field)
    return _field(place[1:], below) if below else field


def _neighbours(place: Place, model: type[BaseModel]) -> list[str]:
    if len(place) == 1:
        return list(model.model_fields)
    below = _model(model.model_fields[place[0]])
    return _neighbours(place[1:], below) if below else []


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _model(field: FieldInfo) -> type[BaseModel] | None:
    kind: Any = field.annotation
    return kind if _is_model(kind) else None


def _holds_secret(place: Place, field: FieldInfo | None) -> bool:
    if field is None:
        return bool(place and is_secret(place[-1]))
    # A table written as text ('{"api_key": …') cannot be told apart from its secrets.
    return "SecretStr" in repr(field.annotation) or _is_model(field.annotation)


def describe(field: FieldInfo) -> str:
    """What a field takes, e.g. "a whole number from 0 to 65535"; empty where its type does not say."""
    kinds = _kinds(field.annotation)
    text = " or ".join(filter(None, (_KINDS.get(kind, "") for kind in kinds)))
    choices = [repr(choice) for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    if choices:
        return f"one of {', '.join(choices)}"
    if any(_is_model(kind) for kind in kinds):
        return "a table of settings"
    return text + _bounds(field) if text else ""


_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    SecretStr: "text",
    Path: "a path",
    tuple: "a list of texts",
    list: "a list of texts",
}


def _kinds(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, UnionType):
        return [kind for kind in get_args(annotation) if kind is not NoneType]
    origin = get_origin(annotation)
    return [origin if origin in (tuple, list) else annotation]


def _bounds(field: FieldInfo) -> str:
    pattern = next((rule.pattern for rule in field.metadata if getattr(rule, "pattern", None)), None)
    if pattern:
        return f" that matches {pattern}"
    bound = {name: getattr(rule, name) for rule in field.metadata for name in _WORDS if hasattr(rule, name)}
    if "ge" in bound and "le" in bound:
        return f" from {bound['ge']} to {bound['le']}"
    return "".join(f", {_WORDS[name]} {value}" for name, value in bound.items())


_WORDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
