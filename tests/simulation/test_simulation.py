"""Thousands of evenings on a virtual clock. Replay one with SIMULATION_SEED=<number> pytest tests/simulation."""

from __future__ import annotations

import logging
import os

import pytest
from tests.simulation.world import simulate

SEEDS = 2_000
BLOCK = 100


@pytest.mark.parametrize("block", range(0, SEEDS, BLOCK))
def test_every_seed_holds_the_invariants(block: int) -> None:
    """Order, one end, quiet after stop, bounds, once is enough and text first hold, whatever people and engines do."""
    logging.disable(logging.CRITICAL)
    try:
        for seed in _seeds(block):
            try:
                simulate(seed)
            except BaseException as error:
                raise AssertionError(f"seed {seed}: replay with SIMULATION_SEED={seed}") from error
    finally:
        logging.disable(logging.NOTSET)


def _seeds(block: int) -> range:
    """The block's seeds, or the one that is to be replayed."""
    replayed = os.environ.get("SIMULATION_SEED")
    return range(block, block + BLOCK) if replayed is None else range(int(replayed), int(replayed) + 1)
