"""The Wyoming door, asked with the protocol's own client: what comes, in which order, and what it sounds like."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from tests.support.server import RATE_HZ, quick_engine
from tests.support.wyoming import HomeAssistant, door, pcm, place, second_engine, talking
from wyoming.info import SelectProgram
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice

from unavoce.chain.chain import Chain
from unavoce.engines.absent import AbsentEngine
from unavoce.engines.fake import Step
from unavoce.errors import EngineUnavailable
from unavoce.server.wyoming.info import describe

TEXT = "Certainly, sir. The kettle is on. It sings."
PIECES = ("Certainly", ", sir. The ket", "tle is on.", " It ", "sings.")
PLAIN = ["audio-start", "audio-chunk", "audio-stop"]
STREAMED = [*PLAIN, "synthesize-stopped"]


async def test_a_text_is_spoken_in_the_order_that_clients_expect(data_dir: Path) -> None:
    """`synthesize` is answered with one start, the sound in moderate chunks, one stop; timestamps are its own time."""
    async with door(data_dir) as server, talking(server) as talker:
        heard = await talker.say(TEXT)
    assert heard.kinds == PLAIN
    assert len(heard.samples) > RATE_HZ // 2
    assert np.abs(heard.samples).max() > 1000
    assert {chunk.samples for chunk in heard.chunks} <= set(range(1, RATE_HZ // 10 + 1))
    ahead = np.cumsum([0, *(chunk.samples for chunk in heard.chunks)]) * 1000 / RATE_HZ
    assert [event.data["timestamp"] for event in heard.events[1:]] == [round(at) for at in ahead]


async def test_a_stream_sounds_as_the_whole_text_does(data_dir: Path) -> None:
    """However the text is cut, the same samples come, then `audio-stop` and `synthesize-stopped`; the copy of the text
    that clients send for older servers is not spoken again."""
    async with door(data_dir) as server, talking(server) as talker:
        whole, streamed = await talker.say(TEXT), await talker.stream(*PIECES)
    assert streamed.kinds == STREAMED
    assert np.array_equal(streamed.samples, whole.samples)


async def test_many_requests_on_one_connection(data_dir: Path) -> None:
    """Plain and streamed requests follow each other, also when all are written before the first answer is read."""
    async with door(data_dir) as server, talking(server) as talker:
        for _ in range(2):
            assert (await talker.stream(*PIECES)).kinds == STREAMED
            assert (await talker.say(TEXT)).kinds == PLAIN
        await talker.tell(Synthesize("One."), Synthesize("Two, and more of it."), Ping("three"))
        await talker.tell(SynthesizeStart(), SynthesizeChunk("Four."), SynthesizeStop())
        first, second = await talker.until("audio-stop"), await talker.until("audio-stop")
        pong = Pong.from_event(await talker.next())
        third = await talker.until("synthesize-stopped")
    assert [first.kinds, second.kinds, third.kinds] == [PLAIN, PLAIN, STREAMED]
    assert pong.text == "three"
    assert len(first.samples) < len(second.samples)


async def test_sound_leaves_while_text_still_comes(data_dir: Path) -> None:
    """The first sentence is heard before the second was written, and `ping` and `describe` are answered meanwhile."""
    async with door(data_dir) as server, talking(server) as talker:
        await talker.tell(SynthesizeStart(), SynthesizeChunk("Certainly, sir. The kettle"))
        assert (await talker.until("audio-chunk")).kinds == PLAIN[:2]
        await talker.tell(Ping())
        assert (await talker.until("pong")).codes == []
        await talker.tell(SynthesizeChunk(" is on."), SynthesizeStop())
        rest = await talker.until("synthesize-stopped")
    assert rest.kinds == STREAMED[1:]


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 48_000])
async def test_one_rate_for_all_of_it(data_dir: Path, rate_hz: int) -> None:
    """Start and chunks name the operator's rate, 16 bits and mono, where two engines of other rates speak in turn."""
    engine = quick_engine()
    engine.script = lambda _, spoken: Step(fail_after=0) if spoken.startswith("The") else Step()
    second = second_engine(rate_hz=11_025)
    running = door(data_dir, engine=engine, fallback=second, sample_rate_hz=rate_hz)
    async with running as server, talking(server) as talker:
        heard = await talker.stream(*PIECES)
    assert heard.kinds == STREAMED
    assert [call.spoken for call in second.calls[-2:]] == ["The kettle is on.", "It sings."]
    assert heard.formats == {(rate_hz, 2, 1)}


async def test_text_with_nothing_to_say_is_an_empty_sound(data_dir: Path) -> None:
    """Marks alone, or a stream without a word, end as any request does, so that nobody waits for ever."""
    async with door(data_dir) as server, talking(server) as talker:
        assert (await talker.say("***")).kinds == ["audio-start", "audio-stop"]
        assert (await talker.stream()).kinds == ["audio-start", "audio-stop", "synthesize-stopped"]


