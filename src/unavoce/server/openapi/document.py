"""The document, put together from the operations and the models they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema

from unavoce.server.openapi import cache, health, metrics, page_files, speech, trace
from unavoce.server.openapi.operation import Answer, Content, Operation, Parameter
from unavoce.server.openapi.refusals import GATE

OPERATIONS: Final = (
    *speech.OPERATIONS,
    *health.OPERATIONS,
    *cache.OPERATIONS,
    *trace.OPERATIONS,
    *metrics.OPERATIONS,
    *page_files.OPERATIONS,
)

ABOUT: Final = (
    "Turns a language model's token stream into one steady voice. A conversation goes over Socket.IO at `/socket.io`,"
    " which docs/protocol.md describes; here is what plain HTTP offers. Fields may be added; none is removed and none"
    " changes its meaning without a new major version."
)
SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "One of `UNAVOCE_API_KEYS`."},
    "basic": {"type": "http", "scheme": "basic", "description": "Any name, and the key as the password."},
}
REF: Final = "#/components/schemas/{model}"

Document = dict[str, Any]


def document(*, asks_for_key: bool, operations: Sequence[Operation] = OPERATIONS) -> Document:
    """The OpenAPI 3.1 document of a server that has keys, or has none."""
    refs, schemas = _schemas(operations)
    paths: dict[str, Document] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, refs, asks_for_key)
    return {
        "openapi": "3.1.1",
        "info": {"title": "unavoce", "version": version("unavoce"), "description": ABOUT},
        "tags": [{"name": name} for name in dict.fromkeys(one.tag for one in operations)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {str(one.status): _answer(one, refs) for one in GATE},
            **({"securitySchemes": SCHEMES} if asks_for_key else {}),
        },
    }


class _Plain(GenerateJsonSchema):
    """Without what repeats the name of a field, and without defaults of answers: what is left out there is left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"]) if self.mode == "serialization" else super().default_schema(schema)


Refs = Mapping[tuple[Any, JsonSchemaMode], JsonSchemaValue]
"""By model and by what it is for."""


def _schemas(operations: Sequence[Operation]) -> tuple[Refs, Document]:
    """References to the models in the document, and what they refer to."""
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for content, mode in _contents(operations):
        if isinstance(content.shape, type):
            wanted[content.shape, mode] = None
    refs, whole = models_json_schema(list(wanted), ref_template=REF, schema_generator=_Plain)
    return dict(refs), dict(sorted(whole.get("$defs", {}).items()))


def _contents(operations: Sequence[Operation]) -> Iterator[tuple[Content, JsonSchemaMode]]:
    for operation in operations:
        for answer in (*operation.answers, *GATE):
            yield from ((content, "serialization") for content in answer.content.values())
        yield from ((content, "validation") for content in (operation.body or {}).values())


def _operation(operation: Operation, refs: Refs, asks_for_key: bool) -> Document:
    told: Document = {
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "operationId": _id(operation),
        "responses": _responses(operation, refs, asks_for_key),
    }
    if operation.parameters:
        told["parameters"] = [_parameter(one) for one in operation.parameters]
    if operation.body:
        told["requestBody"] = {"required": True, "content": _content(operation.body, refs, "validation")}
    if asks_for_key and operation.keys:
        told["security"] = [{scheme: []} for scheme in operation.keys]
    return told


def _id(operation: Operation) -> str:
    """`get_api_health` of `GET /api/health`."""
    return "_".join([operation.method, *re.findall(r"\w+", operation.path)])


def _responses(operation: Operation, refs: Refs, asks_for_key: bool) -> Document:
    """Its own, without 401 where nobody asks for a key, and those of the gate, told once for all."""
    own = {str(one.status): _answer(one, refs) for one in operation.answers if asks_for_key or one.status != 401}
    gate = {str(one.status): {"$ref": f"#/components/responses/{one.status}"} for one in GATE}
    return {**gate, **own}


def _parameter(parameter: Parameter) -> Document:
    told: Document = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": dict(parameter.schema),
    }
    return told if parameter.example is None else {**told, "example": parameter.example}


def _answer(answer: Answer, refs: Refs) -> Document:
    told: Document = {"description": answer.description}
    if answer.content:
        told["content"] = _content(answer.content, refs, "serialization")
    if answer.headers:
        told["headers"] = {
            name: {"description": what, "schema": {"type": "string"}} for name, what in answer.headers.items()
        }
    return told


def _content(content: Mapping[str, Content], refs: Refs, mode: JsonSchemaMode) -> Document:
    return {kind: _media(one, refs, mode) for kind, one in content.items()}


def _media(content: Content, refs: Refs, mode: JsonSchemaMode) -> Document:
    shape = content.shape
    schema = dict(refs[shape, mode]) if isinstance(shape, type) else dict(shape)
    return {"schema": schema} if content.example is None else {"schema": schema, "example": content.example}
