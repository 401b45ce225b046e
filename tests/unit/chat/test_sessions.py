"""Sessions: found again with their messages' own numbers, let go from memory in their turn."""

from __future__ import annotations

import pytest
from tests.support.archive import record, said

from unavoce.chat import sessions
from unavoce.chat.archive.records import Which
from unavoce.chat.client import Caller, Client
from unavoce.chat.outbox import Outbox, Payload
from unavoce.chat.session import Session
from unavoce.chat.sessions import Sessions
from unavoce.errors import RequestError


async def _write(_: str, __: Payload) -> None:
    """Nobody listens."""


def client(name: str, key: str = "") -> Client:
    return Client(name, Outbox(_write), Caller(key))


def test_a_session_that_is_found_goes_on_with_its_own_numbers() -> None:
    """Where its first messages have gone, the next one is numbered after the last, and is no other on disk."""
    session = Session("digest", [record("one", 7, "Good evening."), record("one", 9, "And then?")])
    assert (session.id, session.key) == ("one", "digest")
    assert [entry.number for entry in session.entries] == [7, 9]
    assert said(session, "Goodbye.").number == 10
    session.lose(Which("one", up_to=8))
    session.lose(Which("another"))
    assert [entry.text for entry in session.entries] == ["And then?", "Goodbye."]


async def test_the_longest_unused_idle_session_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that somebody is attached to, or that talks, stays; where all do, no other one begins."""
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 3)
    talking: set[str] = set()
    there = Sessions(None, None, lambda session: session.id in talking)
    anna, ben = client("anna"), client("ben")
    first, second, third = (there.begin(anna) for _ in range(3))
    there.get(anna, first.id)  # used again: the second one is the longest unused
    fourth = there.begin(anna)
    with pytest.raises(RequestError, match="not known here"):
        there.get(anna, second.id)
    there.attach(ben, first)
    talking.add(third.id)
    fifth = there.begin(anna)
    with pytest.raises(RequestError):
        there.get(anna, fourth.id)
    talking.add(fifth.id)
    with pytest.raises(RequestError, match="too many sessions"):
        there.begin(anna)
    there.detach(ben)
    assert there.begin(anna)
    with pytest.raises(RequestError):
        there.get(anna, first.id)


async def test_a_session_that_is_forgotten_leaves_its_clients() -> None:
    """None of them is attached to it any more, it is empty, and how many messages it had is told."""
    there = Sessions(None, None, lambda _: False)
    anna, ben = client("anna"), client("ben")
    session = there.begin(anna)
    for one in (anna, ben):
        there.attach(one, session)
    there.add(session, said(Session(""), "Good evening."))
    assert await there.forget(session) == 1
    assert (anna.sessions, ben.sessions, session.clients, list(session.entries)) == (set(), set(), {}, [])
    with pytest.raises(RequestError, match="not known here"):
        there.get(anna, session.id)
