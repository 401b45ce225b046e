"""Which name the server answers to. A page of the internet can give its own name the address of this machine ("DNS
rebinding"), and is then of the same origin; the name in `Host` gives it away."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

from starlette.types import Scope

from unavoce.outbound import is_loopback
from unavoce.server.limits.refusals import Refusal

PRIVATE_ENDINGS = ".local", ".lan", ".home.arpa", ".internal", ".localdomain"
"""Names that the public DNS does not give away (RFC 6762, RFC 8375, ICANN's reserved `.internal`)."""


class Hosts:
    """`bound`: the address the server listens on. `keyed`: who has no key gets nothing, under any name."""

    def __init__(self, allowed: Sequence[str], bound: str, *, keyed: bool) -> None:
        self._allowed = allowed
        self._loopback = is_loopback(bound)
        self._anyone = "*" in allowed or (keyed and not self._loopback and not allowed)
        self._own = {bound.lower(), socket.gethostname().lower()}

    def check(self, scope: Scope) -> Refusal | None:
        host = _header(scope, b"host")
        if host is None or self._anyone or self._answers_to(name := name_in(host)):
            return None  # no browser leaves it out
        message = (
            f"this server does not answer to the name {name[:100]!r}; its operator can add it to UNAVOCE_ALLOWED_HOSTS"
        )
        return Refusal(421, "unknown_host", message)

    def _answers_to(self, name: str) -> bool:
        if is_loopback(name) or any(_matches(name, pattern) for pattern in self._allowed):
            return True
        # Who listens on one machine only is reached through a proxy at most, whose names the operator knows.
        return not self._loopback and (name in self._own or _is_address(name) or _is_private(name))


def name_in(host: str) -> str:
    """The name in a `Host` header: without port, brackets and the root's dot, in small letters."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).removesuffix(".")


def _matches(name: str, pattern: str) -> bool:
    pattern = pattern.removesuffix(".")
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern.strip("[]")


def _is_address(name: str) -> bool:
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _is_private(name: str) -> bool:
    """A name of this network: one word, or with an ending that nobody can buy."""
    return "." not in name or name.endswith(PRIVATE_ENDINGS)


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)
