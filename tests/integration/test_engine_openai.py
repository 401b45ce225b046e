"""The engine `openai` against servers that speak OpenAI's protocol in the ways the real ones do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.engines import refused, said, started
from tests.support.hearing import word_error_rate
from tests.support.piper import said_by_piper
from tests.support.speech_servers import RATE_HZ, BrokenOff, Exchange, Handler, OpenAIStyle, serving, tone

from unavoce import Narrator
from unavoce.audio.pcm import Pcm, Samples
from unavoce.audio.resample import resampled
from unavoce.chain.chain import Chain
from unavoce.cores import Cores
from unavoce.engines import openai
from unavoce.engines.base import EngineContext, Voice
from unavoce.engines.fake import FakeEngine, FakeOptions
from unavoce.engines.openai import TRIAL, OpenAISpeechEngine, OpenAISpeechOptions, api_url, voice_names
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable
from unavoce.narration.stage import Stage
from unavoce.settings import Settings

KEY = "sk-very-secret"
TEXT = "Good evening, sir. Dinner will be served at eight."


def _engine(url: str, **options: Any) -> OpenAISpeechEngine:
    return OpenAISpeechEngine(
        OpenAISpeechOptions(base_url=url, **options), EngineContext(Path("/nonexistent"), Cores())
    )


@asynccontextmanager
async def _started(handler: Handler, **options: Any) -> AsyncIterator[OpenAISpeechEngine]:
    async with serving(handler) as url, started(_engine(url, **options)) as engine:
        yield engine


async def _refused_start(handler: Handler, **options: Any) -> str:
    """The message of the EngineUnavailable that `start` raises."""
    return await refused(_started(handler, **options), KEY)


async def _said(engine: OpenAISpeechEngine, text: str = TEXT, voice: Voice | None = None) -> Pcm:
    return await said(engine, text, voice)


# -- which format


@pytest.mark.parametrize(
    ("server", "kind", "rate_hz"),
    [
        (OpenAIStyle(), "pcm", RATE_HZ),
        (OpenAIStyle(rates_hz={"wav": 22_050, "pcm": 22_050}), "wav", 22_050),
        (OpenAIStyle(rates_hz={"wav": 22_050}), "wav", 22_050),
        (OpenAIStyle(rates_hz={"wav": RATE_HZ}, wav_size=0), "wav", RATE_HZ),
        (OpenAIStyle(rates_hz={"pcm": RATE_HZ}), "pcm", RATE_HZ),
        (OpenAIStyle(sends="wav"), "pcm", RATE_HZ),
        (OpenAIStyle(sends="wav", rates_hz={"wav": 16_000, "pcm": RATE_HZ}), "wav", 16_000),
        (OpenAIStyle(rates_hz={"wav": RATE_HZ, "pcm": 3 * RATE_HZ}), "wav", RATE_HZ),
    ],
    ids=[
        "both at 24 kHz",
        "bare samples at the model's rate, which they do not say",
        "no bare samples",
        "no bare samples, sizes of 0",
        "no WAV",
        "a WAV whatever was asked for",
        "a WAV at another rate whatever was asked for",
        "bare samples of another kind",
    ],
)
async def test_the_sound_comes_at_its_true_rate(server: OpenAIStyle, kind: str, rate_hz: int) -> None:
    """Whatever formats a server has and at whatever rate it sends them, the samples are those of the text at the rate
    they were made for; the choice is made once and remembered."""
    server.asked.clear()
    async with _started(server) as engine:
        sound = await _said(engine)
        trials = len(server.asked) - 1
        await engine.start()
        assert engine.detail.endswith(f"OpenAI's protocol, model tts-1, voice alloy, sound as {kind}")
    assert sound.rate_hz == rate_hz
    assert np.array_equal(sound.samples, tone(TEXT, "alloy", rate_hz=rate_hz))
    assert [body["input"] for body in server.asked] == [TRIAL] * trials + [TEXT]
    assert server.asked[-1] == {"model": "tts-1", "input": TEXT, "voice": "alloy", "response_format": kind}


async def test_mp3_is_not_taken_for_samples() -> None:
    """A server that sends nothing but MP3 is found out at the start."""
    message = await _refused_start(OpenAIStyle(sends="mp3"))
    assert "MP3 came" in message
    assert "UNAVOCE_OPENAI__" in message


async def test_it_says_the_words(data_dir: Path) -> None:
    """A real voice, sent in parts of odd length as bare samples and as an open WAV, is understood."""
    (clip,) = await asyncio.to_thread(said_by_piper, [TEXT], data_dir)

    def speak(text: str, voice: str, speed: float, rate_hz: int) -> Samples:
        return resampled(clip.samples, clip.rate_hz, rate_hz) if text == TEXT else tone(text, voice, speed, rate_hz)

    for rates_hz in ({"wav": RATE_HZ, "pcm": RATE_HZ}, {"wav": 22_050}):
        async with _started(OpenAIStyle(speak=speak, rates_hz=rates_hz)) as engine:
            sound = await _said(engine)
        assert await asyncio.to_thread(word_error_rate, TEXT, sound.samples, sound.rate_hz) < 0.15


# -- voices, models, keys


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        (["af_sky", "bm_george"], ["af_sky", "bm_george"]),
        ({"voices": ["af_sky", "af_sky"]}, ["af_sky"]),
        ({"voices": [{"id": "af_sky", "name": "Sky"}]}, ["af_sky"]),
        ({"voices": [{"name": "af_sky", "language": "en"}], "object": "list"}, ["af_sky"]),
        ({"data": [{"voice_id": "v1"}]}, ["v1"]),
        ({"voices": {"alloy": {}, "echo": {}}}, ["alloy", "echo"]),
        ({"voices": [1, None, {"name": 2}, ""]}, []),
        ({"voices": None}, []),
        ("af_sky", []),
        (None, []),
    ],
)
def test_lists_of_voices_are_read_in_each_shape(listed: object, names: list[str]) -> None:
    """Plain names, objects under several keys, a table; what is none of them gives no names."""
    assert voice_names(listed) == names


async def test_listed_voices_can_be_asked_for() -> None:
    """The configured one is the default, the others follow with the language that Kokoro's names tell."""
    server = OpenAIStyle(listed={"voices": ["af_sky", "bm_george", "ff_siwis"]}, known=("af_sky", "bm_george"))
    async with _started(server, voice="bm_george") as engine:
        voices = engine.voices()
        assert [(voice.name, voice.language) for voice in voices] == [
            ("bm_george", "en-GB"),
            ("af_sky", "en-US"),
            ("ff_siwis", "fr"),
        ]
        await _said(engine, TEXT, voices[1])
    assert server.asked[-1]["voice"] == "af_sky"


