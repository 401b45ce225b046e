"""Who can reach the server without a key, and how the operator is told."""

from __future__ import annotations

import sys

from unavoce.outbound import is_loopback
from unavoce.settings import Settings

REMEDY = "set UNAVOCE_API_KEYS, or UNAVOCE_HOST=127.0.0.1"


def is_open(settings: Settings) -> bool:
    """Whether others can reach the server, and need no key."""
    return not settings.api_keys and not is_loopback(settings.host)


def warn(settings: Settings) -> None:
    """Say on standard error, in a frame, that anyone may use this server, where that is so."""
    if is_open(settings):
        sys.stderr.write(framed(_warning(settings)))
        sys.stderr.flush()


def framed(lines: list[str]) -> str:
    """In plain characters: any terminal and any log shows them."""
    width = max(map(len, lines))
    edge = "*" * (width + 6)
    return "\n".join(["", edge, *(f"*  {line.ljust(width)}  *" for line in lines), edge, "", ""])


def _ports(settings: Settings) -> str:
    wyoming = settings.wyoming_port
    return f"{settings.port}" if wyoming is None else f"{settings.port} (and {wyoming}, Wyoming)"


def _warning(settings: Settings) -> list[str]:
    where = "every network of this machine" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return [
        "WARNING: this server is open to anyone who can reach it.",
        "",
        f"It listens on {where}, port {_ports(settings)}, and no API key is set:",
        "whoever reaches that port can talk to your language model, hear what it",
        "says, and use up what your speech engines cost.",
        "",
        "To ask for a key:      UNAVOCE_API_KEYS=<a long random word>",
        "For this machine only: UNAVOCE_HOST=127.0.0.1",
        "More: docs/security.md",
    ]
