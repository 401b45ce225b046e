"""`unavoce doctor` says what is wrong with XTTS, and what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.xtts_servers import Kind, standing_in

from unavoce.cli import checks
from unavoce.cli.checks import Finding
from unavoce.settings import Settings


async def examined(url: str, data_dir: Path, **section: Any) -> Finding:
    settings = Settings(data_dir=data_dir, engines=("xtts",), engine_sections={"xtts": {"url": url, **section}})
    return await checks.engine("xtts", settings)


async def test_a_server_that_speaks_is_well(data_dir: Path) -> None:
    """What was found out is said: kind of server, speaker, language."""
    async with standing_in("coqui") as server:
        finding = await examined(server.url, data_dir)
    assert finding.status == "ok"
    assert finding.detail.startswith("coqui-tts tts-server, speaker Claribel Dervla, language en: ")


async def test_a_server_that_is_not_there_names_its_address(data_dir: Path) -> None:
    """Nothing listens at the address."""
    async with standing_in("coqui") as server:
        pass
    finding = await examined(server.url, data_dir)
    assert finding.status == "wrong"
    assert server.url.removeprefix("http://") in finding.detail
    assert finding.remedy == "start it, or correct UNAVOCE_XTTS__URL"


@pytest.mark.parametrize("kind", ["page", "piper"])
async def test_a_server_that_is_no_xtts_names_address_and_dialect(data_dir: Path, kind: Kind) -> None:
    """Something else listens at the address."""
    async with standing_in(kind) as server:
        finding = await examined(server.url, data_dir)
    assert (finding.status, "does not answer like XTTS" in finding.detail) == ("wrong", True)
    assert "UNAVOCE_XTTS__URL" in finding.remedy
    assert "UNAVOCE_XTTS__DIALECT" in finding.remedy


async def test_an_unknown_speaker_names_those_there_are(data_dir: Path) -> None:
    """The remedy can be copied."""
    async with standing_in("streaming") as server:
        finding = await examined(server.url, data_dir, speaker="Nobody")
    assert (finding.status, "no speaker 'Nobody'" in finding.detail) == ("wrong", True)
    assert finding.remedy == ("set UNAVOCE_XTTS__SPEAKER to one of its 3 (Claribel Dervla, Uta Obando, Lidiya O'Brien)")


async def test_an_unknown_language_names_those_there_are(data_dir: Path) -> None:
    """The remedy can be copied."""
    async with standing_in("coqui") as server:
        finding = await examined(server.url, data_dir, language="klingon")
    assert (finding.status, "no language 'klingon'" in finding.detail) == ("wrong", True)
    assert "UNAVOCE_XTTS__LANGUAGE to one of its 17 (ar, cs, de, en" in finding.remedy
