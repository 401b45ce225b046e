"""docs/protocol.md as a schema: what the page promises, in a form that payloads can be held against."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


@dataclass(frozen=True, slots=True)
class Field:
    type: str
    optional: bool


Fields = dict[str, Field]


@dataclass(slots=True)
class EventOnPage:
    tables: dict[str, Fields] = field(default_factory=dict)
    """By the heading of their first column: `field`, `acknowledgement`, `message`, `timing`."""


@cache
def events_on_page() -> dict[str, dict[str, EventOnPage]]:
    """Events by the part of the page: `What a client sends`, `What the server sends`."""
    parts: dict[str, dict[str, EventOnPage]] = {}
    for part, text in _cut(r"^## (.+)$", PAGE.read_text()):
        events = {name: EventOnPage(_tables(body)) for name, body in _cut(r"^### `(\S+)`$", text)}
        if events:
            parts[part] = events
    return parts


def sent_by_client() -> dict[str, EventOnPage]:
    return events_on_page()["What a client sends"]


def sent_by_server() -> dict[str, EventOnPage]:
    return events_on_page()["What the server sends"]


@cache
def trace_on_page() -> dict[str, Fields]:
    """The tables of a reply's trace, by the heading of their first column."""
    return _tables(dict(_cut(r"^## (.+)$", PAGE.read_text()))["A reply's trace over HTTP"])


@cache
def codes_on_page() -> dict[str, set[str]]:
    """Codes by where they occur: `In acknowledgements:`, `On connecting:`, `In chat:error:`."""
    codes = dict(_cut(r"^## (.+)$", PAGE.read_text()))["Codes"]
    return {
        place: set(re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE))
        for place, body in _cut(r"^((?:In|On) .+:)$", codes)
    }


def acknowledged_codes() -> set[str]:
    return codes_on_page()["In acknowledgements:"]


def example(language: str) -> str:
    """The page's example in this language."""
    found = re.search(rf"^```{language}\n(.+?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"no example in {language}"
    return found.group(1)


def check(payload: Any, fields: Fields) -> None:
    """`payload` has exactly these fields, each of its type."""
    assert isinstance(payload, dict), payload
    missing = [name for name, one in fields.items() if not one.optional and name not in payload]
    assert not missing, f"missing: {missing}"
    assert set(payload) <= set(fields), f"not on the page: {set(payload) - set(fields)}"
    for name, value in payload.items():
        assert fits(value, fields[name].type), f"{name} = {value!r:.80}: not {fields[name].type}"


def check_event(name: str, payload: Any) -> None:
    """An event of the server's is as the page says."""
    page = sent_by_server()[name]
    check(payload, page.tables["field"])
    if "timing" in page.tables:
        check(payload["timings"], page.tables["timing"])


def check_acknowledgement(event: str, answer: Any) -> None:
    """An acknowledgement is as the page says."""
    if answer.get("ok") is not True:
        assert answer["ok"] is False
        assert set(answer) == {"ok", "error"}
        assert set(answer["error"]) == {"code", "message"}
        assert answer["error"]["code"] in acknowledged_codes(), answer
        assert isinstance(answer["error"]["message"], str)
        return
    tables = sent_by_client()[event].tables
    check({name: value for name, value in answer.items() if name != "ok"}, tables.get("acknowledgement", {}))
    for message in answer.get("messages", []) if "message" in tables else ():
        check(message, tables["message"])


def check_trace(trace: Any) -> None:
    """A reply's trace is as the page says, down to its attempts."""
    page = trace_on_page()
    check(trace, page["trace field"])
    check(trace["timings"], sent_by_server()["chat:done"].tables["timing"])
    for sentence in trace["sentences"]:
        check(sentence, page["sentence field"])
        for attempt in sentence["attempts"]:
            check(attempt, page["attempt field"])


def fits(value: Any, kind: str) -> bool:
    """`value` is of the type that the page calls `kind`."""
    return any(_fits_one(value, one.strip()) for one in kind.split(" or "))


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "binary": (bytes,),
    "object": (dict,),
    "null": (type(None),),
}


def _fits_one(value: Any, kind: str) -> bool:
    if kind.startswith('"'):
        return isinstance(value, str) and value == kind.strip('"')
    if kind.startswith("list of"):
        return isinstance(value, list) and all(_fits_inside(one, kind.removeprefix("list of ")) for one in value)
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, ()))


def _fits_inside(value: Any, kind: str) -> bool:
    """One item of a list: `{its, fields}`, `strings`, or a table's rows, which are checked elsewhere."""
    if kind.startswith("{"):
        return _has_fields(value, kind)
    return isinstance(value, str if kind == "strings" else dict)


_KINDS_INSIDE: dict[str, Any] = {"replyId": str, "nextIndex": int, "sentence": int, "reason": str, "partial": bool}


def _has_fields(value: Any, kind: str) -> bool:
    wanted = [name.strip() for name in kind.strip("{}").split(",")]
    required = {name for name in wanted if not name.endswith("?")}
    known = {name.removesuffix("?") for name in wanted}
    return (
        isinstance(value, dict)
        and required <= set(value) <= known
        and all(isinstance(value[name], _KINDS_INSIDE[name]) for name in value)
    )


def _tables(text: str) -> dict[str, Fields]:
    tables: dict[str, Fields] = {}
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in block.strip().split("\n")]
        tables[rows[0][0]] = {row[0].strip("`"): _field(row[1]) for row in rows[2:]}
    return tables


def _field(kind: str) -> Field:
    return Field(kind.removesuffix("(optional)").strip(), kind.endswith("(optional)"))


def _cut(heading: str, text: str) -> list[tuple[str, str]]:
    """`text` cut at the lines that match: each one's title with what follows it."""
    parts = re.split(heading, text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))
