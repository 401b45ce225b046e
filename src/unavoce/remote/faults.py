"""What a server's refusal means to whoever listens to a narrator."""

from __future__ import annotations

from unavoce.errors import EngineUnavailable, RequestError, UnavoceError

_GOING = frozenset({"stopping", "too_slow"})


def translated(error: UnavoceError) -> UnavoceError:
    """A server that is closing, as a whole or this connection, is an engine that is not there; all else stays."""
    if isinstance(error, RequestError) and error.code in _GOING:
        return EngineUnavailable(error.message)
    return error
