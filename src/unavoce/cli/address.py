"""Where a server with these settings is found."""

from __future__ import annotations

from unavoce.settings import Settings

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a server that listens everywhere is also here


def server_url(settings: Settings) -> str:
    """The address at which it is reached from this machine."""
    host = _ANY.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
