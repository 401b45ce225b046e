"""A WebSocket to the Socket.IO door that sends what no client would."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Sequence

import websockets
from tests.fuzz.http_bytes import exchanged
from tests.support.raw import bare_socket

FRAMES: list[str | bytes] = [
    *["", "4", "42", "42[", "42{}", "42[]", "42[1]", "42[null]", '42[["chat:send"]]', '42[{"a":1}]', '42["chat:send"'],
    *["0", "1", "2", "2probe", "3", "3probe", "5", "6", "7", "9", "x", "b", "bAAAA", "b!!!", "\x00", "\ufeff4", "é"],
    *["40", "40{}", "40[]", "40/other,", "40/other,{}", "41", "41/other,", "43", "43[]", "431[]", "43999[1,2,3]"],
    *["44", '44{"message":"x"}', "45", "451-", '451-["chat:send",{"_placeholder":true,"num":0}]', "46", "461-[]", "47"],
    *['452-["chat:send",{"_placeholder":true,"num":7}]', '451-["chat:send",{"_placeholder":true,"num":"x"}]'],
    *['459999999999-["x"]', '42/admin,["chat:send",{}]', "42" + "1" * 200 + '["chat:send"]', "4" + "[" * 50_000],
    *['42["connect",{},{"apiKey":"mine"}]', '42["disconnect","x"]', '42["disconnect"]', '42["*",1]', '42["*"]'],
    *["42" + "[" * 100_000, '42["chat:send",' + "9" * 5_000 + "]", '42["chat:send",NaN,-Infinity]', "2" + "[" * 50_000],
    *[b"", b"\x00", b"chat:send", b"\xff" * 1_000, bytes(range(256))],
]


def mutated(rng: random.Random) -> str | bytes:
    """A proper frame with a few characters changed, lost or doubled."""
    frame = list(
        rng.choice(
            ['421["chat:send",{"message":"x"}]', '40{"apiKey":"mine"}', '451-["a",{"_placeholder":true,"num":0}]']
        )
    )
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(frame))
        frame[place : place + rng.choice([0, 1, 1])] = rng.choice(["", "0", "9", '"', "[", "}", "\x1e", "-", "/", "é"])
    text = "".join(frame)
    return text.encode() if rng.random() < 0.2 else text


async def throw(host: str, port: int, rng: random.Random, count: int, *, key: str = "") -> None:
    """`count` connections, one after the other: frames that are no Engine.IO, or bytes that are no WebSocket."""
    for _ in range(count):
        if rng.random() < 0.5:
            frames = [mutated(rng) if rng.random() < 0.7 else rng.choice(FRAMES) for _ in range(rng.choice((1, 3, 20)))]
            await send(f"http://{host}:{port}", frames, key)
        else:
            await exchanged(host, port, [HANDSHAKE, *wire_garbage(rng)], rng.choice(("finish", "close", "reset")))


async def send(url: str, frames: Sequence[str | bytes], key: str = "mine") -> None:
    """Connect and send frames until the server has had enough."""
    with contextlib.suppress(websockets.ConnectionClosed, websockets.InvalidHandshake, ConnectionError):
        async with bare_socket(url) as bare:
            await bare.send("40" + json.dumps({"apiKey": key}))
            for frame in frames:
                await bare.send(frame)


# -- below Engine.IO

HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def wire_garbage(rng: random.Random) -> list[bytes]:
    """Frames of a WebSocket (RFC 6455, 5.2), of which something is not as it should be."""
    return [_frame(rng) for _ in range(rng.choice((1, 2, 30)))]


def _frame(rng: random.Random) -> bytes:
    first = rng.choice((0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8A, 0x09, 0x83, 0xC1, 0xF1, rng.randrange(256)))
    payload = rng.choice((b"", b"2probe", b"40", b'42["chat:nothing"]', b"\xff\xfe", b"\x03\xe8x", rng.randbytes(200)))
    length = rng.choice((len(payload), len(payload), len(payload), 0, 125, 126, 127))
    extended = {126: rng.choice((b"\x00\x01", b"\xff\xff")), 127: rng.choice((b"\xff" * 8, b"\x00" * 7 + b"\x01"))}
    is_masked = rng.random() < 0.8
    mask = rng.randbytes(4) if is_masked else b""
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload)) if is_masked else payload
    length = min(length, 127)
    return bytes((first, length | (0x80 if is_masked else 0))) + extended.get(length, b"") + mask + masked
