"""Standard input as a stream: every piece at once, every byte once, in any encoding state."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unavoce.cli.pipe import PIECES_AHEAD, READ_BYTES, read_text


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for fd in (read, write):
        with suppress(OSError):
            os.close(fd)


async def test_each_piece_comes_before_the_next_is_written(pipe: tuple[int, int]) -> None:
    """A word can be spoken while its writer still thinks about the next."""
    read, write = pipe
    async with aclosing(read_text(read)) as pieces:
        for word in ("one ", "two ", "drei ü"):
            os.write(write, word.encode())
            assert await anext(pieces) == word
        os.close(write)
        assert [piece async for piece in pieces] == []


async def test_an_unread_pipe_makes_its_writer_wait(pipe: tuple[int, int]) -> None:
    """Only a bounded number of pieces is read ahead: the rest stays in the pipe."""
    read, write = pipe
    os.set_blocking(write, False)
    written = 0
    async with aclosing(read_text(read)) as pieces:
        assert os.write(write, b"x") == 1
        assert await anext(pieces) == "x"
        for _ in range(20 * PIECES_AHEAD):
            with suppress(BlockingIOError):
                written += os.write(write, b"x" * READ_BYTES)
            await asyncio.to_thread(lambda: None)  # lets the reading thread run
    # One piece may be in the reader's hand and one buffer's worth in the pipe itself.
    assert READ_BYTES < written <= (PIECES_AHEAD + 3) * READ_BYTES


async def test_a_reader_that_stops_early_leaves_nothing_running(pipe: tuple[int, int]) -> None:
    """Closing the stream does not wait for a writer that never writes again."""
    read, write = pipe
    os.write(write, b"first")
    async with aclosing(read_text(read)) as pieces:
        assert await anext(pieces) == "first"


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    """`say - < file` works: a file is not a pipe, but reads like one."""
    path = tmp_path / "text"
    path.write_text("Grüße. " * 50_000)
    with path.open() as file:
        assert "".join([piece async for piece in read_text(file.fileno())]) == "Grüße. " * 50_000


async def test_a_descriptor_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """A closed standard input is said to be one, and is not taken for an empty text."""
    fd = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(IsADirectoryError):
        await anext(read_text(fd))
    os.close(fd)


@given(st.lists(st.binary(max_size=20), max_size=8))
@settings(max_examples=50)
def test_the_text_does_not_depend_on_how_the_bytes_fell(pieces: list[bytes]) -> None:
    """A character cut between two reads, or malformed, comes out as if all bytes had come at once."""

    async def read() -> str:
        reading, writing = os.pipe()
        try:
            stream = read_text(reading)
            text = asyncio.ensure_future(_joined(stream))
            for piece in pieces:
                os.write(writing, piece)
                await asyncio.to_thread(lambda: None)
            os.close(writing)
            return await text
        finally:
            os.close(reading)

    assert asyncio.run(read()) == b"".join(pieces).decode("utf-8", "replace")


async def _joined(stream: object) -> str:
    return "".join([piece async for piece in stream])  # type: ignore[attr-defined]
