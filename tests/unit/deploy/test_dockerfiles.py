"""The Dockerfiles, read by hadolint and by us. What they do is tried in tests/integration and by `make test-image`."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.support.dockerfile import DOCKERFILES, ROOT, image, instructions

LIMIT_S = 60
HADOLINT = Path(sys.executable).with_name("hadolint")
TOOLS = ("pip", "npm", "gcc", "build-essential", "curl", "git")
each = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.relative_to(ROOT).as_posix())


def test_there_is_one_for_each_server() -> None:
    """unavoce's, Piper's and XTTS's."""
    names = [path.relative_to(ROOT).as_posix() for path in DOCKERFILES]
    assert names == ["Dockerfile", "deploy/piper/Dockerfile", "deploy/xtts/Dockerfile"]


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint has no wheel for this machine")
@each
def test_hadolint_has_no_complaint(path: Path) -> None:
    """Every rule holds but those that a line switches off with its reason."""
    done = subprocess.run([HADOLINT, path], capture_output=True, text=True, check=False, timeout=LIMIT_S)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@each
def test_nobody_is_root_and_nothing_is_built_in_the_last_stage(path: Path) -> None:
    """It runs as a user by number, so that an orchestrator can tell; the tools stay in the stage before."""
    last = instructions(path)[-1].stage
    commands = [each.command for each in instructions(path) if each.name == "RUN" and each.stage == last]
    assert last == 1
    assert image(path).user == "10001:10001"
    assert not [(tool, command) for command in commands for tool in TOOLS if tool in command.split()]


@each
def test_every_version_is_a_locked_one(path: Path) -> None:
    """What pip installs comes from a file in requirements/ or is held to one."""
    commands = [each.command for each in instructions(path) if each.name == "RUN"]
    installs = [line for command in commands for line in re.findall(r"\bpip (?:--python \S+ )?install [^&;]*", command)]
    assert installs
    assert all(" -r requirements/" in line or " -c requirements/" in line for line in installs)


@each
def test_a_check_is_given_more_time_than_it_takes_itself(path: Path) -> None:
    """So that its reason is told, and not only that it took too long."""
    said = next(each.text for each in instructions(path) if each.name == "HEALTHCHECK")
    assert "--timeout=5s" in said
    assert "LIMIT_S = 4.0" in (ROOT / "deploy" / "healthcheck.py").read_text(encoding="utf-8")


def test_the_label_tells_the_version() -> None:
    """And the licence, as pyproject.toml has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    labels = image(ROOT / "Dockerfile").labels
    assert labels["org.opencontainers.image.version"] == project["version"]
    assert labels["org.opencontainers.image.licenses"] == project["license"]
    assert labels["org.opencontainers.image.description"] == project["description"]


def test_what_goes_in_by_default_is_what_a_server_can_use() -> None:
    """Every extra there is, but for a terminal's, a sound card's and other programs' adapters."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    argument = next(each.text for each in instructions(ROOT / "Dockerfile") if each.text.startswith("EXTRAS="))
    others = {"all", "chat", "play", "livekit", "pipecat"}
    assert set(argument.removeprefix("EXTRAS=").split(",")) == set(project["optional-dependencies"]) - others
