"""All doors at once: the long run of `make bench ARGS=fuzz`, for a few seconds, and what it takes for a fault."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from bench import fuzz
from bench.fuzz import Outcome, Thrown, Vitals, all_doors, faults_in, judged

WELL = Vitals(resident_mb=100.0, files=9, threads=6, connections=0, replies=0)


@pytest.mark.skipif(sys.platform != "linux", reason="it looks at the server's process in /proc")
async def test_garbage_at_every_door_at_once_disturbs_nobody(data_dir: Path) -> None:
    """A real process stays well, and clients that do nothing wrong hear what they heard before, sample for sample."""
    outcome = await all_doors(data_dir, 2.0)
    assert outcome.all_faults == []
    assert all(one.rounds for one in outcome.thrown.values())


async def test_another_sound_than_before_is_a_fault() -> None:
    """It is noted, and the next round goes on."""

    async def listen() -> bytes:
        return b"other"

    good = Thrown()
    await fuzz._again(good, time.monotonic() + 0.01, partial(fuzz._compared, listen, b"sound"))
    assert good.rounds == len(good.faults) > 0
    assert Outcome({"good": good}).all_faults[0] == "good: AssertionError: 5 bytes of sound, not the 5 of before"


@pytest.mark.parametrize(
    ("after", "fault"),
    [
        (replace(WELL, files=12), "files"),
        (replace(WELL, threads=17), "threads"),
        (replace(WELL, resident_mb=120.0), "memory"),
        (replace(WELL, files=11, threads=16, resident_mb=114.0), None),
    ],
)
def test_what_grew_is_a_fault(after: Vitals, fault: str | None) -> None:
    """Files, threads and memory are to be where they were, or nearly."""
    found = judged({"before": WELL, "half": WELL, "after": after})
    assert [one.partition(":")[0] for one in found] == ([fault] if fault else [])


def test_a_run_that_was_not_seen_to_its_end_is_a_fault() -> None:
    """Without a last look nothing is known."""
    assert judged({"before": WELL, "half": WELL})


@pytest.mark.parametrize(
    ("log", "faults"),
    [
        ('{"level": "info", "event": "reply_done"}\n', 0),
        ('{"level": "error", "event": "handler_crashed"}\n', 1),
        ("Traceback (most recent call last):\n", 1),
        ('{"level": "info", "event": "x", "key": "sesame"}\n', 1),
    ],
)
def test_a_log_holds_neither_crashes_nor_secrets(log: str, faults: int) -> None:
    """Each error, traceback and secret in it is one."""
    assert len(faults_in(log, ["sesame"])) == faults
