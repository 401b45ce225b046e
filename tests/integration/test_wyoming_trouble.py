"""What goes wrong at the Wyoming door is told with a code, ends the request properly, and harms nothing else."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from tests.support.server import quick_engine
from tests.support.wyoming import Talker, door, place, talking
from wyoming.event import Event
from wyoming.info import SelectProgram
from wyoming.ping import Ping
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeTextFormat,
    SynthesizeVoice,
)

from unavoce.engines.fake import Step

TEXT = "Certainly, sir. The kettle is on. It sings."
NOBODY = SynthesizeVoice(name="nobody")
PLAIN = ["audio-start", "audio-chunk", "audio-stop"]
STREAMED = [*PLAIN, "synthesize-stopped"]


async def test_an_unknown_voice_is_an_error_and_the_connection_goes_on(data_dir: Path) -> None:
    """By name, speaker or language: a code, a text that names the voices there are, the request's end."""
    strangers = (NOBODY, SynthesizeVoice(name="tone", speaker="nobody"), SynthesizeVoice(language="tlh"))
    async with door(data_dir) as server, talking(server) as talker:
        for stranger in (*strangers, SynthesizeVoice(name="n" * 5000)):
            heard = await talker.say(TEXT, stranger)
            assert (heard.kinds, heard.codes) == (["error", "audio-stop"], ["unknown_voice"])
        assert "tone" in (await talker.say(TEXT, NOBODY)).errors[0].text
        assert (await talker.say(TEXT)).kinds == PLAIN


async def test_a_stream_in_an_unknown_voice_ends_at_once(data_dir: Path) -> None:
    """The end is told before the text is complete; what still comes of that stream, the copy of the whole text too, is
    passed over, and the next requests are spoken."""
    async with door(data_dir) as server, talking(server) as talker:
        await talker.tell(SynthesizeStart(NOBODY))
        heard = await talker.until("synthesize-stopped")
        assert (heard.kinds, heard.codes) == (["error", "synthesize-stopped"], ["unknown_voice"])
        await talker.tell(SynthesizeChunk(TEXT), Synthesize(TEXT), SynthesizeStop(), Ping())
        assert (await talker.next()).type == "pong"
        assert (await talker.stream(TEXT)).kinds == STREAMED
        await talker.tell(SynthesizeStart(NOBODY))
        await talker.until("synthesize-stopped")
        assert (await talker.stream(TEXT)).kinds == STREAMED  # without a stop of the one before


@pytest.mark.parametrize(
    "event",
    [
        Event("synthesize"),
        Event("synthesize", {"text": 3}),
        Event("synthesize", {"text": "Hello.", "voice": ["tone"]}),
        Event("synthesize", {"text": "Hello.", "voice": {"name": {}}}),
        Synthesize("<speak>Hello.</speak>", text_format=SynthesizeTextFormat.SSML).event(),
    ],
)
async def test_a_request_that_makes_no_sense_has_an_end_too(data_dir: Path, event: Event) -> None:
    """Its fields are checked: `invalid`, then `audio-stop`; the next request is spoken."""
    async with door(data_dir) as server, talking(server) as talker:
        await talker.write_event(event)
        heard = await talker.until("audio-stop")
        assert (heard.kinds, heard.codes) == (["error", "audio-stop"], ["invalid"])
        assert (await talker.say(TEXT)).kinds == PLAIN


async def test_what_is_out_of_order_is_told_and_harms_nothing(data_dir: Path) -> None:
    """Chunks outside a stream, a stream within a stream, a chunk without text, a program that is not there: each is an
    error; the stream that is open is spoken whole. Events of other kinds are passed over."""
    async with door(data_dir) as server, talking(server) as talker:
        whole = (await talker.say(TEXT)).samples
        for event in (SynthesizeChunk(TEXT), SynthesizeStop(), SelectProgram("other")):
            await talker.tell(event)
            assert (await talker.next()).type == "error"
        await talker.tell(SynthesizeStart(), SynthesizeChunk("Certainly, sir. The"), SynthesizeStart(NOBODY))
        await talker.write_event(Event("synthesize-chunk", {"text": None}))
        await talker.write_event(Event("transcribe", {"text": "what?"}))
        await talker.tell(SynthesizeChunk(" kettle is on. It sings."), SynthesizeStop())
        heard = await talker.until("synthesize-stopped")
    assert heard.codes == ["invalid", "invalid"]
    assert np.array_equal(heard.samples, whole)


async def test_texts_are_bounded(data_dir: Path) -> None:
    """Empty and over-long texts are refused; of a stream what fits is spoken, the rest passed over."""
    async with door(data_dir, max_message_chars=60, max_reply_chars=60) as server, talking(server) as talker:
        for text, code in (("", "empty"), (" \n", "empty"), (2 * TEXT, "too_long")):
            heard = await talker.say(text)
            assert (heard.kinds, heard.codes) == (["error", "audio-stop"], [code])
        heard = await talker.stream(TEXT, TEXT, "More.")
        assert heard.codes == ["too_long"]
        assert np.array_equal(heard.samples, (await talker.say(TEXT)).samples)


async def test_its_replies_count_in_the_servers_limit(data_dir: Path) -> None:
    """While as many replies run as may, a request is refused as busy."""
    async with door(data_dir, max_replies=1) as server, talking(server) as one, talking(server) as other:
        await one.tell(SynthesizeStart(), SynthesizeChunk(TEXT))
        await one.until("audio-chunk")
        assert (await other.say(TEXT)).codes == ["busy"]
        await one.tell(SynthesizeStop())
        await one.until("synthesize-stopped")
        assert (await other.say(TEXT)).kinds == PLAIN


async def test_a_sentence_that_nobody_can_speak_is_told(data_dir: Path) -> None:
    """The others are heard; then the error, then the end."""
    engine = quick_engine()
    engine.script = lambda _, spoken: Step(fail_after=0) if spoken.startswith("The") else Step()
    async with door(data_dir, engine=engine) as server, talking(server) as talker:
        heard = await talker.stream(TEXT)
    assert heard.kinds == ["audio-start", "audio-chunk", "error", "audio-stop", "synthesize-stopped"]
    assert heard.codes == ["speech_failed"]


async def test_a_stream_that_falls_silent(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was received is spoken, the reason told, the connection closed: what came later could not be told apart."""
    monkeypatch.setattr("unavoce.chat.speech_input.IDLE_S", 0.1)
    async with door(data_dir) as server, talking(server) as talker:
        await talker.tell(SynthesizeStart(), SynthesizeChunk("Certainly, sir. The kettle is"))
        heard = await talker.until("synthesize-stopped")
        assert heard.kinds == ["audio-start", "audio-chunk", "error", "audio-stop", "synthesize-stopped"]
        assert heard.codes == ["idle_timeout"]
        assert await talker.closed() == []


async def test_the_server_stops(data_dir: Path) -> None:
    """A reply that is broken off says so and has its end; idle connections are closed; nothing is left."""
    async with AsyncExitStack() as clients:
        async with door(data_dir) as server:
            speaking, idle = Talker(*place(server.app.wyoming)), Talker(*place(server.app.wyoming))
            for talker in (speaking, idle):
                await clients.enter_async_context(talker)
            await speaking.tell(SynthesizeStart(), SynthesizeChunk("Certainly, sir. The kettle"))
            await speaking.until("audio-chunk")
            await idle.tell(Ping())
            await idle.until("pong")
        heard = await speaking.until("synthesize-stopped")
        assert heard.kinds[-3:] == ["error", "audio-stop", "synthesize-stopped"]
        assert heard.codes == ["ended"]
        assert await speaking.closed() == await idle.closed() == []
