"""Seams: what the player makes of a real reply in a real browser is the sound of the reply and nothing else."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from tests.browser.conftest import Visiting
from tests.support.bidi import Bidi
from tests.support.client import decoded, listening
from tests.support.firefox import visiting_firefox
from tests.support.pages import serving_pages
from tests.support.player import PAGES
from tests.support.sound import Evaluates

TEXT = (
    "Good evening, sir. The kettle is on, and the paper has come. Rain is expected towards six o'clock; "
    "it will not last. Shall I lay the table in the garden room, or would you rather dine by the fire?"
)
SECONDS = 25
"""More than it takes to say that."""
ROUNDING = 1e-9
"""A start that is a millionth of a millionth of a frame off, as floats have it, lets a neighbour's share in."""
DECODERS = 1e-3
"""What two decoders of Opus may differ by (33 of 32,768 steps); a sample in the wrong place differs by far more."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rendered:
    """`samples` from the first chunk's beginning on; `seams`: where chunks meet in them, in frames."""

    samples: Samples
    seams: list[int]
    lengths: list[int]


async def spoken(url: str, format: str) -> list[dict[str, Any]]:
    """The chunks of a reply that says TEXT."""
    async with listening(url) as listener:
        reply_id = (await listener.ok("speak:start", {"format": format}))["replyId"]
        await listener.ok("speak:text", {"replyId": reply_id, "text": TEXT})
        await listener.ok("speak:end", {"replyId": reply_id})
        await listener.end(reply_id)
        return listener.chunks(reply_id)


async def rendered(page: Evaluates, chunks: list[dict[str, Any]], rate_hz: int) -> Rendered:
    """What a listener would hear of these chunks."""
    packed = [{**chunk, "audio": base64.b64encode(chunk["audio"]).decode()} for chunk in chunks]
    what = json.dumps([packed, rate_hz, SECONDS])
    answer = await page.evaluate("what => render(...JSON.parse(what)).then(JSON.stringify)", what)
    return checked(json.loads(answer), rate_hz)


def checked(answer: dict[str, Any], rate_hz: int) -> Rendered:
    assert answer["errors"] == []
    assert answer["underruns"] == 0
    samples = np.frombuffer(base64.b64decode(answer["samples"]), np.float32)
    starts = [round(start * rate_hz) for start in answer["starts"]]
    assert max(abs(start * rate_hz - frame) for start, frame in zip(answer["starts"], starts, strict=True)) < 1e-6
    length = starts[-1] + answer["lengths"][-1] - starts[0]
    assert not samples[: starts[0]].any()
    seams = [start - starts[0] for start in starts[1:]]
    return Rendered(samples[starts[0] : starts[0] + length], seams, answer["lengths"])


def check_seams(sound: Rendered, rate_hz: int) -> None:
    """No sample-to-sample step at a seam is larger than the voice's own, and no silence there was not meant."""
    steps = np.abs(np.diff(sound.samples))
    for seam in sound.seams:
        assert steps[seam - 1] <= np.quantile(steps, 0.999), f"a click at {seam / rate_hz:.3f} s"


async def test_wav_is_heard_sample_for_sample(visit: Visiting, real_server: str) -> None:
    """A reply's WAV chunks sound as their samples end to end: not one is missing, moved or changed."""
    chunks = await spoken(real_server, "wav")
    assert len(chunks) > 3
    async with serving_pages(PAGES) as url, visit(url) as someone:
        await someone.page.get_by_text("ready").wait_for()
        sound = await rendered(someone.page, chunks, 24_000)
    check_same(sound, [decoded(chunk).astype(np.float32) / np.float32(32_768) for chunk in chunks], ROUNDING)
    check_seams(sound, 24_000)


async def test_opus_is_heard_without_a_seam(visit: Visiting, real_server: str) -> None:
    """A reply's Opus chunks, each decoded alone, are as long as what was encoded and sound as libopus has them."""
    chunks = await spoken(real_server, "opus")
    assert len(chunks) > 3
    async with serving_pages(PAGES) as url, visit(url) as someone:
        await someone.page.get_by_text("ready").wait_for()
        sound = await rendered(someone.page, chunks, 48_000)
    check_same(sound, [decoded_opus(chunk) for chunk in chunks], DECODERS)
    check_seams(sound, 48_000)


async def test_firefox_hears_the_same(firefox: Bidi, real_server: str) -> None:
    """Firefox, with decoders and a mixer of its own, makes the same of both."""
    wav, opus = await spoken(real_server, "wav"), await spoken(real_server, "opus")
    async with serving_pages(PAGES) as url, visiting_firefox(firefox, url) as someone:
        await someone.page.seen("document.querySelector('output')?.textContent === 'ready'")
        sound = await rendered(someone.page, wav, 24_000)
        check_same(sound, [decoded(chunk).astype(np.float32) / np.float32(32_768) for chunk in wav], ROUNDING)
        sound = await rendered(someone.page, opus, 48_000)
        check_same(sound, [decoded_opus(chunk) for chunk in opus], DECODERS)


def check_same(sound: Rendered, pieces: list[Samples], tolerance: float) -> None:
    """The pieces end to end, but for the fade at the very end."""
    assert sound.lengths == [len(piece) for piece in pieces]
    assert sound.seams == list(np.cumsum(sound.lengths)[:-1])
    expected = np.concatenate(pieces)
    whole = slice(0, -480)
    assert np.abs(sound.samples[whole] - expected[whole]).max() < tolerance


def decoded_opus(chunk: dict[str, Any]) -> Samples:
    """An Ogg Opus file's samples at 48 kHz by libopus, which the browser's decoder is not. As floats: with 16 bits it
    bends what overshoots full scale, which no browser does."""
    with av.open(BytesIO(chunk["audio"])) as file:
        (stream,) = file.streams.audio
        decoder = av.CodecContext.create("libopus", "r")
        decoder.extradata = stream.codec_context.extradata
        decoder.options = {"request_sample_fmt": "flt"}
        packets = [packet if packet.size else None for packet in file.demux(stream)]
        frames = [frame for packet in packets for frame in decoder.decode(packet)]
    assert {frame.sample_rate for frame in frames} == {48_000}
    assert {frame.format.name for frame in frames} == {"flt"}
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32)
