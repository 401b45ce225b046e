"""Cheap stacks for asyncio's debug mode, which is on in every test.

In debug mode each handle, future and task remembers where it was made. Python's own `extract_stack` looks at the file
of every frame on the disk for that (through the watch for blocking calls) and reads its lines: more than half of the
time of a test with a server. Here the same files, lines and functions are remembered, as deep as asyncio's own handles
remember them, and the text of the lines is read when somebody prints them.
"""

from __future__ import annotations

import traceback
from asyncio.constants import DEBUG_STACK_DEPTH
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from types import FrameType
from unittest.mock import patch


@contextmanager
def quick_stacks() -> Iterator[None]:
    """`traceback.extract_stack`, and asyncio's own, are cheap within the block; tracebacks of errors are as ever."""
    with patch.object(traceback.StackSummary, "extract", _extract):
        yield


def _extract(
    frames: Iterable[tuple[FrameType, int]], *, limit: int | None = None, **_shown: bool
) -> traceback.StackSummary:
    innermost_first = islice(frames, limit or DEBUG_STACK_DEPTH)
    kept = [
        traceback.FrameSummary(frame.f_code.co_filename, line, frame.f_code.co_name, lookup_line=False)
        for frame, line in innermost_first
    ]
    return traceback.StackSummary(kept)
