"""`unavoce say`: speaks a text, or standard input as it arrives, without a server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterable
from pathlib import Path

import click

from unavoce.audio.files import SoundFile
from unavoce.cli import options
from unavoce.cli.card import Sink, SoundCard
from unavoce.cli.pipe import read_text
from unavoce.cli.terminal import visible
from unavoce.errors import RequestError
from unavoce.library import Narrator
from unavoce.settings import Settings, load_settings


@click.command("say")
@click.argument("text")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write FILE.wav, .flac or .ogg instead of playing.",
)
@click.option("--voice", metavar="V", help="One of `unavoce voices` (default: the first of them).")
@click.option(
    "--speed",
    type=click.FloatRange(0.5, 2.0),
    default=1.0,
    metavar="X",
    help="Pace: 1.0 is the voice's own, 2.0 twice as fast.",
)
@options.config
def command(text: str, output: Path | None, voice: str | None, speed: float, config: Path | None) -> None:
    """Speak TEXT; `-` reads standard input and speaks while it is still being written."""
    settings = load_settings(config)
    with _sink(output, settings.sample_rate_hz) as sink:
        # Left outside the event loop: what is still to be played is waited for where Ctrl-C is heard at once.
        spoken_s = asyncio.run(_say(settings, text, sink, voice, speed))
    if output:
        _tell(f"{output}: {spoken_s:.1f} s of sound")


def _sink(output: Path | None, rate_hz: int) -> Sink:
    return SoundFile(output, rate_hz) if output else SoundCard(rate_hz)


async def _say(settings: Settings, text: str, sink: Sink, voice: str | None, speed: float) -> float:
    """Speak into `sink`; the sound's duration in seconds."""
    tokens: str | AsyncIterable[str] = read_text(sys.stdin.fileno()) if text == "-" else text
    spoken_s = 0.0
    async with Narrator.from_settings(settings) as narrator:
        await narrator.ready()  # here nobody listens yet: better the wanted voice than an early one
        async for chunk in narrator.speak(tokens, voice=voice, speed=speed):
            spoken_s += chunk.duration_s
            if chunk.text:
                _tell(f"  {visible(chunk.text.strip())}")
            # Encoding, a slow disk and a full sound card all wait, and the loop has synthesis to mind.
            await asyncio.to_thread(sink.write, chunk.samples)
    if not spoken_s:
        raise RequestError("empty_message", "there is nothing to say in this text")
    return spoken_s


def _tell(line: str) -> None:
    """Progress is for people: only a terminal gets it."""
    if sys.stderr.isatty():
        click.echo(line, err=True)
