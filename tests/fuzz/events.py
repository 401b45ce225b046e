"""A mutating Socket.IO client: events whose names, arities, fields and values are anything."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.support.client import Listener, listening
from tests.support.protocol import acknowledged_codes, check_acknowledgement, check_event, sent_by_client

from unavoce.server.sockets.door import MAX_PACKET_BYTES

NAMES = ("«session»", "«reply»", "«spoken»", "«theirs»", "«their»")
FIELDS = sorted({name for event in sent_by_client().values() for name in event.tables["field"]})
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40) | st.sampled_from(
    [*NAMES, "", " \t\n", "\x00\x07\x1b[2J", "\u202eevil\u202c", "\ud800", "a\udc00b", "x" * 101, "é" * 30_000, "tone"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**98), 10**98)
    | st.floats(allow_nan=True, allow_infinity=True)
    | ANY_TEXT
    | st.binary(max_size=40)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4), max_leaves=12
)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "message": ANY_TEXT,
        "text": ANY_TEXT,
        "sessionId": st.sampled_from(NAMES),
        "replyId": st.sampled_from(NAMES),
        "index": st.integers(-1, 5),
        "positionMs": st.floats(0, 1e9),
        "after": st.dictionaries(st.sampled_from(NAMES), st.integers(-2, 5), max_size=3),
        "speed": st.floats(0, 3),
        "speak": st.booleans(),
        "format": st.sampled_from(["wav", "opus", "mp3"]),
        "interrupt": st.booleans(),
    },
)
ONE_FIELD_WRONG = st.builds(
    lambda likely, name, value: {**likely, name: value}, LIKELY, st.sampled_from(FIELDS), VALUES
)
PAYLOADS = st.one_of(LIKELY, ONE_FIELD_WRONG, ONE_FIELD_WRONG, st.dictionaries(st.sampled_from(FIELDS), VALUES), VALUES)
EVENTS = st.sampled_from(sorted(sent_by_client()))
STRANGE_EVENTS = st.sampled_from(
    ["connect", "disconnect", "*", "message", "chat", "chat:token", "error", "connect_error"]
)
CALLS = st.tuples(EVENTS | EVENTS | EVENTS | STRANGE_EVENTS | ANY_TEXT, st.lists(PAYLOADS, min_size=0, max_size=3))
LARGEST = MAX_PACKET_BYTES // 12
"""Characters of a packet that surely fits, at up to twelve bytes each: larger ones are another test's matter."""


def _chars(value: Any) -> int:
    """Of all the texts in it."""
    if isinstance(value, dict):
        return sum(_chars(name) + _chars(one) for name, one in value.items())
    return sum(map(_chars, value)) if isinstance(value, list | tuple) else len(value) if isinstance(value, str) else 0


def drawn(strategy: st.SearchStrategy[Any], count: int, number: int = 0) -> list[Any]:
    """`count` examples but for those too large for a packet, the same ones for the same `number`.

    There is no shrinking, since a server cannot be run backwards.
    """
    found: list[Any] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(example: Any) -> None:
        if _chars(example) < LARGEST:
            found.append(example)

    draw()
    return found


def with_ids(value: Any, ids: dict[str, str]) -> Any:
    """`value` with the real ids where their names stand."""
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, list):
        return [with_ids(one, ids) for one in value]
    if isinstance(value, dict):
        return {with_ids(name, ids): with_ids(one, ids) for name, one in value.items()}
    return value


async def throw(host: str, port: int, rng: random.Random, count: int, *, key: str = "") -> None:
    """One client with a session and replies of its own, and `count` events. Raises AssertionError where one was not
    answered with what docs/protocol.md lists."""
    # Drawn in a thread of its own: it takes a while, and others wait for their answers.
    calls = await asyncio.to_thread(drawn, CALLS, count, rng.randrange(2**32))
    async with listening(f"http://{host}:{port}", auth={"apiKey": key}) as listener:
        session, reply = await listener.say("Hello")
        spoken = (await listener.ok("speak:start", {"sessionId": session}))["replyId"]
        ids = {"«session»": session, "«reply»": reply, "«spoken»": spoken, "«theirs»": "theirs", "«their»": "their"}
        for name, arguments in calls:
            await call(listener, name, with_ids(arguments, ids))
        check_events(listener)
        await call(listener, "chat:abort", [{"sessionId": session}])  # which it may have forgotten itself


async def call(listener: Listener, name: str, data: list[Any]) -> None:
    """Send an event; its answer is there and from the list."""
    try:
        answer = await listener.call(name, *data) if data else await listener.call(name)
    except TimeoutError:
        raise AssertionError(f"no answer to {name!r} {data!r:.500}") from None
    assert_listed(name, data, answer)


def check_events(listener: Listener) -> None:
    """All that came is as the page says."""
    for name, payload in listener.events:
        if name != "ack":
            check_event(name, payload)


def assert_listed(name: str, data: Any, answer: Any) -> None:
    shown = f"{name!r} {data!r:.300}: {answer!r:.300}"
    assert isinstance(answer, dict), shown
    if name in sent_by_client():
        check_acknowledgement(name, answer)
    else:
        assert answer["error"]["code"] == "unknown_event", shown
    if not answer["ok"]:
        assert answer["error"]["code"] in acknowledged_codes() - {"internal", "too_slow"}, shown
        assert len(answer["error"]["message"]) < 2_000, shown
