"""What a Dockerfile says, read without Docker: enough to run its commands in a folder instead of a container."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILES = [ROOT / "Dockerfile", *sorted(ROOT.glob("deploy/*/Dockerfile"))]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: `RUN`, and what stands behind it with lines joined, of which stage (from 0)."""

    name: str
    text: str
    stage: int

    @property
    def words(self) -> list[str]:
        """Of the form with brackets: its words."""
        found = json.loads(self.text)
        assert isinstance(found, list)
        return found

    @property
    def command(self) -> str:
        """Of a RUN: what the shell is given, without the builder's own flags."""
        return re.sub(r"^(--\S+\s+)+", "", self.text)


def instructions(path: Path) -> list[Instruction]:
    """The instructions of a Dockerfile in order."""
    found: list[Instruction] = []
    stage = -1
    for line in _joined(path.read_text(encoding="utf-8").splitlines()):
        name, _, text = line.partition(" ")
        stage += name == "FROM"
        found.append(Instruction(name, text.strip(), stage))
    return found


def _joined(lines: Iterable[str]) -> list[str]:
    """Without comments and empty lines; one that ends with a backslash goes on in the next."""
    kept = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return "\n".join(kept).replace("\\\n", " ").splitlines()


@dataclass(frozen=True, slots=True)
class Image:
    """What the last stage says about the container to be."""

    environ: dict[str, str]
    user: str
    stop_signal: str
    command: list[str]
    health_check: list[str]
    labels: dict[str, str]


def image(path: Path) -> Image:
    """Of the last stage of a Dockerfile. Raises KeyError where it does not say."""
    last = instructions(path)[-1].stage
    said = [instruction for instruction in instructions(path) if instruction.stage == last]
    once = {instruction.name: instruction for instruction in said}
    check = Instruction("CMD", once["HEALTHCHECK"].text.partition("CMD ")[2], last)
    return Image(
        environ=_pairs(each.text for each in said if each.name == "ENV"),
        user=once["USER"].text,
        stop_signal=once["STOPSIGNAL"].text,
        command=[*once["ENTRYPOINT"].words, *once["CMD"].words],
        health_check=check.words,
        labels=_pairs(each.text for each in said if each.name == "LABEL"),
    )


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for text in texts for word in shlex.split(text))
