"""The real server, killed in mid-sentence and started again on the same folder, parts of which are rubbish by then."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.support.client import joined, listening
from tests.support.clips import files, path_of
from tests.support.server import PATIENCE_S, _printed_address

from unavoce.cache.key import key_of
from unavoce.engines.base import Voice

VOICE = Voice("fake", "tone", "en")
SENTENCES = (
    "Good evening, sir.",
    "Dinner will be served at eight.",
    "The kettle is on.",
    "The lights are low in the hall.",
)
"""All of different lengths: a tone of the wrong one would be told."""
LONG = " ".join(f"This is sentence {'so ' * number}long." for number in range(1, 20))
SETTINGS = {
    "ENGINES": '["fake"]',
    "LLM__BASE_URL": "http://127.0.0.1:9/v1",  # no model is needed, and none is loaded
    "LLM__MODEL": "none",
    "PREWARM_PHRASES": "[]",
}


@contextmanager
def process(data_dir: Path, **settings: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`unavoce serve` with tones for a voice: its address, and the process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UNAVOCE_")}
    given = {"DATA_DIR": str(data_dir), **SETTINGS, **settings}
    environment |= {f"UNAVOCE_{name}": value for name, value in given.items()}
    command = [str(Path(sys.executable).with_name("unavoce")), "serve", "--port", "0"]
    with (data_dir.parent / f"{data_dir.name}.log").open("ab") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment)
        try:
            yield _printed_address(server, Path(log.name)), server
        finally:
            server.kill()
            server.communicate()


async def heard(url: str, text: str) -> list[dict[str, Any]]:
    """The chunks of a reply that says `text`."""
    async with listening(url) as listener:
        reply: str = (await listener.ok("speak:start", {}))["replyId"]
        await listener.ok("speak:text", {"replyId": reply, "text": text})
        await listener.ok("speak:end", {"replyId": reply})
        await listener.end(reply)
        return listener.chunks(reply)


async def killed_in_mid_reply(url: str, server: subprocess.Popen[bytes]) -> None:
    """Two listeners hear a long text; when each has heard of it the server is no more."""
    async with listening(url) as one, listening(url) as two:
        for listener in (one, two):
            reply: str = (await listener.ok("speak:start", {}))["replyId"]
            await listener.ok("speak:text", {"replyId": reply, "text": LONG})
            await listener.reach(reply, "chat:audio_chunk", 2)
        server.send_signal(signal.SIGKILL)
        await asyncio.to_thread(server.wait, PATIENCE_S)
        for listener in (one, two):
            await asyncio.wait_for(listener.gone.wait(), PATIENCE_S)


async def on_disk(data_dir: Path) -> None:
    """Every sentence's clip was written; that is done behind the speech."""
    wanted = {key_of(VOICE, sentence) for sentence in SENTENCES}
    async with asyncio.timeout(PATIENCE_S):
        while not wanted <= (await asyncio.to_thread(files, data_dir / "cache")).keys():
            pass


def samples(chunks: list[dict[str, Any]]) -> list[NDArray[np.int16]]:
    """Of each sentence, whose sound may come in several chunks."""
    return [joined(list(group)) for _, group in groupby(chunks, key=itemgetter("sentence"))]


def sources(chunks: list[dict[str, Any]]) -> list[str]:
    """Where the clip of each sentence came from."""
    each = [{chunk["cache"] for chunk in group} for _, group in groupby(chunks, key=itemgetter("sentence"))]
    return [" and ".join(sorted(one)) for one in each]


async def test_a_killed_server_says_the_right_thing_when_it_is_back(tmp_path: Path) -> None:
    """What is whole comes from disk, what was spoilt is made anew, and every sentence sounds as it does fresh."""
    data_dir, text = tmp_path / "data", " ".join(SENTENCES)
    fresh_dir = tmp_path / "fresh"
    for folder in (data_dir, fresh_dir):
        folder.mkdir()
    with process(fresh_dir, CACHE_MAX_BYTES="0", CACHE_MEMORY_BYTES="0") as (url, _):
        fresh = await heard(url, text)
    with process(data_dir) as (url, server):
        await heard(url, text)
        await on_disk(data_dir)
        await killed_in_mid_reply(url, server)
    spoil(data_dir / "cache")
    with process(data_dir) as (url, _):
        again = await heard(url, text)
        once_more = await heard(url, text)
    assert sources(fresh) == ["none"] * 4
    assert sources(again) == ["none", "disk", "none", "disk"]
    assert sources(once_more) == ["memory"] * 4
    for chunks in (again, once_more):
        assert all(np.array_equal(*pair) for pair in zip(samples(chunks), samples(fresh), strict=True))


def spoil(cache: Path) -> None:
    """The first sentence's file is rubbish, the third one's is the second one's."""
    paths = [path_of(cache, key_of(VOICE, sentence)) for sentence in SENTENCES]
    paths[0].write_bytes(b"RIFF" + os.urandom(20_000))
    paths[2].write_bytes(paths[1].read_bytes())
