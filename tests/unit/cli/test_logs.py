"""Log lines: an event's name and its fields, each line one event."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.cli.logs import EventFormatter, log_to_stderr


def _line(**fields: object) -> str:
    return EventFormatter().format(logging.makeLogRecord({"name": "unavoce.x", "msg": "an_event", **fields}))


def test_fields_stand_behind_the_event() -> None:
    """`extra` is shown as name=value, quoted where it has blanks."""
    line = _line(code="model_unavailable", reason="not there", after_s=5)
    assert line.endswith("unavoce.x an_event code=model_unavailable reason='not there' after_s=5")


@given(st.text())
def test_a_field_cannot_pose_as_a_line_or_as_another_field(value: str) -> None:
    """Whatever a field holds, the record is one line of visible characters, and its value one word or quoted."""
    line = _line(reason=value)
    shown = line.partition(" reason=")[2]
    assert line.isprintable()
    assert shown[:1] in "'\"" or " " not in shown


def test_no_level_shows_the_urls_that_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some speech servers take the text in a URL, which httpx would log."""
    for name in ("httpx", "uvicorn"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
    log_to_stderr("debug")
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
