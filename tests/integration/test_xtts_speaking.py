"""The engine for XTTS speaks through a stand-in of each kind of server."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest
from tests.support.xtts_engine import LONG, TEXT, each_kind, engine_for, pitch_hz, say, speaking
from tests.support.xtts_servers import Kind, standing_in

from unavoce.audio.pcm import Pcm
from unavoce.audio.plausible import implausible
from unavoce.errors import EngineRefused, EngineUnavailable


@each_kind
async def test_it_speaks(kind: Kind) -> None:
    """Plausible sound in the asked speaker's voice, at the rate of the server, asked for by name."""
    async with speaking(kind, {"speaker": "Uta Obando"}) as (engine, server):
        sound = await say(engine)
        assert sound.rate_hz == 24_000
        assert implausible(sound, TEXT) is None
        assert pitch_hz(sound) == pytest.approx(220, abs=2)
        assert server.model.spoken == [TEXT]


@each_kind
async def test_another_speaker_of_the_server_can_be_asked_for(kind: Kind) -> None:
    """Every speaker of the server is a voice."""
    async with speaking(kind, {"speaker": "Uta Obando"}) as (engine, _):
        heard: list[Pcm] = []
        voice = next(voice for voice in engine.voices() if voice.name == "Lidiya O'Brien")
        await engine.synthesise(TEXT, voice, heard.append)
        assert pitch_hz(heard[-1]) == pytest.approx(880, abs=4)


@each_kind
async def test_a_long_text_is_several_requests_in_order(kind: Kind) -> None:
    """None is over XTTS's limit, nothing is lost, and the sound is that of all of them."""
    async with speaking(kind) as (engine, server):
        sound = await say(engine, LONG)
        assert len(server.model.spoken) > 2
        assert all(len(text) < 250 for text in server.model.spoken)
        assert " ".join(server.model.spoken) == LONG
        assert implausible(sound, LONG) is None
        assert server.model.overlaps == 0


@pytest.mark.parametrize(
    ("language", "asked", "most"),
    [("en", "en", 250), ("ja", "ja", 71), ("ZH-CN", "zh-cn", 82), ("zh", "zh-cn", 82), ("pt-BR", "pt", 203)],
)
async def test_the_limit_is_that_of_the_language(language: str, asked: str, most: int) -> None:
    """Languages with longer tokens have shorter texts, and a language is found under the server's name for it."""
    async with speaking("coqui", {"language": language}) as (engine, server):
        assert engine.max_chars < most
        await say(engine, "hana " * 60)
        assert max(len(text) for text in server.model.spoken) < most
        assert {wish["language_id"] for wish in server.wishes} == {asked}


@pytest.mark.parametrize("text", ["...", "?!", "—", "  ", "*"])
async def test_punctuation_alone_is_refused(text: str) -> None:
    """XTTS would make noise of it. The server is not asked, and its health is not touched."""
    async with speaking("coqui") as (engine, server):
        with pytest.raises(EngineRefused):
            await say(engine, text)
        assert server.wishes == []


async def test_control_words_are_harmless() -> None:
    """XTTS's own tokens are words in brackets, and an xtts-api-server reads the file that a text names."""
    async with speaking("api-server") as (engine, server):
        await say(engine, "[en] Look at /etc/passwd.txt")
        assert server.model.spoken == ["(en) Look at /etc/passwd.txt."]


@pytest.mark.parametrize("kind", ["coqui", "streaming", "api-server"])
async def test_a_speed_that_the_server_has_not_is_refused(kind: Kind) -> None:
    """Rather the next engine at the asked speed than this one at another; the engine stays healthy."""
    async with speaking(kind) as (engine, server):
        with pytest.raises(EngineRefused, match="one speed"):
            await say(engine, speed=1.25)
        assert server.wishes == []


async def test_openais_way_has_a_speed() -> None:
    """It is sent as asked for, beside the model and the voice."""
    async with speaking("openai", {"model": "xtts", "speaker": "Uta Obando"}) as (engine, server):
        await say(engine, speed=1.25)
        wish = server.wishes[0]
        assert (wish["model"], wish["voice"], wish["speed"]) == ("xtts", "Uta Obando", 1.25)


async def test_embeddings_are_fetched_once() -> None:
    """Half a megabyte per speaker is fetched at the start and sent back as it came, with every sentence."""
    async with speaking("streaming") as (engine, server):
        await say(engine)
        await say(engine)
        assert server.asked.count(("GET", "/studio_speakers")) == 1
        assert server.wishes[1]["gpt_cond_latent"] == [[1.0, 2.0], [0.5, 3.0]]
        assert server.wishes[1]["stream_chunk_size"] == "20"


async def test_a_wav_becomes_a_speaker_of_the_streaming_server(tmp_path: Path) -> None:
    """The file is uploaded once; its name is the voice's, its folder nobody's business."""
    path = tmp_path / "butler.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(bytes(9600))
    async with speaking("streaming", {"speaker": str(path)}) as (engine, server):
        assert (await say(engine)).duration_s > 1
        assert engine.voices()[0].name == "butler"
        assert str(tmp_path) not in engine.detail
        assert server.asked.count(("POST", "/clone_speaker")) == 1


async def test_a_wav_that_is_none_stops_the_start(tmp_path: Path) -> None:
    """A missing file, and one that the server cannot read, name the setting."""
    (tmp_path / "text.wav").write_text("not a sound")
    async with standing_in("streaming") as server:
        for name, said in (("missing.wav", "cannot read"), ("text.wav", "could not clone")):
            engine = engine_for(server.url, speaker=str(tmp_path / name))
            with pytest.raises(EngineUnavailable, match=f"{said}.*UNAVOCE_XTTS__SPEAKER"):
                await engine.start()
            await engine.close()


async def test_a_wav_on_the_server_is_named_to_it() -> None:
    """tts-server clones a file of its own for every request."""
    async with speaking("coqui", {"speaker": "/srv/voices/butler.wav"}) as (engine, server):
        await say(engine)
        assert server.wishes[0]["speaker_wav"] == "/srv/voices/butler.wav"
        assert "speaker_id" not in server.wishes[0]
        assert engine.voices()[0].name == "butler"


async def test_an_api_server_with_its_model_elsewhere_gives_whole_sounds() -> None:
    """It cannot stream then, and is asked for that once only."""
    async with speaking("api-server", local_model=False) as (engine, server):
        assert implausible(await say(engine), TEXT) is None
        await say(engine)
        assert server.asked.count(("GET", "/tts_stream")) == 1
        assert server.asked.count(("POST", "/tts_to_audio/")) == 2
