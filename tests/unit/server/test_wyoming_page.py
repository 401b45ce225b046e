"""docs/wyoming.md says what the code does: codes, bounds, events."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from wyoming.info import SelectProgram
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped

from unavoce.chat import capacity, speech_input
from unavoce.server.wyoming import connection, door, frames, sound
from unavoce.server.wyoming.info import PROGRAM

PAGE = (Path(__file__).parents[3] / "docs" / "wyoming.md").read_text(encoding="utf-8")
SOURCES = [*Path(door.__file__).parent.glob("*.py"), Path(capacity.__file__)]
OF_RECITALS = {"unknown_voice", "idle_timeout"}
"""Codes that come from rooms which other doors use as well, and from where no others reach this one."""


def test_the_codes_on_the_page_are_those_of_the_code() -> None:
    """A code without a row, or a row without a code, fails."""
    rows = re.findall(r"^\| (`[^|]*) \|", PAGE.partition("| code | meaning |")[2], re.MULTILINE)
    on_page = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}
    calls = [node for path in SOURCES for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    raised = {
        node.args[0].value
        for node in calls
        if getattr(node.func, "id", "") in ("RequestError", "Unreadable")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert on_page == raised | OF_RECITALS


def test_the_bounds_on_the_page_are_those_of_the_code() -> None:
    """Each number stands in the table."""
    bounds = frames.Bounds.of_texts(100_000)
    kib = frames.HEADER_BYTES // 1024
    assert frames.PAYLOAD_BYTES == frames.HEADER_BYTES
    assert 600 < bounds.data_bytes / 1024 < 610
    for told in (
        f"| {door.MAX_CONNECTIONS}, of one address {door.MAX_CONNECTIONS_PER_ADDRESS} (",
        f"{door.MAX_REFUSED} are told so at a time",
        f"| {kib} KiB; {frames.BYTES_PER_CHARACTER} bytes a character of the longest text that is taken, and 16 KiB",
        f"from its first byte to its last | {bounds.event_s:g} s |",
        f"nothing is said or spoken | {bounds.idle_s:g} s,",
        f"| {bounds.write_s:g} s, then it is cut off; {connection.UNSENT_BYTES // 1024} KiB wait for it |",
        f"| {connection.WAITING_EVENTS}; the client's further ones",
        f"at most {sound.CHUNK_S:g} s in a chunk",
        f"{speech_input.IDLE_S:g} s without text in a stream",
    ):
        assert told in PAGE, told
    assert (sound.GRACE_S, sound.SLOWEST) == (60, 2)
    assert "| a minute, and twice as long as the sound lasts;" in PAGE


def test_the_events_on_the_page_are_the_protocols() -> None:
    """Their names, and that of the program."""
    kinds = (Synthesize(""), SynthesizeStart(), SynthesizeChunk(""), SynthesizeStop(), SynthesizeStopped())
    for event in (*kinds, SelectProgram(PROGRAM)):
        assert re.search(rf"`{event.event().type}[` ]", PAGE)
    assert f"one program `{PROGRAM}`" in PAGE
