"""The lines a person types: edited at a terminal, or read from a pipe."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator

from unavoce.cli.pipe import read_text
from unavoce.errors import StartError

PROMPT = "you > "


def open_lines() -> AsyncGenerator[str, None]:
    """The lines of standard input until its end (Ctrl-D). Raises StartError when the editor is not installed."""
    return _edited() if sys.stdin.isatty() and sys.stdout.isatty() else _piped(sys.stdin.fileno())


async def _edited() -> AsyncGenerator[str, None]:
    """With history and a line editor; Ctrl-C empties the line, as in a shell."""
    try:
        from prompt_toolkit import PromptSession  # noqa: PLC0415 - an extra, needed for this alone
    except ImportError:
        raise StartError("chat needs a line editor: pip install 'unavoce[chat]'") from None
    session: PromptSession[str] = PromptSession(PROMPT)
    while True:
        try:
            yield await session.prompt_async()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


async def _piped(fd: int) -> AsyncGenerator[str, None]:
    rest = ""
    async for text in read_text(fd):
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            yield line
    if rest:
        yield rest
