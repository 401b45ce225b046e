"""The words in which a route is described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

Schema = Mapping[str, Any]
"""A JSON Schema of draft 2020-12, as OpenAPI 3.1 takes it."""
TEXT: Schema = {"type": "string"}


class Described(BaseModel):
    """A body as it stands on the wire. The line below a field is its description."""

    model_config = ConfigDict(alias_generator=to_camel, use_attribute_docstrings=True, frozen=True)


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    place: Literal["path", "query", "header"]
    description: str
    schema: Schema
    example: Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """A body, of a request or of an answer."""

    shape: type[BaseModel] | Schema
    """A model, or what JSON Schema says of a body that has none."""
    example: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    description: str
    content: Mapping[str, Content]
    """By media type; empty for an answer without a body."""
    headers: Mapping[str, str] | None = None
    """Descriptions of headers worth knowing, by name."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route."""

    method: Literal["get", "post", "delete"]
    path: str
    tag: str
    summary: str
    description: str
    answers: Sequence[Answer]
    parameters: Sequence[Parameter] = ()
    body: Mapping[str, Content] | None = None
    """By media type."""
    keys: Sequence[Literal["bearer", "basic"]] = ("bearer",)
    """How a key may come, where keys are set; none: nobody asks for one."""


def json_of(model: type[BaseModel], example: Any) -> Mapping[str, Content]:
    return {"application/json": Content(model, example)}
