"""API keys: compared in constant time, never kept or logged in the clear."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from unavoce.errors import RequestError


class Keys:
    """The keys that open the doors; with none set every door is open."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._digests = [_digest(key) for key in keys]

    def admit_bearer(self, authorization: str) -> str:
        """The same for an HTTP header `Authorization: Bearer KEY`."""
        scheme, _, key = authorization.partition(" ")
        return self.admit(key.strip() if scheme.lower() == "bearer" else None)

    def admit(self, key: object) -> str:
        """Who the holder of `key` is: the key's digest, or "" where no keys are set. Raises RequestError."""
        if not self._digests:
            return ""
        offered = _digest(key if isinstance(key, str) else "")
        # No early exit: the time taken tells nothing of which key, if any, was near.
        known = [hmac.compare_digest(offered, digest) for digest in self._digests]
        if not any(known):
            raise RequestError("unauthorised", "an API key is needed: as auth {apiKey}, or as Authorization: Bearer")
        return offered


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
