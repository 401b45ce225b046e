"""The page's and the player's own tests, which run under Node without a browser, and the types of both."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.support.node import ROOT, node_and_npm, program

TESTS = sorted(path for part in ("player", "page") for path in (ROOT / "tests" / "unit" / part).glob("*.test.js"))
LIMIT_S = 300
VENDOR = "src/unavoce/web/vendor/"


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_test_in_the_file_passes(path: Path) -> None:
    """A file of tests passes under Node, and holds at least one."""
    done = run([node_and_npm()[0], "--test-reporter=tap", str(path)])
    assert done.returncode == 0, done.stdout + done.stderr
    count = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert count is not None
    assert int(count[1]) > 0, f"no test ran:\n{done.stdout}"


def test_the_player_has_tests() -> None:
    """The files are found where they are looked for."""
    assert [path.name for path in TESTS if path.parent.name == "player"]


def test_every_type_is_right() -> None:
    """`tsc` in its strict mode finds nothing in the player and the page; the libraries beside them are others'."""
    lines = run([*program("tsc"), "--pretty", "false", "-p", "src/unavoce/web"]).stdout.splitlines()
    errors = [line for line in lines if not line.startswith((VENDOR, " "))]
    assert not errors, "\n".join(errors)
