"""schemathesis on the server's own OpenAPI document: requests that it allows and requests that it does not, each answer
held against it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

IMPLIED = {"HEAD"}
"""Answered wherever GET is (RFC 9110, 9.3.2), and so not told."""


@dataclass(slots=True)
class Held:
    """What came of it."""

    requests: int = 0
    statuses: dict[str, dict[int, int]] = field(default_factory=dict)
    """How often each status was answered, by operation."""
    faults: list[str] = field(default_factory=list)
    """What was not as the document says, in words."""


def hold(url: str, document: Mapping[str, Any], *, key: str | None, examples: int, seed: int = 0) -> Held:
    """Throws the phases of schemathesis at the server at `url`, `examples` of each operation by chance, the same ones
    for the same seed. Blocks."""
    made = {
        "base-url": url,
        "seed": seed,
        "headers": {"Authorization": f"Bearer {key}"} if key else {},
        "cache": {"enabled": False},
        "generation": {"max-examples": examples, "deterministic": True, "no-shrink": True},
        "suppress-health-check": ["all"],
        "operations": _exceptions(document),
    }
    schema = schemathesis.openapi.from_dict(strict(document), config=SchemathesisConfig.from_dict(made))
    held = Held()
    for event in engine.from_schema(schema).execute():
        _note(event, held)
    return held


def strict(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document, whose answers may hold no field that it does not tell of: to clients more may come, from this
    server, now, nothing may."""
    made = copy.deepcopy(dict(document))
    for schema in made["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return made


def _exceptions(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Settings for operations that tell of a 5xx, which is no fault then, and for those whose body names something
    that may not be there, which no schema can tell: 400 for such a body is none either."""
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            checks: dict[str, Any] = {}
            if told := [status for status in operation["responses"] if status.startswith("5")]:
                checks["not_a_server_error"] = {"expected-statuses": ["2xx", "3xx", "4xx", *told]}
            if "requestBody" in operation:
                checks["positive_data_acceptance"] = {"expected-statuses": ["2xx", "400", "401", "404", *told]}
            if checks:
                found.append({"include-name": f"{method.upper()} {path}", "checks": checks})
    return found


def _note(event: events.EngineEvent, held: Held) -> None:
    if isinstance(event, events.FatalError):
        raise event.exception
    if isinstance(event, events.NonFatalError):
        held.faults.append(f"{event.label}: {event.value!r}")
    if isinstance(event, events.ScenarioFinished):
        for name, interaction in event.recorder.interactions.items():
            held.requests += 1
            if interaction.response is not None:
                label = event.recorder.cases[name].value.operation.label
                statuses = held.statuses.setdefault(label, {})
                statuses[interaction.response.status_code] = statuses.get(interaction.response.status_code, 0) + 1
        held.faults += _faults(event)


def _faults(event: events.ScenarioFinished) -> Iterator[str]:
    for case, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                asked = event.recorder.cases[case].value.as_curl_command()
                yield f"{event.label}: {check.name}: {check.failure_info.failure} of {asked}"
