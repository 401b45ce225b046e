"""deploy/unavoce.service, as systemd reads it; and what all files for deployment say of settings."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from tests.support.dockerfile import ROOT

from unavoce.engines.registry import GROUP
from unavoce.settings import load_settings
from unavoce.settings.model import Settings, section_name

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "unavoce.service"
LIMIT_S = 60
FILES = [ROOT / "Dockerfile", ROOT / "compose.yaml", *sorted(p for p in DEPLOY.rglob("*") if p.is_file())]
PAGE = ROOT / "docs" / "deploy.md"
systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this machine has no systemd")


def analysed(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `systemd-analyze` says of the unit, its program being one that is there."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/unavoce/bin/unavoce", sys.executable))
    return subprocess.run(
        ["systemd-analyze", *arguments, unit], capture_output=True, text=True, check=False, timeout=LIMIT_S
    )


@systemd
def test_systemd_has_no_complaint(tmp_path: Path) -> None:
    """Every line of the unit is one that systemd knows."""
    done = analysed(tmp_path, "verify")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@systemd
def test_the_service_is_confined(tmp_path: Path) -> None:
    """systemd's own measure of exposure, from 0 to 10, is below 2."""
    done = analysed(tmp_path, "security", "--offline=true", "--no-pager", "--threshold=20")
    assert done.returncode == 0, done.stdout[-200:]


def entries(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


def environ() -> dict[str, str]:
    """What the unit sets for the service."""
    return dict(word.split("=", 1) for line in entries("Environment") for word in line.split())


def test_replies_may_end_before_the_service_is_killed() -> None:
    """systemd waits longer than the server takes to stop: what replies are given, and some seconds."""
    (limit_s,) = map(float, entries("TimeoutStopSec"))
    assert float(environ()["UNAVOCE_STOP_TIMEOUT_S"]) + 10 <= limit_s


def test_what_it_keeps_is_where_systemd_made_room() -> None:
    """The folders in the settings are those that systemd makes for the service."""
    assert environ()["UNAVOCE_DATA_DIR"] == f"%S/{entries('StateDirectory')[0]}"
    assert environ()["UNAVOCE_CACHE_DIR"] == f"%C/{entries('CacheDirectory')[0]}"


def known_names() -> set[str]:
    """Every variable that is a setting: the server's, the model's, the engines'."""
    plain = {f"UNAVOCE_{name.upper()}" for name in Settings.model_fields if name != "engine_sections"}
    llm = {f"UNAVOCE_LLM__{name.upper()}" for name in type(Settings().llm).model_fields}
    engines = {
        f"UNAVOCE_{section_name(entry.name).upper()}__{option.upper()}"
        for entry in entry_points(group=GROUP)
        for option in entry.load().Options.model_fields
    }
    return plain | llm | engines


@pytest.mark.parametrize("path", [*FILES, PAGE], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_variable_named_is_a_setting(path: Path) -> None:
    """None is invented, and none is misspelt."""
    named = set(re.findall(r"\bUNAVOCE_[A-Z0-9_]*[A-Z0-9]\b", path.read_text(encoding="utf-8")))
    assert named <= known_names()


def test_the_example_of_settings_can_be_used_as_it_stands() -> None:
    """With a key, and every line switched on, the server takes it."""
    text = (DEPLOY / "example.env").read_text(encoding="utf-8").replace("UNAVOCE_API_KEYS=", "UNAVOCE_API_KEYS=k")
    lines = re.findall(r"^#?(UNAVOCE_\w+)=(.*)$", text, re.MULTILINE)
    assert len(lines) >= 5
    settings = load_settings(environ=dict(lines))
    assert settings.llm.model == "llama3.2"
