"""Asking a speech server over real HTTP: sound as it comes, and everything that can go wrong with it."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from tests.support.speech_servers import BrokenOff, Exchange, Handler, Sounding, open_wav, serving, tone, until

from unavoce.audio.pcm import Pcm
from unavoce.audio.wav import WavReader, wav_bytes
from unavoce.engines import remote
from unavoce.engines.incoming import PcmReader
from unavoce.engines.remote import SpeechServer
from unavoce.errors import EngineError, EngineRefused, EngineUnavailable, ImplausibleAudio

KEY = "sk-very-secret"
TEXT = "My pin is four seven one one, tell nobody."
CLIP = tone(TEXT, "a")
BARE = CLIP.astype("<i2").tobytes()


def _server(url: str, **options: Any) -> SpeechServer:
    return SpeechServer(url, **{"setting": "some-engine", "secret": KEY, **options})


@asynccontextmanager
async def _against(handler: Handler, **options: Any) -> AsyncIterator[SpeechServer]:
    async with serving(handler) as url:
        server = _server(url, **options)
        try:
            yield server
        finally:
            await server.close()


async def _speak(server: SpeechServer, pieces: list[Pcm] | None = None, **request: Any) -> list[Pcm]:
    pieces = [] if pieces is None else pieces
    await server.speak("POST", "/say", WavReader(), pieces.append, **({"json": {"text": TEXT}} | request))
    return pieces


@pytest.mark.parametrize("size", [0, 36, 0xFFFFFFFF])
async def test_sound_is_handed_on_as_it_comes(size: int) -> None:
    """The first piece is out while the server still holds the rest back, and all of it is the sound that was sent."""
    server_side = Sounding(hold_at=3)

    async def play(exchange: Exchange) -> None:
        await server_side.stream(exchange, open_wav(CLIP, 24_000, size), "text/html")

    async with _against(play) as server:
        pieces: list[Pcm] = []
        speaking = asyncio.create_task(_speak(server, pieces))
        await server_side.held.wait()
        await until(lambda: pieces)
        assert not speaking.done()
        server_side.go.set()
        await speaking
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), CLIP)
    assert {piece.rate_hz for piece in pieces} == {24_000}


@pytest.mark.parametrize("cut_at", [0, 1, 3])
@pytest.mark.parametrize("data", [open_wav(CLIP, 24_000), wav_bytes(CLIP, 24_000)])
async def test_a_broken_connection_is_an_error(cut_at: int, data: bytes) -> None:
    """Before the first byte or in the middle, with a known length or without: never a short clip; the cause is kept."""
    server_side = Sounding(cut_at=cut_at)

    async def play(exchange: Exchange) -> None:
        await server_side.stream(exchange, data, "audio/wav")

    async with _against(play) as server:
        with pytest.raises(EngineError, match="broke the connection off") as caught:
            await _speak(server)
    assert isinstance(caught.value.__cause__, httpx.RemoteProtocolError)
    assert not isinstance(caught.value, EngineUnavailable)


async def test_a_wav_that_is_shorter_than_promised_is_an_error() -> None:
    """Also where the connection ended in good order."""

    async def play(exchange: Exchange) -> None:
        await exchange.whole(wav_bytes(CLIP, 24_000)[:-1000])

    async with _against(play) as server:
        with pytest.raises(ImplausibleAudio, match="1000 bytes of its sound are missing"):
            await _speak(server)


@pytest.mark.parametrize("body", [b'{"error": "out of memory"}', b"<html>Sign in</html>"])
@pytest.mark.parametrize("reader", [WavReader, lambda: PcmReader(24_000)])
async def test_text_with_status_200_is_no_sound(body: bytes, reader: Any) -> None:
    """A login page or an error that calls itself a success is not handed on as noise."""

    async def play(exchange: Exchange) -> None:
        await exchange.whole(body, kind="audio/wav")

    async with _against(play) as server:
        heard: list[Pcm] = []
        with pytest.raises(ImplausibleAudio):
            await server.speak("POST", "/say", reader(), heard.append)
        assert heard == []


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (400, EngineRefused, ""),
        (413, EngineRefused, ""),
        (422, EngineRefused, ""),
        (401, EngineUnavailable, "UNAVOCE_SOME_ENGINE__API_KEY"),
        (403, EngineUnavailable, "UNAVOCE_SOME_ENGINE__API_KEY"),
        (402, EngineUnavailable, "UNAVOCE_SOME_ENGINE__API_KEY"),
        (404, EngineUnavailable, "UNAVOCE_SOME_ENGINE__URL"),
        (405, EngineUnavailable, "UNAVOCE_SOME_ENGINE__URL"),
        (429, EngineError, ""),
        (500, EngineError, ""),
        (503, EngineError, ""),
    ],
)
async def test_each_status_has_its_error(status: int, kind: type[EngineError], remedy: str) -> None:
    """Callers' mistakes, wrong settings and the server's faults are told apart; the server's words come along, without
    the key and without what was to be spoken."""

    async def play(exchange: Exchange) -> None:
        await exchange.say({"detail": f"no: {KEY} asked for {TEXT}"}, status)

    async with _against(play) as server:
        with pytest.raises(EngineError) as caught:
            await _speak(server)
    message = str(caught.value)
    assert type(caught.value) is kind
    assert f"answered {status}: no: … asked for …" in message
    assert remedy in message.partition("; remedy: ")[2]
    assert bool(remedy) == ("; remedy: " in message)


@pytest.mark.parametrize(
    "request_", [{"json": {"input": TEXT}}, {"params": {"text": TEXT}}, {"data": {"text": TEXT}}, {"content": TEXT}]
)
async def test_what_was_to_be_spoken_is_never_repeated(request_: dict[str, Any]) -> None:
    """However the text was sent, a server that repeats it does not bring it into an error's message."""

    async def play(exchange: Exchange) -> None:
        await exchange.say({"detail": [{"loc": ["body"], "msg": f"bad: {TEXT}", "input": TEXT}]}, 422)

    async with _against(play) as server:
        with pytest.raises(EngineRefused) as caught:
            await server.speak("POST", "/say", WavReader(), lambda _: None, **request_)
    assert "pin" not in str(caught.value)
    assert "body: bad: …" in str(caught.value)


