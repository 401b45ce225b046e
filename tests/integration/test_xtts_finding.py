"""Which XTTS server it is, what it has, and what an operator reads when that is not what was set."""

from __future__ import annotations

import pytest
from tests.support.xtts_engine import CONTEXT, TITLES, each_kind, engine_for, pitch_hz, say, speaking
from tests.support.xtts_servers import PITCH_HZ, Kind, standing_in

from unavoce.engines.registry import create_engine
from unavoce.errors import EngineUnavailable, SettingsError


@each_kind
async def test_it_finds_out_which_server_it_talks_to(kind: Kind) -> None:
    """The dialect, the default speaker and the language stand in the detail for the health report."""
    async with speaking(kind) as (engine, _):
        first = sorted(PITCH_HZ)[0]
        assert engine.detail == f"{TITLES[kind]}, speaker {first}, language en"
        assert [voice.name for voice in engine.voices()] == list(PITCH_HZ) or kind == "api-server"
        assert {voice.name for voice in engine.voices()} == set(PITCH_HZ)
        assert all(kind in voice.model or kind == "streaming" for voice in engine.voices())


@each_kind
async def test_it_asks_no_other_dialect_than_the_one_that_is_set(kind: Kind) -> None:
    """With the right dialect set it starts, with another it says which setting to correct."""
    async with standing_in(kind) as server:
        right = engine_for(server.url, dialect=kind)
        await right.start()
        await right.close()
        wrong = engine_for(server.url, dialect="streaming" if kind != "streaming" else "coqui")
        with pytest.raises(EngineUnavailable, match=r"remedy: correct UNAVOCE_XTTS__URL .* UNAVOCE_XTTS__DIALECT"):
            await wrong.start()
        await wrong.close()


@pytest.mark.parametrize("kind", ["page", "piper"])
async def test_another_server_is_not_taken_for_xtts(kind: Kind) -> None:
    """A page for everything, or Piper's server: the message names the setting, the address and the remedy."""
    async with standing_in(kind) as server:
        engine = engine_for(server.url)
        with pytest.raises(EngineUnavailable, match="does not answer like XTTS") as failed:
            await engine.start()
        assert "UNAVOCE_XTTS__URL" in str(failed.value)
        assert server.url.removeprefix("http://") in str(failed.value)
        assert {method for method, _ in server.asked} == {"GET"}  # it never spoke to a stranger
        await engine.close()


async def test_a_closed_port_is_a_server_that_is_not_up_yet() -> None:
    """Start fails with the remedy while the port is closed, and works, on the same engine, once it is open."""
    async with standing_in("coqui") as gone:
        port = int(gone.url.rpartition(":")[2])
    engine = engine_for(gone.url, speaker="Uta Obando")
    with pytest.raises(EngineUnavailable, match="remedy: start it, or correct UNAVOCE_XTTS__URL"):
        await engine.start()
    assert [voice.name for voice in engine.voices()] == ["Uta Obando"]
    async with standing_in("coqui", port):
        await engine.start()
        assert pitch_hz(await say(engine)) == pytest.approx(220, abs=2)
        await engine.close()


@each_kind
async def test_an_unknown_speaker_stops_the_start(kind: Kind) -> None:
    """The message names the setting and the speakers there are."""
    async with standing_in(kind) as server:
        engine = engine_for(server.url, speaker="Nobody")
        with pytest.raises(
            EngineUnavailable, match=r"no speaker 'Nobody'; remedy: set UNAVOCE_XTTS__SPEAKER .*Uta Obando"
        ):
            await engine.start()
        await engine.close()
        assert server.wishes == []


@pytest.mark.parametrize("kind", ["coqui", "streaming", "api-server"])
async def test_an_unknown_language_stops_the_start(kind: Kind) -> None:
    """The message names the setting and the languages there are; OpenAI's way knows none."""
    async with standing_in(kind) as server:
        engine = engine_for(server.url, language="tlh")
        with pytest.raises(EngineUnavailable, match=r"no language 'tlh'; remedy: set UNAVOCE_XTTS__LANGUAGE .*zh-cn"):
            await engine.start()
        await engine.close()


@pytest.mark.parametrize("kind", ["streaming", "api-server", "openai"])
async def test_a_server_without_speakers_says_what_to_do(kind: Kind) -> None:
    """No voice is ever left to the server's choice."""
    async with standing_in(kind, speakers=[]) as server:
        engine = engine_for(server.url)
        with pytest.raises(EngineUnavailable, match=r"lists no speakers; remedy: .*UNAVOCE_XTTS__SPEAKER"):
            await engine.start()
        await engine.close()


async def test_a_wrong_key_is_named_and_not_shown() -> None:
    """Neither our key nor the server's echo of it stands in the message."""
    async with standing_in("openai", key="right") as server:
        engine = engine_for(server.url, api_key="sk-wrong-one")
        with pytest.raises(EngineUnavailable, match="remedy: correct UNAVOCE_XTTS__API_KEY") as failed:
            await engine.start()
        assert "sk-wrong-one" not in str(failed.value)
        await engine.close()


def test_a_section_without_an_address_is_a_settings_error() -> None:
    """The engine cannot guess where its server is."""
    with pytest.raises(SettingsError, match=r"xtts\.url"):
        create_engine("xtts", {}, CONTEXT)


@pytest.mark.parametrize("url", ["", "localhost:5002", "ftp://there", "http://there/?x=1"])
def test_an_address_that_is_none_is_a_settings_error(url: str) -> None:
    """Named, with what was expected."""
    with pytest.raises(SettingsError, match=r"xtts\.url"):
        create_engine("xtts", {"url": url}, CONTEXT)


def test_an_address_may_end_in_v1() -> None:
    """OpenAI-style addresses are written so."""
    assert engine_for("http://there:8000/v1/")._options.url == "http://there:8000"


def test_one_request_at_a_time_unless_told_otherwise() -> None:
    """Several at once damage each other on most of these servers."""
    assert engine_for("http://there").max_concurrency == 1
    assert engine_for("http://there", max_concurrency=3).max_concurrency == 3
