"""The engine `elevenlabs` against a stand-in written from its documentation; the service itself is not reached here."""

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
from tests.support.speech_servers import RATE_HZ, ElevenLabsStyle, Exchange, Handler, serving, tone

from unavoce.audio.pcm import Pcm
from unavoce.cores import Cores
from unavoce.engines.base import EngineContext, Voice
from unavoce.engines.elevenlabs import ElevenLabsEngine, ElevenLabsOptions
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable

KEY = "el-secret"
RACHEL = "21m00Tcm4TlvDq8ikWAM"
SARAH = "EXAVITQu4vr4xnSDxMaL"
VOICES = {"Rachel": RACHEL, "Sarah - Mature, Reassuring": SARAH}
TEXT = "Good evening, sir. Dinner will be served at eight."


def _engine(url: str, **options: Any) -> ElevenLabsEngine:
    given = {"base_url": url, "api_key": KEY, "voice": "Rachel"} | options
    return ElevenLabsEngine(ElevenLabsOptions(**given), EngineContext(Path("/nonexistent"), Cores()))


@asynccontextmanager
async def _started(handler: Handler, **options: Any) -> AsyncIterator[ElevenLabsEngine]:
    async with serving(handler) as url, started(_engine(url, **options)) as engine:
        yield engine


async def _refused_start(handler: Handler, **options: Any) -> str:
    """The message of the EngineUnavailable that `start` raises."""
    return await refused(_started(handler, **options), KEY)


async def _said(engine: ElevenLabsEngine, text: str = TEXT, voice: Voice | None = None) -> Pcm:
    return await said(engine, text, voice)


async def test_it_streams_bare_samples() -> None:
    """The request names voice, model and format as the documentation says, and the sound comes out whole."""
    there = ElevenLabsStyle(voices=VOICES)
    async with _started(there, cost_per_million_characters=50) as engine:
        sound = await _said(engine)
        assert engine.detail == f"ElevenLabs, model eleven_flash_v2_5, voice Rachel ({RACHEL})"
        assert engine.cost_per_million_characters == 50
    assert sound.rate_hz == RATE_HZ
    assert np.array_equal(sound.samples, tone(TEXT, RACHEL))
    assert there.asked == [
        {"text": TEXT, "model_id": "eleven_flash_v2_5", "voice_id": RACHEL, "output_format": "pcm_24000"}
    ]


@pytest.mark.parametrize("voice", [SARAH, "Sarah - Mature, Reassuring", "sarah"])
async def test_a_voice_is_found_by_name_or_id(voice: str) -> None:
    """The whole name, its first word as people call it, in any case, or the id; its id is part of the voice."""
    there = ElevenLabsStyle(voices=VOICES)
    async with _started(there, voice=voice) as engine:
        first, second = engine.voices()
        assert (first.name, first.speaker) == ("Sarah - Mature, Reassuring", SARAH)
        await _said(engine)
        await _said(engine, TEXT, second)
        await _said(engine, TEXT, _engine("http://127.0.0.1:9", voice=voice).voices()[0])  # as named before the start
    assert [body["voice_id"] for body in there.asked] == [SARAH, RACHEL, SARAH]


async def test_two_voices_of_one_name_are_told_apart() -> None:
    """The first goes by the name, the other by its id."""

    async def there(exchange: Exchange) -> None:
        await exchange.say({"voices": [{"name": "Twin", "voice_id": id_} for id_ in ("a1", "b2")] + [{"name": "x"}, 7]})

    async with _started(there, voice="b2") as engine:
        assert [(voice.name, voice.speaker) for voice in engine.voices()] == [("b2", "b2"), ("Twin", "a1")]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"voice": "Nobody"}, "has no voice 'Nobody'; remedy: set UNAVOCE_ELEVENLABS__VOICE to one of Rachel, Sarah"),
        ({"voice": ""}, "none was chosen; remedy: set UNAVOCE_ELEVENLABS__VOICE to one of Rachel, Sarah"),
        ({"api_key": None}, "ElevenLabs asks for a key; remedy: set UNAVOCE_ELEVENLABS__API_KEY"),
        ({"api_key": "el-wrong"}, "answered 401: Invalid API key; remedy: correct UNAVOCE_ELEVENLABS__API_KEY"),
    ],
)
async def test_a_wrong_setting_is_found_at_the_start(options: dict[str, Any], expected: str) -> None:
    """Each is named with what there is to choose from."""
    assert expected in await _refused_start(ElevenLabsStyle(voices=VOICES), **options)


