"""Connections that end while the server stops."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from uvicorn.server import ServerState
from websockets.protocol import State

from unavoce.server.limits.protocols import HttpProtocol, WebSocketProtocol
from unavoce.server.limits.web import web_config
from unavoce.settings import Settings


@pytest.mark.parametrize("state", [State.OPEN, State.CLOSING, State.CLOSED])
async def test_a_stop_while_a_websocket_closes_is_no_crash(state: State) -> None:
    """The server stops in the very moment in which a client leaves: the connection ends, and nothing is raised."""
    config = web_config(None, Settings())
    config.load()
    assert isinstance(config.ws_protocol_class, type)
    assert issubclass(config.ws_protocol_class, WebSocketProtocol)
    protocol = config.ws_protocol_class(config, ServerState(), {})
    protocol.transport = Mock()
    protocol.handshake_complete = True
    protocol.conn.state = state
    protocol.shutdown()
    protocol.transport.close.assert_called_once()


async def test_a_stop_beside_a_request_that_was_none_is_no_crash() -> None:
    """A connection that was answered with 400 and whose client has not taken it yet is closed like any other."""
    config = web_config(None, Settings())
    config.load()
    assert isinstance(config.http_protocol_class, type)
    assert issubclass(config.http_protocol_class, HttpProtocol)
    protocol = config.http_protocol_class(config, ServerState(), {})
    protocol.transport = Mock()
    protocol.conn.send_failed()
    protocol.shutdown()
    protocol.transport.close.assert_called_once()
