"""Which models are in memory: each loaded once, only so many, and failures are not kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unavoce.engines.sessions import Sessions
from unavoce.errors import EngineUnavailable


class Loads:
    """Stands for the loading of models; `broken` names those that cannot be loaded."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.broken: set[str] = set()

    def __call__(self, files: Path, threads: int) -> object:
        self.asked.append((files.name, threads))
        if files.name in self.broken:
            raise EngineUnavailable(files.name)
        return object()


@pytest.fixture
def loads() -> Loads:
    return Loads()


@pytest.fixture
def sessions(loads: Loads) -> Iterator[Sessions[Path, object]]:
    sessions = Sessions(loads, name="test", limit=2)
    yield sessions
    sessions.close()


def test_a_model_is_loaded_once_for_each_number_of_threads(sessions: Sessions[Path, object], loads: Loads) -> None:
    """Whoever asks meanwhile or afterwards gets the same loaded model."""
    wide, narrow = sessions.get(Path("a"), 2), sessions.get(Path("a"), 1)
    assert sessions.get(Path("a"), 2).result() is wide.result()
    assert narrow.result() is not wide.result()
    assert loads.asked == [("a", 2), ("a", 1)]


def test_the_least_recently_used_goes(sessions: Sessions[Path, object], loads: Loads) -> None:
    """Above the limit the model that was not asked for the longest leaves, and is loaded again when wanted."""
    for name in ("a", "b", "a", "c"):
        sessions.get(Path(name), 1).result()
    assert sessions.keys == [("a", 1), ("c", 1)]
    sessions.get(Path("b"), 1).result()
    assert [name for name, _ in loads.asked] == ["a", "b", "c", "b"]


def test_a_failure_is_not_kept(sessions: Sessions[Path, object], loads: Loads) -> None:
    """A model that could not be loaded is tried again when next asked for."""
    loads.broken = {"a"}
    with pytest.raises(EngineUnavailable):
        sessions.get(Path("a"), 1).result()
    loads.broken = set()
    assert sessions.get(Path("a"), 1).result() is not None
