"""How uvicorn is set up."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from unavoce.server.limits.places import Places
from unavoce.server.limits.protocols import Patience, patient
from unavoce.server.sockets.door import MAX_PACKET_BYTES
from unavoce.settings import Settings


def web_config(app: Any, settings: Settings) -> uvicorn.Config:
    """For the server of `app`, which says itself how long requests are given when it stops."""
    http, websocket = patient(
        Patience(connection_places(settings), settings.request_timeout_s, settings.send_timeout_s)
    )
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        http=http,
        ws=websocket,
        ws_max_size=MAX_PACKET_BYTES,
        # Speech as PCM hardly shrinks, and shrinking it would hold up every other reply.
        ws_per_message_deflate=False,
        # The gate does it, for the proxies that the operator named; uvicorn would believe anybody on this machine.
        proxy_headers=False,
        server_header=False,
    )


def connection_places(settings: Settings) -> Places:
    """Places for connections, or for transports, as the operator set them."""
    return Places(settings.max_connections, settings.max_connections_per_address, trusted(settings))


def trusted(settings: Settings) -> Container[str]:
    """Addresses of proxies: many people come from there."""
    return ProxyHeadersMiddleware(lambda *_: None, list(settings.trusted_proxies)).trusted_hosts  # type: ignore[arg-type, return-value]
