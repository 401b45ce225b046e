"""What a connection can raise, in the words of a narrator."""

from __future__ import annotations

from unavoce.errors import EngineUnavailable, RequestError, UnavoceError

_NOT_THERE = frozenset({"disconnected", "no_answer", "stopping", "too_slow"})


def translated(error: RequestError) -> UnavoceError:
    """A server that cannot be reached is an engine that is not there; what it refused stays as it is."""
    return EngineUnavailable(error.message) if error.code in _NOT_THERE else error