# -- voices


async def test_a_voice_is_found_by_name_speaker_or_language(data_dir: Path) -> None:
    """The engine of that voice is asked; `en_US` finds `en`, and a name goes before a language."""
    engine, second = quick_engine(voices=("amy", "joe")), second_engine(voices=("eva",), language="de-DE")
    wanted = [
        (SynthesizeVoice(name="joe"), ("fake", "joe")),
        (SynthesizeVoice(name="fake", speaker="joe"), ("fake", "joe")),
        (SynthesizeVoice(name="second/eva"), ("second", "eva")),
        (SynthesizeVoice(language="de"), ("second", "eva")),
        (SynthesizeVoice(language="de_AT"), ("second", "eva")),
        (SynthesizeVoice(language="en_US"), ("fake", "amy")),
        (None, ("fake", "amy")),
    ]
    async with door(data_dir, engine=engine, fallback=second) as server, talking(server) as talker:
        for (voice, expected), word in zip(wanted, ["a", "b", "c", "d", "e", "f", "g"], strict=True):
            assert (await talker.say(f"Say {word}.", voice)).kinds == PLAIN
            voices = [call.voice for call in (*engine.calls, *second.calls) if call.spoken == f"Say {word}."]
            assert [(one.engine, one.name) for one in voices] == [expected]


async def test_describe_tells_what_can_speak_now(data_dir: Path) -> None:
    """One program with every engine's voices, the default first, each found by its name; it takes streams."""
    engine, second = quick_engine(voices=("amy", "joe")), second_engine(voices=("joe", "eva"), language="de-DE")
    async with door(data_dir, engine=engine, fallback=second) as server, talking(server) as talker:
        program = await talker.program()
        names = [voice.name for voice in program.voices]
        for name in names:
            assert (await talker.say("Hello.", SynthesizeVoice(name=name))).kinds == PLAIN
        await talker.tell(SelectProgram(program.name), Ping())
        assert (await talker.next()).type == "pong"
    assert names == ["amy", "joe", "second/joe", "eva"]
    assert [voice.languages for voice in program.voices] == [["en"], ["en"], ["de-DE"], ["de-DE"]]
    assert program.installed
    assert program.supports_synthesize_streaming
    assert program.version == version("unavoce")
    assert all(voice.installed and voice.description and voice.attribution.name for voice in program.voices)


async def test_what_cannot_speak_is_not_called_installed() -> None:
    """An engine that could not start keeps its remembered voices in the list, and they are not installed."""
    chain = Chain([AbsentEngine.called("kokoro", EngineUnavailable("not there"))])
    assert not describe(chain).tts[0].installed
    chain = Chain([quick_engine(), second_engine(EngineUnavailable("not today"))])
    for engine in chain.engines:
        await chain.start(engine)
    (program,) = describe(chain).tts
    assert [(voice.name, voice.installed) for voice in program.voices] == [("tone", True), ("second/tone", False)]


# -- as Home Assistant does


async def test_home_assistant_speaks(data_dir: Path) -> None:
    """Home Assistant's sequence: describe, then a connection for each text, whose chunks are a whole WAV."""
    async with door(data_dir, engine=quick_engine(voices=("amy", "joe"))) as server, talking(server) as talker:
        home = HomeAssistant(*place(server.app.wyoming))
        await home.set_up()
        sound = await home.speak(TEXT, "joe")
        samples = (await talker.say(TEXT, SynthesizeVoice(name="joe"))).samples
    assert home.languages == {"en"}
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (RATE_HZ, 2, 1)
        assert np.array_equal(np.frombuffer(file.readframes(file.getnframes()), "<i2"), samples)


async def test_home_assistant_streams(data_dir: Path) -> None:
    """Home Assistant's streaming sequence: a WAV header and sound while the text is still being written, all of it,
    and the end."""
    more = asyncio.Event()

    async def pieces() -> AsyncIterator[str]:
        yield "Certainly, sir. The ket"
        await more.wait()
        yield "tle is on. It sings."

    async with door(data_dir) as server, talking(server) as talker:
        home = HomeAssistant(*place(server.app.wyoming))
        await home.set_up()
        assert home.program
        assert home.program.supports_synthesize_streaming
        parts = []
        async for part in home.stream(pieces()):
            parts.append(part)
            if len(parts) == 2:  # the header and some sound: only now the model says the rest
                more.set()
        whole = (await talker.say(TEXT)).samples
    with wave.open(io.BytesIO(parts[0])) as header:
        assert (header.getframerate(), header.getsampwidth(), header.getnchannels()) == (RATE_HZ, 2, 1)
    assert np.array_equal(pcm(parts), whole)
