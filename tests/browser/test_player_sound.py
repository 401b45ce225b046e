"""unavoce-player by itself in a real browser: what is heard is what was sent, to the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.browser.conftest import Visiting
from tests.support.browser import Visit
from tests.support.client import joined, listening
from tests.support.server import RATE_HZ, ScriptedModel, quick_engine, running_server
from tests.support.sound import Sampled, as_played, heard_part

SENTENCES = [f"This is sentence number {number}, sir. " for number in range(1, 4)]
TWO_STEPS = 2 / 32768
FADE_MS = 5
"""The player's last milliseconds, where nothing follows."""

# Says a message, and comes back when the answer has been heard. It plays once all of it is on the clock, so that no
# machine is too slow for it.
TALK = """async (options) => {
  const [{ Conversation }, { io }] = await Promise.all([
    import("/player/unavoce-player.js"), import("/vendor/socket.io.esm.min.js"),
  ]);
  let play, chunks;
  let started = 0;
  const playWhenReady = () => started === chunks && play();
  const createContext = (sampleRate) => {
    const context = new AudioContext({ sampleRate });
    context.suspend();
    // The player asks at once.
    play = context.resume.bind(context);
    context.resume = async () => {};
    return context;
  };
  const { start } = AudioBufferSourceNode.prototype;
  AudioBufferSourceNode.prototype.start = function (...when) {
    started += 1;
    playWhenReady();
    return start.apply(this, when);
  };
  const conversation = new Conversation({ io, createContext });
  await conversation.connect();
  conversation.on("audioDone", ({ totalChunks }) => {
    chunks = totalChunks;
    playWhenReady();
  });
  const heard = new Promise((resolve) => conversation.on("speaking", ({ sentence }) => sentence === null && resolve()));
  await conversation.send("Talk", options);
  await heard;
  return conversation.sound.underruns;
}"""


async def sent(url: str, **options: object) -> Sampled:
    """The reply's own sound, as another client has it."""
    async with listening(url) as listener:
        _, reply = await listener.say("Talk", **options)
        await listener.end(reply)
        return as_played(joined(listener.chunks(reply)))


async def talked(someone: Visit, **options: object) -> Sampled:
    """What was heard of a reply that ran without a gap."""
    assert await someone.page.evaluate(TALK, options) == 0
    return heard_part(await someone.sound.samples())


@pytest.mark.parametrize("pieces", [1, 3])
async def test_every_sample_is_heard_once_and_in_its_place(visit: Visiting, data_dir: Path, pieces: int) -> None:
    """A reply of several sentences, whole or in pieces, sounds as one: no sample missing, none added, no seam."""
    model = ScriptedModel(otherwise=SENTENCES)
    async with running_server(data_dir, model=model, engine=quick_engine(pieces=pieces, s_per_char=0.01)) as server:
        wanted = heard_part(await sent(server.url))
        async with visit(server.url) as someone:
            heard = await talked(someone)
    end = wanted.size - RATE_HZ * FADE_MS // 1000
    assert np.array_equal(heard[:end], wanted[:end])
    assert heard.size <= wanted.size


async def test_opus_is_heard_without_a_seam(visit: Visiting, data_dir: Path) -> None:
    """Decoded by the browser, Opus has the samples that another decoder finds, but for the decoders' rounding."""
    model, engine = ScriptedModel(otherwise=SENTENCES), quick_engine(pieces=3, s_per_char=0.01)
    async with running_server(data_dir, model=model, engine=engine, sample_rate_hz=48_000) as server:
        wanted = heard_part(await sent(server.url, format="opus"))
        async with visit(server.url) as someone:
            heard = await talked(someone, format="opus")
            rate_hz = await someone.sound.rate_hz()
    end = wanted.size - rate_hz * FADE_MS // 1000
    assert np.allclose(heard[:end], wanted[:end], atol=TWO_STEPS)
