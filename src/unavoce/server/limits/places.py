"""A number of places, in all and for each address."""

from __future__ import annotations

from collections.abc import Container

from unavoce.server.limits.addresses import group


class Places:
    """`exempt`: addresses with no limit of their own, since many people come from there: trusted proxies."""

    def __init__(self, total: int, each: int, exempt: Container[str] = ()) -> None:
        self._total = total
        self._each = each
        self._exempt = exempt
        self._of: dict[str, int] = {}
        self.taken = 0

    def free_for(self, address: str) -> bool:
        has_own = self._of.get(group(address), 0) < self._each or address in self._exempt
        return self.taken < self._total and has_own

    def take(self, address: str) -> bool:
        """Whether there was one; if so it is to be given back."""
        if not self.free_for(address):
            return False
        key = group(address)
        self._of[key] = self._of.get(key, 0) + 1
        self.taken += 1
        return True

    def give_back(self, address: str) -> None:
        key = group(address)
        self.taken -= 1
        self._of[key] -= 1
        if not self._of[key]:
            del self._of[key]
