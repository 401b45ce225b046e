"""Garbage for every door, one file per door: `async def throw(host, port, rng, count)`. Each raises AssertionError
where the server answered as it should not."""

from __future__ import annotations

import random


def chance(number: int) -> random.Random:
    """The same garbage for the same number."""
    return random.Random(number)  # noqa: S311 - nothing here is a secret
