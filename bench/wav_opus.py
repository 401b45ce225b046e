"""What it costs to send Opus instead of WAV: time, CPU and bytes of real speech, in this process and by spawning
ffmpeg, and how much of a small piece is Ogg's own."""

from __future__ import annotations

import asyncio
import resource
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import soxr  # type: ignore[import-untyped]

from bench.figures import Spread, paired_ratio
from bench.report import Grid, Report
from bench.speakers import piper_voice
from bench.turns import rotated
from unavoce.audio.ogg import PACKET
from unavoce.audio.opus import DECODED_HZ, OpusPieces, load_opus, opus_bytes
from unavoce.audio.pcm import Samples
from unavoce.audio.wav import wav_bytes

RATE_HZ = 24_000
CLIP_S = 5
BITRATE = 32_000
PIECES_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
TEXT = (
    "The kettle is on, the lights are low, and dinner will be served at eight. "
    "If you drop a pebble into the well behind the house, you can count to four before you hear it."
)
HERE = "in this process"
TARGETS = {"smaller": 10.0, "faster": 5.0, "cpu": 3.0}
"""How many times: than the WAV; than ffmpeg as a process, by the clock and in CPU time."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds of each turn, and what was made last."""

    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    made: list[bytes] = field(default_factory=list)


async def run(repeat: int) -> Report:
    speech = await asyncio.to_thread(_speech)
    taken = await asyncio.to_thread(_in_turns, speech, max(5, repeat * 5))
    ratios = _ratios(taken)
    sizes = {length: _sizes(speech, length) for length in PIECES_S}
    figures = {
        "taken": {
            name: {"wall_ms": one.wall_ms, "cpu_ms": one.cpu_ms, "bytes": len(one.made[-1])}
            for name, one in taken.items()
        },
        "ratios": {name: spread.median for name, spread in ratios.items()},
        "targets": TARGETS,
        "pieces": {str(length): one for length, one in sizes.items()},
    }
    return Report(figures, [_costs(taken), *_verdict(ratios), _overhead(sizes)])


def ffmpeg() -> str | None:
    """Debian's where it is installed, else the one in the wheel of imageio-ffmpeg; None where there is neither."""
    if found := shutil.which("ffmpeg"):
        return found
    try:
        from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return None
    return str(get_ffmpeg_exe())


def _speech() -> Samples:
    parts = list(piper_voice().synthesize(TEXT))
    samples = np.concatenate([part.audio_int16_array for part in parts])
    resampled: Samples = soxr.resample(samples, parts[0].sample_rate, RATE_HZ)
    return resampled[: CLIP_S * RATE_HZ]


def _in_turns(speech: Samples, turns: int) -> dict[str, Taken]:
    """Each way of encoding, another one first each turn; one go before that which does not count."""
    wav = wav_bytes(speech, RATE_HZ)
    ways: dict[str, Callable[[], bytes]] = {
        "WAV": lambda: wav_bytes(speech, RATE_HZ),
        HERE: lambda: opus_bytes(speech, RATE_HZ, BITRATE),
    }
    if program := ffmpeg():
        ways["ffmpeg as a process"] = lambda: _spawned(program, wav)
    load_opus()
    taken = {name: Taken() for name in ways}
    for turn in range(-1, turns):
        for name in rotated(list(ways), turn):
            began_s, cpu_s = perf_counter(), _cpu_s()
            made = ways[name]()
            if turn >= 0:
                taken[name].wall_ms.append((perf_counter() - began_s) * 1000)
                taken[name].cpu_ms.append((_cpu_s() - cpu_s) * 1000)
                taken[name].made[:] = [made]
    return taken


def _spawned(program: str, wav: bytes) -> bytes:
    how = ["-f", "wav", "-i", "pipe:0", "-c:a", "libopus", "-b:a", str(BITRATE), "-f", "ogg", "pipe:1"]
    quiet = ["-hide_banner", "-loglevel", "error"]
    return subprocess.run([program, *quiet, *how], input=wav, capture_output=True, check=True).stdout


def _cpu_s() -> float:
    """Of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _ratios(taken: dict[str, Taken]) -> dict[str, Spread]:
    here, *others = [one for name, one in taken.items() if name != "WAV"]
    size = len(taken["WAV"].made[-1]) / len(here.made[-1])
    ratios = {"smaller": Spread(size, size, size)}
    for other in others:
        ratios["faster"] = paired_ratio(other.wall_ms, here.wall_ms)
        ratios["cpu"] = paired_ratio(other.cpu_ms, here.cpu_ms)
    return ratios


def _costs(taken: dict[str, Taken]) -> Grid:
    wav = len(taken["WAV"].made[-1])
    rows = [
        [
            name if name == "WAV" else f"Opus, {name}",
            Spread.of(one.wall_ms).shown(1),
            Spread.of(one.cpu_ms).shown(1),
            f"{len(one.made[-1]):,}",
            f"{wav / len(one.made[-1]):.1f}",
        ]
        for name, one in taken.items()
    ]
    title = f"Encoding {CLIP_S} s of speech at {RATE_HZ / 1000:g} kHz, Opus at {BITRATE // 1000} kbit/s"
    return Grid(title, ["format", "ms", "CPU ms", "bytes", "WAV ÷"], rows)


def _verdict(ratios: dict[str, Spread]) -> Sequence[Grid]:
    names = {"smaller": "WAV's bytes ÷ Opus's", "faster": "ffmpeg's time ÷ ours", "cpu": "ffmpeg's CPU ÷ ours"}
    rows = [
        [names[name], spread.shown(1), f"{TARGETS[name]:g}", "✓" if spread.median >= TARGETS[name] else "✗"]
        for name, spread in ratios.items()
    ]
    note = "" if len(ratios) == len(TARGETS) else "There is no ffmpeg here: install it, or the wheel imageio-ffmpeg."
    return [Grid("Against the targets", ["", "times", "target", "met"], rows, note)]


def _sizes(speech: Samples, length_s: float) -> dict[str, int]:
    """Bytes of a piece of that length, as the first of its sentence and as a later one, beside its bare packets."""
    frames = round(length_s * DECODED_HZ / PACKET)
    frame = RATE_HZ * PACKET // DECODED_HZ
    before, count = RATE_HZ // 2, frames * frame
    sound = speech[: min(before + count, len(speech))] if length_s < CLIP_S else np.tile(speech, 2)[: before + count]
    pieces = OpusPieces(RATE_HZ, BITRATE)
    pieces.feed(sound[:before])
    later = pieces.feed(sound[before:])
    first = OpusPieces(RATE_HZ, BITRATE).end(sound[before:])
    return {
        "wav": 44 + 2 * count,
        "first": len(first.data),
        "later": len(later.data),
        "packets": BITRATE // 8 * frames // 50,
    }


def _overhead(sizes: dict[float, dict[str, int]]) -> Grid:
    rows = [
        [
            f"{length:g} s",
            f"{one['packets']:,}",
            f"{one['first']:,}",
            f"{one['later']:,}",
            f"{one['wav'] / one['first']:.1f}",
            f"{one['wav'] / one['later']:.1f}",
        ]
        for length, one in sizes.items()
    ]
    note = (
        "Bytes. The first piece of a sentence, and a later one with its pre-roll of 80 ms; beside the bit rate alone."
    )
    return Grid(
        "Small pieces", ["piece", "at the bit rate", "first", "later", "WAV ÷ first", "WAV ÷ later"], rows, note
    )
