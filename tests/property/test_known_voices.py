"""Processes that share a file of voices, in any order."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from unavoce.chain.known_voices import KnownVoices
from unavoce.engines.base import Voice

ENGINES = ("piper", "xtts")
SECTIONS = ("a" * 64, "b" * 64)
GARBAGE = b'{"format": 1, "engines": [{'

Voices = tuple[Voice, ...]
restart = st.tuples(st.just("restart"), st.sampled_from(SECTIONS))
starts = st.tuples(st.just("starts"), st.sampled_from(ENGINES), st.lists(st.integers(0, 3), max_size=3, unique=True))
damage = st.tuples(st.just("damage"))
STEPS = st.lists(st.tuples(st.integers(0, 1), st.one_of(restart, starts, starts, damage)), max_size=12)


@settings(max_examples=60)
@given(STEPS)
def test_what_was_last_written_for_a_section_is_what_is_read(steps: list[tuple[int, tuple[object, ...]]]) -> None:
    """Two processes restart with changing sections, start engines with changing voices, and something spoils the file:
    each reads what was last written for its own section, and damage costs only what was not written since."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "known-voices.json"
        written: dict[tuple[str, str], Voices] = {}
        sections = [SECTIONS[0], SECTIONS[0]]
        processes = [process(path, section) for section in sections]
        for number, (step, *rest) in steps:
            if step == "damage":
                path.write_bytes(GARBAGE)
                written.clear()
            elif step == "restart":
                sections[number] = str(rest[0])
                processes[number] = process(path, sections[number])
            else:
                engine, voices = rest[0], voices_of(str(rest[0]), rest[1])
                assert isinstance(engine, str)
                if processes[number].voices(engine) != voices:
                    written[engine, sections[number]] = voices
                processes[number].offers(engine, voices)
                asyncio.run(processes[number].keep())
            for section in SECTIONS:
                read = process(path, section)
                assert all(read.voices(engine) == written.get((engine, section), ()) for engine in ENGINES)


def process(path: Path, section: str) -> KnownVoices:
    return KnownVoices.read(path, dict.fromkeys(ENGINES, section))


def voices_of(engine: str, numbers: object) -> Voices:
    assert isinstance(numbers, list)
    return tuple(Voice(engine, f"voice {number}", "en", f"model {number}") for number in numbers)
