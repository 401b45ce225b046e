"""docs/openai-api.md against the code: its examples run as they stand, its tables say what the code does."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from tests.support.decoders import RATE_HZ, decoded
from tests.support.server import running_server

from unavoce.chain.chain import MAX_SPEED, MIN_SPEED
from unavoce.server.http import STATUSES
from unavoce.server.speech import refusals
from unavoce.server.speech.door import CONTENT_TYPES
from unavoce.server.speech.names import OPENAI_MODELS, OPENAI_VOICES
from unavoce.server.speech.request import SpeechRequest

PAGE = (Path(__file__).parents[2] / "docs" / "openai-api.md").read_text()
SOURCES = "".join(path.read_text() for path in Path(refusals.__file__).parent.glob("*.py"))
PASSED_ON = ("too_many", "stopping")
"""Other rooms' refusals that are told under their own names."""
GATES = (413, "too_large")
"""The gate's, of those that depend on a request's body."""
ADDRESS = "http://127.0.0.1:8010"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


async def test_the_examples_in_python_run(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With OpenAI's client, whole and streamed."""
    monkeypatch.chdir(data_dir)
    examples = blocks("python")
    assert len(examples) == 2
    async with running_server(data_dir) as server:
        for example in examples:
            await asyncio.to_thread(exec, example.replace(ADDRESS, server.url), {})
    assert len(decoded("mp3", (data_dir / "evening.mp3").read_bytes())) > RATE_HZ // 4


async def test_the_three_lines_with_curl_run(data_dir: Path) -> None:
    """What a person types first, but for starting the server."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    first = blocks("sh")[0]
    command = first[first.index("curl ") :]
    assert first.count("\n") == 3
    async with running_server(data_dir) as server:
        shell = await asyncio.create_subprocess_shell(command.replace(ADDRESS, server.url), cwd=data_dir)
        assert await shell.wait() == 0
    assert len(decoded("mp3", (data_dir / "evening.mp3").read_bytes())) > RATE_HZ // 4


def test_every_refusal_is_listed() -> None:
    """The page's statuses and codes are those in the code, with the same statuses; nothing more."""
    listed = {
        (int(status), code)
        for status, codes in re.findall(r"^\| (\d{3}) \| (`.*?) \|", section("When something is wrong"), re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }
    raised = {(int(status), code) for status, code in re.findall(r'SpeechRefused\((\d+), "(\w+)"', SOURCES)}
    raised |= {(400, code) for code in re.findall(r'"(missing_required_parameter|invalid_value)"', SOURCES)}
    raised |= {(status, code) for code, status in STATUSES.items() if code in PASSED_ON} | {GATES}
    raised |= {(known.status, known.code or code) for code, known in refusals._KNOWN.items()}
    assert listed == raised


def test_every_format_is_listed() -> None:
    """With its content type."""
    listed = re.findall(r"^\| `(\w+)` \| `(audio/\w+)` \|", section("Formats"), re.MULTILINE)
    assert dict(listed) == CONTENT_TYPES


def test_every_field_and_name_is_listed() -> None:
    """Fields of a request, OpenAI's voices and models."""
    table = section("What may be asked for")
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(SpeechRequest.model_fields)
    for name in (*OPENAI_VOICES, *OPENAI_MODELS):
        assert f"`{name}`" in table


def test_numbers() -> None:
    """Bounds that the page names."""
    assert f"speak at {MIN_SPEED:g} to {MAX_SPEED:g}:" in PAGE
