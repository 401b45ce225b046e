"""How often one address may ask."""

from __future__ import annotations

from starlette.types import Scope

from unavoce.server.limits.addresses import address_of, group
from unavoce.server.limits.buckets import Buckets
from unavoce.server.limits.paths import HEALTHZ
from unavoce.server.limits.refusals import Refusal


class Rates:
    """Every request counts but `/healthz`, which must not fail because of somebody else behind the same address."""

    def __init__(self, max_requests_per_s: float) -> None:
        self._buckets = Buckets(max_requests_per_s)

    def check(self, scope: Scope) -> Refusal | None:
        if scope["path"] == HEALTHZ or not (wait_s := self._buckets.take(group(address_of(scope)))):
            return None
        return Refusal(429, "too_many", "too many requests from this address; try again in a moment", wait_s)