async def test_an_unknown_voice_is_found_at_the_start() -> None:
    """By the list where there is one, by the trial where there is none; the message names the setting."""
    listed = await _refused_start(OpenAIStyle(listed=["af_sky", "bm_george"]), voice="nobody")
    assert "has no voice 'nobody'; remedy: set UNAVOCE_OPENAI__VOICE to one of af_sky, bm_george" in listed
    tried = await _refused_start(OpenAIStyle(), voice="nobody")
    assert "Voice not found" in tried
    assert "UNAVOCE_OPENAI__VOICE" in tried


async def test_a_blend_of_listed_voices_is_known() -> None:
    """Kokoro-FastAPI mixes voices that are named with a sign between them; each part is checked."""
    blend = "af_bella(2)+af_sky(1)"
    server = OpenAIStyle(listed=["af_bella", "af_sky", "en-US-Aria"], known=(blend, "en-US-Aria"))
    for voice in (blend, "en-US-Aria"):
        async with _started(server, voice=voice) as engine:
            assert engine.voices()[0].name == voice
    assert "has no voice" in await _refused_start(server, voice="af_bella+nobody")


async def test_an_unknown_model_is_found_at_the_start() -> None:
    """The server's words and the setting stand in the message."""
    message = await _refused_start(OpenAIStyle(), model="tts-9")
    assert "Model 'tts-9' is not installed" in message
    assert message.endswith("remedy: correct UNAVOCE_OPENAI__MODEL")


@pytest.mark.parametrize("key", [None, "sk-another-one"])
async def test_a_refused_key_names_its_setting(key: str | None) -> None:
    """Missing or wrong: the remedy is the key, and the key is not shown."""
    message = await _refused_start(OpenAIStyle(key=KEY, listed=["alloy"]), api_key=key)
    assert message.endswith("remedy: correct UNAVOCE_OPENAI__API_KEY")
    assert "sk-another-one" not in message
    async with _started(OpenAIStyle(key=KEY, listed=["alloy"]), api_key=KEY) as engine:
        await _said(engine)
        assert KEY not in engine.detail + repr(engine.voices())


async def test_something_that_is_no_speech_server_is_named_so() -> None:
    """A web server that knows no such route, or answers everything with a page."""

    async def page(exchange: Exchange) -> None:
        await exchange.whole(b"<html>Welcome</html>")

    async def nothing(exchange: Exchange) -> None:
        await exchange.whole(b"<html>Not Found</html>", 404)

    assert (await _refused_start(nothing)).endswith("remedy: correct UNAVOCE_OPENAI__BASE_URL")
    assert "UNAVOCE_OPENAI__BASE_URL" in await _refused_start(page)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://host:8880", "http://host:8880/v1"),
        ("http://host:8880/", "http://host:8880/v1"),
        ("http://host:8880/v1", "http://host:8880/v1"),
        ("http://host:8880/v1/", "http://host:8880/v1"),
        ("http://host:8880/v1/audio/speech", "http://host:8880/v1"),
        ("https://host/proxy/api", "https://host/proxy/api"),
    ],
)
def test_the_base_url_may_come_with_or_without_v1(base_url: str, url: str) -> None:
    """As people copy it from a server's page."""
    assert api_url(base_url) == url


