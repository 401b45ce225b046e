"""Garbage for every door, one file per door: `async def throw(host, port, rng, count)`."""