async def test_a_key_that_may_only_speak_needs_an_id() -> None:
    """Keys can be made that may not list voices: an id is taken as it is, a name cannot be looked up."""
    there = ElevenLabsStyle(may_list=False)
    async with _started(there, voice=RACHEL) as engine:
        await _said(engine)
        assert engine.detail.endswith(f"voice {RACHEL}")
    assert "set UNAVOCE_ELEVENLABS__VOICE to a voice's id" in await _refused_start(there, voice="Rachel")


async def test_something_else_behind_the_url_is_named_so() -> None:
    """A page, or a server without that route."""

    async def page(exchange: Exchange) -> None:
        await exchange.whole(b"<html>Welcome</html>")

    async def nothing(exchange: Exchange) -> None:
        await exchange.whole(b"", 404)

    for handler in (page, nothing):
        assert "correct UNAVOCE_ELEVENLABS__BASE_URL" in await _refused_start(handler)


def _detail(status: str, message: str = "As it is.", **more: str) -> dict[str, Any]:
    return {"detail": {"status": status, "message": message, **more}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "remedy"),
    [
        (401, _detail("quota_exceeded"), EngineUnavailable, "add credit to the account or change its plan"),
        (401, _detail("x", type="t", code="quota_exceeded"), EngineUnavailable, "add credit to the account"),
        (402, _detail("paid_plan_required"), EngineUnavailable, "change its plan"),
        (401, _detail("invalid_api_key"), EngineUnavailable, "correct UNAVOCE_ELEVENLABS__API_KEY"),
        (401, _detail("detected_unusual_activity"), EngineUnavailable, "correct UNAVOCE_ELEVENLABS__API_KEY"),
        (404, _detail("voice_not_found"), EngineUnavailable, "correct UNAVOCE_ELEVENLABS__VOICE"),
        (400, _detail("invalid_parameters", param="model_id"), EngineUnavailable, "correct UNAVOCE_ELEVENLABS__MODEL"),
        (400, _detail("max_character_limit_exceeded"), EngineRefused, ""),
        (422, {"detail": [{"loc": ["body", "text"], "msg": "bad", "input": TEXT}]}, EngineRefused, ""),
        (429, _detail("concurrent_limit_exceeded"), EngineError, ""),
        (500, _detail("internal"), EngineError, ""),
    ],
)
async def test_each_error_is_named_with_its_remedy(
    status: int, body: dict[str, Any], kind: type[EngineError], remedy: str
) -> None:
    """What money, a key or a setting mends counts and says so; what may be tried again counts; a caller's mistake does
    not. Neither the text nor the key is in any message."""
    async with _started(ElevenLabsStyle(refuses=(status, body))) as engine:
        with pytest.raises(EngineError) as caught:
            await _said(engine)
    message = str(caught.value)
    assert type(caught.value) is kind
    assert f"answered {status}: " in message
    assert remedy in message.partition("; remedy: ")[2]
    assert bool(remedy) == ("; remedy: " in message)
    assert TEXT not in message
    assert KEY not in message


@pytest.mark.parametrize(("speed", "sent"), [(1.1, 1.1), (2.0, 1.2), (0.5, 0.7)])
async def test_speed_is_kept_within_what_the_service_can(speed: float, sent: float) -> None:
    """Rather the nearest pace than none; at the voice's own pace its stored settings are left alone."""
    there = ElevenLabsStyle()
    async with _started(there) as engine:
        await _said(engine, TEXT, replace(engine.voices()[0], speed=speed))
        await _said(engine)
    assert there.asked[0]["voice_settings"] == {"speed": sent}
    assert "voice_settings" not in there.asked[1]


@pytest.mark.parametrize("text", ["...", "", "x" * 5001])
async def test_what_costs_and_says_nothing_is_not_sent(text: str) -> None:
    """A text without words or beyond the limit, and a voice that is not there, are the caller's mistakes."""
    there = ElevenLabsStyle()
    async with _started(there) as engine:
        with pytest.raises(EngineRefused):
            await _said(engine, text)
        with pytest.raises(EngineRefused, match="no voice 'nobody'"):
            await _said(engine, TEXT, Voice("elevenlabs", "nobody", "en"))
    assert there.asked == []


async def test_a_cancelled_call_closes_the_connection() -> None:
    """Which is all that the service needs to stop."""
    there = ElevenLabsStyle(hold_at=2)
    async with _started(there) as engine:
        speaking = asyncio.create_task(_said(engine))
        await there.held.wait()
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking
        await there.abandoned.wait()


async def test_an_answer_that_breaks_off_is_no_clip() -> None:
    """Bare samples have no length of their own: the connection's end tells."""
    async with _started(ElevenLabsStyle(cut_at=3)) as engine:
        with pytest.raises(EngineError, match="broke the connection off"):
            await _said(engine)