async def test_a_redirect_is_not_followed() -> None:
    """The text goes to nobody the operator has not named; the remedy is the URL."""
    elsewhere: list[Exchange] = []

    async def other(exchange: Exchange) -> None:
        elsewhere.append(exchange)
        await exchange.whole(b"")

    async with serving(other) as there:

        async def play(exchange: Exchange) -> None:
            await exchange.head(307, location=f"{there}/say")
            await exchange.end()

        async with _against(play) as server:
            with pytest.raises(EngineUnavailable, match="UNAVOCE_SOME_ENGINE__URL"):
                await _speak(server)
    assert elsewhere == []


async def test_an_endless_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """More bytes than any sentence has, as sound or as anything else, are an error and not a full memory."""
    monkeypatch.setattr(remote, "MAX_SOUND_BYTES", 100_000)
    monkeypatch.setattr(remote, "MAX_BODY_BYTES", 100_000)

    async def play(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.part(open_wav(CLIP, 24_000))
        while not exchange.gone.is_set():
            await exchange.part(BARE)

    async with _against(play) as server:
        with pytest.raises(ImplausibleAudio, match="more than any sentence"):
            await _speak(server)
        with pytest.raises(ImplausibleAudio, match="more than any sentence"):
            await server.ask("GET", "/voices")


async def test_packed_answers_are_not_unpacked() -> None:
    """Nothing compressed was asked for: a small body can unpack to a very large one."""

    async def play(exchange: Exchange) -> None:
        assert exchange.headers["accept-encoding"] == "identity"
        await exchange.head(content_encoding="gzip")
        await exchange.part(gzip.compress(open_wav(CLIP, 24_000)))
        await exchange.end()

    async with _against(play) as server:
        with pytest.raises(ImplausibleAudio, match="gzip data unasked"):
            await _speak(server)


async def _cancelled(server: SpeechServer, held: Sounding) -> tuple[asyncio.Task[list[Pcm]], list[Pcm]]:
    """A call that was cancelled in mid-sound, when some of it had been handed on."""
    pieces: list[Pcm] = []
    speaking = asyncio.create_task(_speak(server, pieces))
    await held.held.wait()
    await until(lambda: pieces)
    speaking.cancel()
    for _ in range(10):  # the cancellation reaches the call in a later turn of the loop
        await asyncio.sleep(0)
    return speaking, pieces


def _holding(server_side: Sounding) -> Handler:
    async def play(exchange: Exchange) -> None:
        await server_side.stream(exchange, open_wav(CLIP, 24_000), "audio/wav")

    return play


async def test_a_cancelled_call_returns_when_the_server_has_finished() -> None:
    """A server that goes on is heard out before its slot is given away, and nothing more is handed on."""
    server_side = Sounding(hold_at=3)
    async with _against(_holding(server_side)) as server:
        speaking, pieces = await _cancelled(server, server_side)
        handed_on = len(pieces)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not speaking.done()
        server_side.go.set()
        with pytest.raises(asyncio.CancelledError):
            await speaking
    assert (server_side.finished, server_side.abandoned.is_set()) == (1, False)
    assert len(pieces) == handed_on


async def test_a_second_cancellation_closes_the_connection() -> None:
    """Whoever does not want to wait for the server does not have to."""
    server_side = Sounding(hold_at=3)
    async with _against(_holding(server_side)) as server:
        speaking, pieces = await _cancelled(server, server_side)
        handed_on = len(pieces)
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking
        await server_side.abandoned.wait()
        assert len(pieces) == handed_on


async def test_where_closing_is_enough_a_cancelled_call_closes() -> None:
    """A server that stops when nobody listens is free at once."""
    server_side = Sounding(hold_at=3)
    async with _against(_holding(server_side), finishes=False) as server:
        speaking, _ = await _cancelled(server, server_side)
        with pytest.raises(asyncio.CancelledError):
            await speaking
        await server_side.abandoned.wait()


async def test_an_abandoned_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never finishes holds a cancelled call only for the limit."""
    monkeypatch.setattr(remote, "ABANDONED_LIMIT_S", 0.01)
    server_side = Sounding(hold_at=3)
    async with _against(_holding(server_side)) as server:
        speaking, _ = await _cancelled(server, server_side)
        with pytest.raises(asyncio.CancelledError):
            await speaking
        await server_side.abandoned.wait()


async def test_a_cancelled_call_swallows_what_still_goes_wrong() -> None:
    """The server breaks off after the cancellation: the caller sees a cancellation, and no error is left unread."""
    server_side = Sounding(hold_at=3, cut_at=4)
    async with _against(_holding(server_side)) as server:
        speaking, _ = await _cancelled(server, server_side)
        server_side.go.set()
        with pytest.raises(asyncio.CancelledError):
            await speaking


async def test_sound_that_the_caller_refuses_ends_the_call() -> None:
    """What `emit` raises comes out as it is, and the connection is closed."""
    server_side = Sounding(hold_at=4)

    def refuse(_: Pcm) -> None:
        raise ImplausibleAudio("too much")

    async with _against(_holding(server_side)) as server:
        with pytest.raises(ImplausibleAudio, match=r"^too much$"):
            await server.speak("POST", "/say", WavReader(), refuse)
        await server_side.abandoned.wait()


async def test_a_silent_server_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that is not answered ends with an error that names the setting."""
    monkeypatch.setattr(remote, "ASK_LIMIT_S", 0.01)

    async def play(exchange: Exchange) -> None:
        await exchange.gone.wait()

    async with _against(play) as server:
        with pytest.raises(EngineUnavailable, match=r"silent too long; remedy: .*UNAVOCE_SOME_ENGINE__URL") as caught:
            await server.ask("GET", "/voices")
    assert isinstance(caught.value.__cause__, TimeoutError)


async def test_a_server_that_is_not_there_names_its_setting() -> None:
    """A refused connection says where, and what to do; the password in the URL is not shown."""
    server = _server("http://user:hush@127.0.0.1:9/base", url_entry="BASE_URL")
    for call in (server.ask("GET", "/voices"), _speak(server)):
        with pytest.raises(EngineUnavailable) as caught:
            await call
        assert "cannot reach the server at 127.0.0.1:9 (" in str(caught.value)
        assert str(caught.value).endswith("; remedy: start it, or correct UNAVOCE_SOME_ENGINE__BASE_URL")
        assert "hush" not in str(caught.value)
        assert isinstance(caught.value.__cause__, httpx.ConnectError)
    await server.close()


async def test_a_port_with_something_else_behind_it_names_its_setting() -> None:
    """What answers in another protocol is not asked again and again: the URL is wrong."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as other:
        server = _server(f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}")
        with pytest.raises(EngineUnavailable, match=r"remedy: .*UNAVOCE_SOME_ENGINE__URL"):
            await server.ask("GET", "/voices")
        await server.close()


async def test_an_answer_is_read_whatever_its_status() -> None:
    """`ask` judges nothing: status, bytes and JSON are the caller's to read, and no JSON is None."""

    async def play(exchange: Exchange) -> None:
        if exchange.path == "/broken":
            await exchange.head()
            raise BrokenOff
        await exchange.say({"path": exchange.path}, 418)

    async with _against(play, headers={"X-Key": KEY}) as server:
        answer = await server.ask("GET", "/voices", params={"a": "b"})
        assert (answer.status, answer.json()) == (418, {"path": "/voices"})
        assert remote.Answer(200, b"<html>").json() is None
        with pytest.raises(EngineUnavailable, match="broke the connection off"):
            await server.ask("GET", "/broken")


async def test_a_closed_server_can_be_asked_again() -> None:
    """`close` frees the connections, and a later call makes new ones."""

    async def play(exchange: Exchange) -> None:
        await exchange.say([])

    async with _against(play) as server:
        for _ in range(2):
            assert (await server.ask("GET", "/")).json() == []
            await server.close()


def test_nothing_heavy_is_loaded_with_the_engines() -> None:
    """Whoever does not use a server does not wait for its client: httpx comes with the first question."""
    modules = ("piper_http", "openai", "elevenlabs")
    program = f"import sys, {', '.join(f'unavoce.engines.{name}' for name in modules)}; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
