"""HTTP to servers that an operator named: the client, a bounded body, what a server said. One way for all rooms."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT_S: Final = 10.0
_LONGEST: Final = 200


def http_client(url: str, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """A client for the server at `url`. Reads certificates from disk: call it off the event loop.

    Only connecting is limited in time; the caller knows how long an answer may take.
    """
    from http.cookiejar import CookieJar, DefaultCookiePolicy  # noqa: PLC0415 - as httpx, which needs it

    import httpx  # noqa: PLC0415 - 60 ms that only a configured server needs

    return httpx.AsyncClient(
        headers={"Accept-Encoding": "identity", **headers},
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a server could fill the memory with them
        follow_redirects=False,  # a redirect would carry what is said to a host nobody chose
        trust_env=not is_loopback(urlsplit(url).hostname or ""),  # no proxy for this machine
    )


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address) is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def shown(url: str) -> str:
    """Host and port of `url`: without the name and password that may stand in it."""
    return urlsplit(url).netloc.rpartition("@")[2]


def brief(text: str, *secrets: str) -> str:
    """A server's message on one line of at most 200 characters, with `secrets` blotted out."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "…")
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _LONGEST]).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
