"""A JSON Schema in a few words: its kind, its bounds, its fields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "pattern": "matching {}",
    "format": "{}",
}


def kind(schema: Schema) -> str:
    """Such as `list of →EngineHealth or null`; the arrow marks the name of another schema of the document."""
    if "$ref" in schema:
        return "→" + str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " or ".join(json.dumps(value, ensure_ascii=False) for value in values)
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(kind(one) for one in alternatives)
    return _container(schema)


def _container(schema: Schema) -> str:
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if isinstance(within := schema.get("additionalProperties"), Mapping):
        return f"object, by name: {kind(within)}"
    return str(schema.get("type", "anything"))


def bounds(schema: Schema) -> str:
    """Such as `, at most 100 characters`; empty where there are none."""
    told = [words.format(schema[name]) for name, words in _BOUNDS.items() if name in schema]
    inner = [bounds(one) for one in schema.get("anyOf", [])]
    return "".join(f", {one}" for one in told) + "".join(inner)


def fields(schema: Schema) -> Iterator[tuple[str, Schema, bool]]:
    """Name, schema and whether it must be there."""
    needed = schema.get("required", [])
    for name, one in schema.get("properties", {}).items():
        yield name, one, name in needed
