"""The file in which voices are remembered."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unavoce.chain import known_voices
from unavoce.chain.known_voices import MAX_CHARS, MAX_ENTRIES, MAX_VOICES, KnownVoices
from unavoce.engines.base import Voice

A, B = "a" * 64, "b" * 64
"""Digests of two sections."""
JOE = Voice("piper", "joe", "en-US", "digest;length_scale=1.2", "2", 1.5)
ANNA = Voice("piper", "anna", "de", "")
UTA = Voice("xtts", "Uta Obando", "mul", "coqui")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "known-voices.json"


def started(path: Path, section: str, *voices: Voice, gain: float | None = None) -> KnownVoices:
    """A process whose engine of these voices has started."""
    engine = voices[0].engine
    known = KnownVoices.read(path, {engine: section})
    known.offers(engine, voices)
    if gain is not None:
        known.measured(voices[0], gain)
    asyncio.run(known.keep())
    return known


def read(path: Path, engine: str = "piper", section: str = A) -> Sequence[Voice]:
    return KnownVoices.read(path, {engine: section}).voices(engine)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == known_voices.__name__]


# -- what is kept


def test_voices_and_gains_come_back_as_they_were(path: Path) -> None:
    """All fields of all voices, in order, and the gain of each that was measured, whatever its speed."""
    started(path, A, JOE, ANNA, gain=1.25)
    again = KnownVoices.read(path, {"piper": A})
    assert again.voices("piper") == (JOE, ANNA)
    assert again.gains == {replace(JOE, speed=1.0): 1.25}


def test_another_section_is_not_believed(path: Path) -> None:
    """With another section of the settings, or of an engine not asked about, nothing is known."""
    started(path, A, JOE, gain=1.25)
    changed = KnownVoices.read(path, {"piper": B, "xtts": A})
    assert changed.voices("piper") == changed.voices("xtts") == ()
    assert not changed.gains


def test_what_a_later_start_says_takes_the_place_of_it(path: Path) -> None:
    """The same section, another model: the old voices are gone, with their gains."""
    started(path, A, JOE, ANNA, gain=1.25)
    now = replace(JOE, model="another")
    started(path, A, now)
    again = KnownVoices.read(path, {"piper": A})
    assert again.voices("piper") == (now,)
    assert not again.gains


def test_each_process_leaves_what_others_wrote(path: Path) -> None:
    """Other engines, and the same engine under another section, stand beside each other."""
    started(path, A, JOE)
    started(path, B, ANNA)
    started(path, A, UTA)
    assert (read(path), read(path, section=B), read(path, "xtts")) == ((JOE,), (ANNA,), (UTA,))


def test_nothing_is_written_where_nothing_is_new(path: Path) -> None:
    """A start with the voices that are known already leaves the disk alone, and so does a process that starts none."""
    asyncio.run(KnownVoices.read(path, {"piper": A}).keep())
    assert not path.exists()
    started(path, A, JOE, gain=1.25)
    known = KnownVoices.read(path, {"piper": A})
    path.unlink()
    known.offers("piper", [JOE])
    known.measured(JOE, 1.25)
    asyncio.run(known.keep())
    assert not path.exists()


def test_the_gain_of_a_voice_without_a_fingerprint_is_not_kept(path: Path) -> None:
    """Nobody could tell whether it is still the same voice."""
    started(path, A, ANNA, gain=3.0)
    assert not KnownVoices.read(path, {"piper": A}).gains


def test_an_engine_without_a_section_is_not_written_down(path: Path) -> None:
    """Without a section there is nothing to believe it by."""
    known = KnownVoices(path, {})
    known.offers("piper", [JOE])
    known.measured(JOE, 1.0)
    asyncio.run(known.keep())
    assert known.voices("piper") == ()
    assert not path.exists()


def test_a_cancelled_writing_is_made_up_for(path: Path) -> None:
    """Whoever waits for the disk may be cancelled; the next writing has what that one had."""

    async def run() -> None:
        known = KnownVoices(path, {"piper": A})
        known.offers("piper", [JOE])
        writing = asyncio.create_task(known.keep())
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await known.keep()

    asyncio.run(run())
    assert read(path) == (JOE,)


# -- bounds


def test_the_first_thousand_voices_are_kept(path: Path) -> None:
    """An engine with more of them is remembered by the first ones."""
    many = [Voice("piper", f"voice {number}", "en") for number in range(MAX_VOICES + 500)]
    started(path, A, *many)
    assert read(path) == tuple(many[:MAX_VOICES])


@pytest.mark.parametrize(
    "odd",
    [
        replace(ANNA, name="x" * (MAX_CHARS + 1)),
        replace(ANNA, model="x" * (MAX_CHARS + 1)),
        replace(ANNA, speaker="\ud800"),
        replace(ANNA, speed=float("inf")),
        UTA,
    ],
    ids=["a long name", "a long fingerprint", "half a character", "no speed", "another engine's"],
)
def test_a_voice_that_cannot_be_written_down_is_left_out(path: Path, odd: Voice) -> None:
    """The others are kept; without the default there is no telling who would speak, and none is."""
    started(path, A, JOE, odd, ANNA)
    assert read(path) == (JOE, ANNA)
    known = KnownVoices.read(path, {"piper": A})
    known.offers("piper", [odd, JOE])
    asyncio.run(known.keep())
    assert read(path) == ()


def test_what_was_written_longest_ago_goes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file never holds more entries or more bytes than it may, and the newest is among them."""
    sections = [f"{number:064x}" for number in range(MAX_ENTRIES + 2)]
    for section in sections:
        started(path, section, JOE)
    assert [read(path, section=one) != () for one in sections] == [False, False] + [True] * MAX_ENTRIES
    monkeypatch.setattr(known_voices, "MAX_BYTES", path.stat().st_size // 2)
    path.unlink()
    for section in sections[:MAX_ENTRIES]:
        started(path, section, JOE)
    left = [read(path, section=one) != () for one in sections[:MAX_ENTRIES]]
    assert path.stat().st_size <= known_voices.MAX_BYTES
    assert left == sorted(left)
    assert MAX_ENTRIES // 2 - 2 <= sum(left) <= MAX_ENTRIES // 2


# -- a file that is not as it should be

GOOD: dict[str, Any] = {
    "format": 1,
    "engines": [
        {
            "engine": "piper",
            "section": A,
            "voices": [{"name": "joe", "language": "en", "model": "m", "speaker": "", "speed": 1.0, "gain": 1.5}],
        }
    ],
}


def _with(place: Sequence[str | int], value: object) -> bytes:
    """GOOD, with `value` at `place`."""
    content = json.loads(json.dumps(GOOD))
    part = content
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    return json.dumps(content).encode()


VOICE = ("engines", 0, "voices", 0)
DAMAGED = {
    "empty": b"",
    "cut": json.dumps(GOOD).encode()[:-9],
    "no JSON": b"\x00\xff" * 100,
    "a list": b"[]",
    "deep": b"[" * 200_000,
    "large": b" " * known_voices.MAX_BYTES + json.dumps(GOOD).encode(),
    "later format": _with(["format"], 2),
    "foreign": b'{"name": "somebody else\'s"}',
    "more entries": _with(["engines"], GOOD["engines"] * (MAX_ENTRIES + 1)),
    "no digest": _with(["engines", 0, "section"], "A" * 64),
    "no voices": _with(["engines", 0, "voices"], []),
    "more voices": _with(["engines", 0, "voices"], GOOD["engines"][0]["voices"] * (MAX_VOICES + 1)),
    "unknown field": _with([*VOICE, "pitch"], 1),
    "a number as name": _with([*VOICE, "name"], 7),
    "a long name": _with([*VOICE, "name"], "x" * (MAX_CHARS + 1)),
    "no speed": _with([*VOICE, "speed"], 0.0),
    "a text as speed": _with([*VOICE, "speed"], "1.0"),
    "endless speed": _with([*VOICE, "speed"], float("inf")),
    "loud": _with([*VOICE, "gain"], 1000.0),
    "no gain": _with([*VOICE, "gain"], float("nan")),
}


def test_the_file_that_the_damaged_ones_are_made_from_is_good(path: Path) -> None:
    """So that each of them is refused for its own fault."""
    path.parent.mkdir()
    path.write_text(json.dumps(GOOD))
    assert read(path) == (Voice("piper", "joe", "en", "m"),)


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file_is_ignored_and_written_anew(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so in one line, which tells nothing of what stands in the file; the next start writes it again."""
    path.parent.mkdir()
    path.write_bytes(content)
    started(path, A, JOE)
    assert logged(caplog) == ["known_voices_ignored"]
    assert "joe" not in str(vars(caplog.records[0]))
    assert read(path) == (JOE,)


def test_what_cannot_be_written_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where there is no folder to write to, nothing fails but the memory."""
    (tmp_path / "data").write_text("in the way")
    known = KnownVoices.read(tmp_path / "data" / "known-voices.json", {"piper": A})
    for voice in (JOE, ANNA):
        known.offers("piper", [voice])
        asyncio.run(known.keep())
        assert known.voices("piper") == (voice,)
    assert logged(caplog) == ["known_voices_not_kept"]


def test_a_folder_in_its_place_is_left_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is neither read nor removed, nor are the parts of a file left beside it."""
    path.mkdir(parents=True)
    started(path, A, JOE)
    assert logged(caplog) == ["known_voices_ignored", "known_voices_not_kept"]
    assert list(path.parent.iterdir()) == [path]


def test_several_writers_never_tear_it(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While several write at once, whoever reads finds a whole file, and in the end no part of another."""
    caplog.set_level(logging.WARNING)
    sections = [f"{number:064x}" for number in range(4)]

    def write(section: str) -> None:
        known = KnownVoices.read(path, {"piper": section})
        for number in range(20):
            known.offers("piper", [replace(JOE, model=f"{section} {number}"), ANNA])
            asyncio.run(known.keep())

    writers = [threading.Thread(target=write, args=(section,)) for section in sections]
    for writer in writers:
        writer.start()
    seen: set[tuple[Voice, ...]] = set()
    while any(writer.is_alive() for writer in writers):
        seen |= {KnownVoices.read(path, {"piper": section}).voices("piper") for section in sections}
    for writer in writers:
        writer.join()
    assert logged(caplog) == []
    assert all(voices == () or (voices[0].model.startswith("0" * 63), voices[1]) == (True, ANNA) for voices in seen)
    assert any(read(path, section=section) for section in sections)
    assert list(path.parent.iterdir()) == [path]