async def test_the_voice_says_what_made_it() -> None:
    """Model, server and revision are part of a voice; the price is the engine's."""
    async with serving(OpenAIStyle()) as url:
        first = _engine(url, cost_per_million_characters=15)
        others = [
            _engine(url, model="tts-1-hd"),
            _engine(url, revision="b"),
            _engine("http://127.0.0.1:9"),
            _engine("https://api.openai.com"),
        ]
    assert first.cost_per_million_characters == 15
    assert len({engine.voices()[0].model for engine in (first, *others)}) == 5


# -- speaking


async def test_speed_is_passed_on() -> None:
    """At the voice's own pace it is not mentioned; some servers know no other."""
    server = OpenAIStyle()
    async with _started(server) as engine:
        fast = await _said(engine, TEXT, replace(engine.voices()[0], speed=1.5))
    assert server.asked[-1]["speed"] == 1.5
    assert fast.duration_s == pytest.approx(0.06 * len(TEXT) / 1.5, rel=0.01)


@pytest.mark.parametrize("text", ["...", "", "x" * 4097])
async def test_what_no_server_takes_is_not_sent(text: str) -> None:
    """A text without words, or beyond the protocol's limit, is the caller's mistake."""
    server = OpenAIStyle()
    async with _started(server) as engine:
        asked = len(server.asked)
        with pytest.raises(EngineRefused):
            await _said(engine, text)
        with pytest.raises(EngineRefused, match="no voice 'nobody'"):
            await _said(engine, TEXT, Voice("openai", "nobody", "en"))
    assert len(server.asked) == asked


async def test_a_cancelled_call_frees_the_server_at_once() -> None:
    """The connection is closed, which these servers understand, and nothing more is handed on."""
    server = OpenAIStyle()
    async with _started(server) as engine:
        server.hold_at = 2
        speaking = asyncio.create_task(_said(engine))
        await server.held.wait()
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking
        await server.abandoned.wait()


async def test_an_answer_that_breaks_off_is_no_clip() -> None:
    """Bare samples have no length of their own: the connection's end tells."""
    server = OpenAIStyle()
    async with _started(server) as engine:
        server.cut_at = 3
        with pytest.raises(EngineError, match="broke the connection off"):
            await _said(engine)


async def test_a_server_that_comes_back_is_used_again() -> None:
    """A start that failed is tried again, and what was found out before is not asked again."""
    server = OpenAIStyle()
    async with serving(server) as url:
        engine = _engine(url)
        await engine.start()
    for call in (engine.start(), _said(engine)):
        with pytest.raises(EngineUnavailable, match="UNAVOCE_OPENAI__BASE_URL"):
            await call
    server.asked.clear()
    async with serving(server, int(url.rpartition(":")[2])):
        await engine.start()
        await _said(engine)
        await engine.close()
    assert [body["input"] for body in server.asked] == [TEXT]


async def test_a_start_does_not_wait_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the trial and stays silent is given up, and its connection closed."""
    monkeypatch.setattr(openai, "TRIAL_LIMIT_S", 0.01)
    server = OpenAIStyle(hold_at=0)
    assert "no whole sound within" in await _refused_start(server)


async def test_a_server_that_breaks_off_every_trial_is_named_so() -> None:
    """Neither format comes: the message says so and names what may be wrong."""

    async def play(exchange: Exchange) -> None:
        if exchange.method == "GET":
            await exchange.say({}, 404)
            return
        await exchange.head()
        raise BrokenOff

    assert "neither as wav nor as pcm" in await _refused_start(play)


# -- in a chain


async def test_the_next_engine_speaks_where_the_server_dies() -> None:
    """A server that breaks off in each sentence costs no word: the whole reply comes in the other engine's voice."""
    server = OpenAIStyle()

    async def dies(exchange: Exchange) -> None:
        if exchange.method == "POST" and exchange.json["input"] != TRIAL:
            await exchange.head()
            raise BrokenOff
        await server(exchange)

    async with serving(dies) as url:
        other = FakeEngine(FakeOptions(delay_s=0, real_time_factor=0))
        stage = Stage(Chain([_engine(url), other]), rehearse=False)
        async with Narrator(Settings(), stage) as narrator:
            chunks = [chunk async for chunk in narrator.speak("The kettle is on. Dinner is served.")]
    assert [(chunk.text, chunk.engine) for chunk in chunks] == [
        ("The kettle is on.", "fake"),
        ("Dinner is served.", "fake"),
    ]
