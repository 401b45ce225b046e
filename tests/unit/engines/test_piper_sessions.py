"""Which voices are in memory: each loaded once, only so many, and failures are not kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unavoce.engines import piper_sessions
from unavoce.engines.piper_sessions import Sessions
from unavoce.engines.piper_voices import VoiceFiles
from unavoce.errors import EngineUnavailable


class Loads:
    """Stands for the loading of models; `broken` names the voices that cannot be loaded."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.broken: set[str] = set()

    def __call__(self, files: VoiceFiles, threads: int) -> object:
        self.asked.append((files.name, threads))
        if files.name in self.broken:
            raise EngineUnavailable(files.name)
        return object()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    loads = Loads()
    monkeypatch.setattr(piper_sessions, "_load", loads)
    return loads


@pytest.fixture
def sessions(loads: Loads) -> Iterator[Sessions]:
    sessions = Sessions(limit=2)
    yield sessions
    sessions.close()


def voice(name: str) -> VoiceFiles:
    return VoiceFiles(name, Path(name), Path(name), "en", {}, 1, 0, 0)


def test_a_voice_is_loaded_once_for_each_number_of_threads(sessions: Sessions, loads: Loads) -> None:
    """Whoever asks meanwhile or afterwards gets the same loaded voice."""
    wide, narrow = sessions.get(voice("a"), 2), sessions.get(voice("a"), 1)
    assert sessions.get(voice("a"), 2).result() is wide.result()
    assert narrow.result() is not wide.result()
    assert loads.asked == [("a", 2), ("a", 1)]


def test_the_least_recently_used_goes(sessions: Sessions, loads: Loads) -> None:
    """Above the limit the voice that was not asked for the longest leaves, and is loaded again when wanted."""
    for name in ("a", "b", "a", "c"):
        sessions.get(voice(name), 1).result()
    assert sessions.keys == [("a", 1), ("c", 1)]
    sessions.get(voice("b"), 1).result()
    assert [name for name, _ in loads.asked] == ["a", "b", "c", "b"]


def test_a_failure_is_not_kept(sessions: Sessions, loads: Loads) -> None:
    """A voice that could not be loaded is tried again when next asked for."""
    loads.broken = {"a"}
    with pytest.raises(EngineUnavailable):
        sessions.get(voice("a"), 1).result()
    loads.broken = set()
    assert sessions.get(voice("a"), 1).result() is not None
