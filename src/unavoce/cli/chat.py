"""`unavoce chat`: a conversation in the terminal. Ctrl-C stops the reply, Ctrl-D ends the conversation."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from unavoce.cli import options
from unavoce.cli.address import server_url
from unavoce.cli.lines import open_lines
from unavoce.cli.link import Link
from unavoce.cli.player import Player
from unavoce.cli.terminal import visible
from unavoce.cli.turn import Turn
from unavoce.errors import RequestError
from unavoce.settings import load_settings

FRAMES_PER_S = 20
BELOW = 3
"""Lines of the terminal left free below a reply that is taller than the window."""


@click.command("chat")
@click.option("--url", metavar="URL", help="The server (default: where `unavoce serve` listens).")
@click.option("--api-key", metavar="KEY", help="Where the server asks for one (default: from the settings).")
@options.config
def command(url: str | None, api_key: str | None, config: Path | None) -> None:
    """Talk to a server. Ctrl-C stops the reply, Ctrl-D ends the conversation."""
    settings = load_settings(config)
    own_key = settings.api_keys[0].get_secret_value() if settings.api_keys and not url else None
    asyncio.run(_converse(url or server_url(settings), api_key or own_key))


async def _converse(url: str, api_key: str | None) -> None:
    await Conversation(url, api_key).run()


class Conversation:
    """Asks for lines, shows and plays the replies, until the end of input."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self._console = Console(highlight=False)
        self._player = Player(self._note)
        self._link = Link(url, api_key, self._player.hear, self._note)

    async def run(self) -> None:
        try:
            await self._link.connect()
            async with self._player, aclosing(open_lines()) as lines:
                await self._talk(lines)
        finally:
            await self._link.close()

    async def _talk(self, lines: AsyncGenerator[str, None]) -> None:
        async for line in lines:
            if not line.strip():
                continue
            try:
                await self._reply(line)
            except RequestError as error:
                self._note(error.message)

    async def _reply(self, message: str) -> None:
        stop = asyncio.Event()
        with _ctrl_c(stop.set):
            turn = await self._link.send(message)
            frames = self._frames(turn, stop)
            async with aclosing(frames):
                await (self._show(turn, frames) if self._console.is_terminal else _print(turn, frames))
        for fault in turn.faults:
            self._note(fault)

    async def _frames(self, turn: Turn, stop: asyncio.Event) -> AsyncGenerator[float, None]:
        """The time of each frame until the reply is over; the last is when it is. Aborts it when `stop` is set."""
        while not turn.over(now := time.monotonic()):
            yield now
            if stop.is_set():
                stop.clear()
                self._player.stop()
                await self._link.abort()
            await asyncio.sleep(1 / FRAMES_PER_S)
        yield now

    async def _show(self, turn: Turn, frames: AsyncIterable[float]) -> None:
        """The reply as it comes, the sentence being spoken marked; at the end it stays as plain text."""
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            async for now in frames:
                live.update(_fitted(marked(turn, now), self._console), refresh=True)
        cut_off = Text("" if turn.reason == "complete" else " ■", style="dim")
        self._console.print(Text(visible(turn.text.rstrip())) + cut_off, end="\n\n")

    def _note(self, line: str) -> None:
        console = self._console if self._console.is_terminal else Console(stderr=True)
        console.print(Text(f"· {visible(line)}", style="dim"))


async def _print(turn: Turn, frames: AsyncIterable[float]) -> None:
    """For a pipe or a file: the text as it comes and nothing else."""
    shown = 0
    async for _ in frames:
        sys.stdout.write(turn.text[shown:])
        sys.stdout.flush()
        shown = len(turn.text)
    sys.stdout.write("\n")
    sys.stdout.flush()


def marked(turn: Turn, now: float) -> Text:
    """The reply's text at `now`: what was spoken, what is being spoken, what is still to come."""
    if not turn.text:
        return Text("…", style="dim")
    before, speaking, after = map(visible, turn.parts(now))
    return Text.assemble(before, (speaking, "bold reverse"), (after, "dim"))


def _fitted(text: Text, console: Console) -> Text:
    """The last lines of a text that is taller than the window, so that what is new stays in sight."""
    lines = text.wrap(console, console.width)
    return Text("\n").join(lines[-max(1, console.height - BELOW) :])


@contextmanager
def _ctrl_c(act: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C calls `act` on the event loop instead of ending the program."""
    loop = asyncio.get_running_loop()
    before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(act))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
