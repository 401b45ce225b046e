"""How the server's own socket is set up."""

from __future__ import annotations

import asyncio
import socket

from unavoce.server.serving import listen


async def test_small_chunks_are_not_held_back() -> None:
    """Connections to the server have Nagle's algorithm off: it would keep a small chunk for up to 40 ms."""
    nodelay: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nodelay.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listen("127.0.0.1", 0) as listening:
        async with await asyncio.start_server(connected, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            assert await nodelay
            writer.close()
