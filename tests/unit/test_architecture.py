"""Arrows between rooms point one way (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "unavoce"

MAY_LOOK_INTO: dict[str, set[str]] = {
    "errors": set(),
    "cores": set(),
    "outbound": set(),
    "text": {"errors"},
    "audio": {"errors"},
    "engines": {"audio", "cores", "outbound", "errors"},
    "llm": {"cores", "outbound", "errors"},
    "chain": {"engines", "audio", "errors"},
    "storage": {"errors"},
    "cache": {"storage", "engines", "audio", "text", "errors"},
    "narration": {"cache", "chain", "engines", "audio", "text", "errors"},
    "chat": {"storage", "narration", "chain", "llm", "text", "errors"},
    "settings": {"llm", "errors"},
    "web": set(),
    "composition": {"settings", "narration", "cache", "storage", "chain", "engines", "cores", "errors"},
    "library": {"composition", "settings", "narration", "engines", "cores", "errors"},
    "remote": {"narration", "audio", "errors"},
    "agents": {"remote", "narration", "audio", "errors"},
    "server": {
        *("web", "composition", "settings", "chat", "narration", "cache", "storage", "chain", "llm"),
        *("engines", "audio", "cores", "outbound", "errors"),
    },
}
"""The command line may look into everything, and so it is not listed."""


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("unavoce.")}


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("room", MAY_LOOK_INTO)
def test_a_room_looks_only_into_the_rooms_it_may(room: str) -> None:
    """No import of this room goes against the arrows."""
    files = [path for path in PACKAGE.rglob("*.py") if _room(path) == room]
    assert files, f"there is no room {room}"
    for path in files:
        strangers = _imported(path) - MAY_LOOK_INTO[room] - {room}
        assert not strangers, f"{path.relative_to(PACKAGE)} looks into {strangers}"


def test_every_room_is_listed() -> None:
    """A new room gets its place on the map."""
    rooms = {_room(path) for path in PACKAGE.rglob("*.py")} - {"__init__", "__main__", "cli"}
    assert rooms == set(MAY_LOOK_INTO)


def test_only_settings_reads_the_environment() -> None:
    """`os.environ` and `getenv` are named nowhere else."""
    readers = {_room(path) for path in PACKAGE.rglob("*.py") if {"environ", "getenv"} & _attributes(path)}
    assert readers <= {"settings"}


def _attributes(path: Path) -> set[str]:
    """What the file takes from the module `os`."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)]
    return {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "os"}
