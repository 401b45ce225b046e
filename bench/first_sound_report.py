"""What was heard of six scripted replies, as tables, figures, and marks for the reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import geometric_mean, median

from bench import peers
from bench.figures import Heard, Spread, gaps_s
from bench.replies import PACE
from bench.report import Grid, Report, mark

US, LOOP = "unavoce", "plain loop"
LONG = "very long first sentence"
NEAR_MS = 25.0
"""Above the floor, at 30 tokens a second."""
SHARE_OF_BEST = 0.5
"""Of the best peer's time, all tokens at once."""
LONG_S: Mapping[float | None, float] = {PACE: 0.6, None: 0.15}
COST = 1.10
"""Of what whole sentences cost."""


@dataclass(slots=True)
class Turns:
    """What was measured of one reply at one pace, turn by turn."""

    heard: Mapping[str, list[Heard]] = field(default_factory=lambda: {US: [], LOOP: []})
    beside_another: list[Heard] = field(default_factory=list)
    """unavoce, while another program keeps a core busy."""
    first_pieces: list[str] = field(default_factory=list)
    """As they were spoken."""
    floor_s: list[float] = field(default_factory=list)
    engine_s: list[float] = field(default_factory=list)
    """What of the floor is the engine's: until its first sound of the first piece."""
    raw_cpu: list[float] = field(default_factory=list)
    """CPU seconds per second of sound of plain Piper on one thread, given the same pieces one by one."""
    rival_s: list[float] = field(default_factory=list)
    """First sounds of RealtimeTTS, where it is there to be measured."""

    def of(self, who: str, figure: str) -> list[float]:
        return [getattr(heard, figure) for heard in self.heard[who]]

    def spread(self, who: str, figure: str) -> Spread:
        return Spread.of(self.of(who, figure))

    @property
    def above_floor_ms(self) -> float:
        pairs = zip(self.of(US, "first_sound_s"), self.floor_s, strict=True)
        return median((first_s - floor_s) * 1000 for first_s, floor_s in pairs)

    @property
    def cost(self) -> float:
        """CPU of unavoce by that of plain Piper, per second of sound."""
        pairs = zip(self.of(US, "cpu_per_sound"), self.raw_cpu, strict=True)
        return median(ours / raw for ours, raw in pairs)


Measured = Mapping[tuple[str, float | None], Turns]
"""By reply and pace (tokens a second; None for all at once)."""


def report(measured: Measured, detail: str = "") -> Report:
    """`detail`: what the engine says of itself, such as that it cannot stream this voice."""
    figures = {f"{name}, {pace_shown(pace)}": _figures(turns) for (name, pace), turns in measured.items()}
    first = [_first_sound_grid(pace, measured) for pace in (PACE, None)]
    targets = targets_grid(measured)
    if detail:
        targets = replace(targets, note=f"{targets.note} · the engine: {detail}")
    return Report({**figures, "engine": detail}, [*first, _flow_grid(measured), _cost_grid(measured), targets])


def _at(pace: float | None, measured: Measured) -> Iterable[tuple[str, Turns]]:
    return ((name, turns) for (name, of_pace), turns in measured.items() if of_pace == pace)


def _first_sound_grid(pace: float | None, measured: Measured) -> Grid:
    rows = [
        [
            name,
            turns.spread(US, "first_sound_s").shown(),
            Spread.of(turns.floor_s).shown(),
            f"{turns.above_floor_ms:.0f}",
            mark(turns.above_floor_ms <= NEAR_MS) if pace else "",
            turns.spread(LOOP, "first_sound_s").shown(),
            Spread.of(turns.rival_s).shown() if turns.rival_s else "",
            shortened(turns.first_pieces[-1]),
        ]
        for name, turns in _at(pace, measured)
    ]
    return Grid(
        f"First sound from the first token, {pace_shown(pace)}: median (lowest-highest)",
        [
            "reply",
            f"{US}, s",
            "floor, s",
            "above it, ms",
            f"≤ {NEAR_MS:g}",
            f"{LOOP}, s",
            "RealtimeTTS, s",
            "first piece",
        ],
        rows,
        "floor: the first piece can be known to be complete, plus the engine alone until its first sound of it",
    )


def shortened(piece: str) -> str:
    words = piece.split()
    return piece if len(words) <= 3 else f"{words[0]} … {words[-1]} ({len(piece)})"


def _flow_grid(measured: Measured) -> Grid:
    rows = [
        [
            name,
            pace_shown(pace),
            f"{worst_s(turns.heard[US]):.2f}",
            f"{worst_s(turns.heard[LOOP]):.2f}",
            f"{worst_s(turns.beside_another):.2f}",
            Spread.of(heard.first_sound_s for heard in turns.beside_another).shown(),
        ]
        for (name, pace), turns in measured.items()
    ]
    columns = ["reply", "tokens", US, LOOP, f"{US}, beside another", "its first sound, s"]
    note = "the worst turn's silences of more than 20 ms · beside another: a program that keeps one core busy"
    return Grid("Silent gaps while playing, s", columns, rows, note)


def worst_s(turns: Sequence[Heard]) -> float:
    """The gaps of the worst turn, together."""
    return max(sum(gaps_s(heard.arrivals)) for heard in turns)


def _cost_grid(measured: Measured) -> Grid:
    rows = [
        [
            name,
            pace_shown(pace),
            f"{turns.cost:.2f}",
            f"{median(one / raw for one, raw in zip(turns.of(LOOP, 'cpu_per_sound'), turns.raw_cpu, strict=True)):.2f}",
            turns.spread(US, "cpu_per_sound").shown(3),
            Spread.of(turns.raw_cpu).shown(3),
            turns.spread(US, "real_time_factor").shown(3) if pace is None else "",
        ]
        for (name, pace), turns in measured.items()
    ]
    return Grid(
        "CPU seconds per second of sound",
        ["reply", "tokens", f"{US} ÷ Piper", f"{LOOP} ÷ Piper", US, "Piper", f"RTF {US}"],
        rows,
        "Piper: plain, on one thread, whole, the same pieces one after the other",
    )


def targets_grid(measured: Measured) -> Grid:
    """What the replies together are held against."""
    above_ms = [turns.above_floor_ms for _, turns in _at(PACE, measured)]
    gaps = [worst_s(turns.heard[US]) for turns in measured.values()]
    beside = [worst_s(turns.beside_another) for turns in measured.values()]
    rows = [
        _row(f"above the floor at {PACE:g} tokens/s, the worst reply, ms", max(above_ms), NEAR_MS, 0),
        *_at_once_rows(measured),
        *(
            _row(f"{LONG}, {pace_shown(pace)}, s", _first_s(measured[LONG, pace]), most_s)
            for pace, most_s in LONG_S.items()
        ),
        _row("gaps, the worst reply, s", max(gaps), 0.0),
        _row("gaps beside another program, the worst reply, s", max(beside), 0.0),
        *(_row(f"CPU ÷ whole sentences, {pace_shown(pace)}", cost(pace, measured), COST) for pace in (PACE, None)),
    ]
    note = (
        f"all at once: half of what the best peer took on a like machine, {peers.best_s():.3f} s; and half of what it "
        "would take on this one today, judged by the plain loop, which was measured on both"
    )
    return Grid("Targets", ["", "measured", "at most", "met"], rows, note)


def _row(name: str, value: float, most: float, digits: int = 2) -> Sequence[str]:
    return [name, f"{value:.{digits}f}", f"{most:g}", mark(value <= most)]


def _at_once_rows(measured: Measured) -> Iterable[Sequence[str]]:
    """unavoce's geometric mean beside half of the best peer's: as it was, as it would be on this machine today, and as
    it is, where it was measured."""
    ours_s = geometric_mean(_first_s(turns) for _, turns in _at(None, measured))
    loop_s = {name: median(turns.of(LOOP, "first_sound_s")) for name, turns in _at(None, measured)}
    most_s = SHARE_OF_BEST * peers.best_s()
    name = "all at once, geometric mean"
    yield [f"{name}, s", f"{ours_s:.3f}", f"{most_s:.3f}", mark(ours_s <= most_s)]
    most_s *= peers.slower(loop_s)
    yield [f"{name}, by the plain loop, s", f"{ours_s:.3f}", f"{most_s:.3f}", mark(ours_s <= most_s)]
    if all(turns.rival_s for _, turns in _at(None, measured)):
        most_s = SHARE_OF_BEST * geometric_mean(median(turns.rival_s) for _, turns in _at(None, measured))
        yield [f"{name}, by RealtimeTTS in this run, s", f"{ours_s:.3f}", f"{most_s:.3f}", mark(ours_s <= most_s)]


def _first_s(turns: Turns) -> float:
    return median(turns.of(US, "first_sound_s"))


def cost(pace: float | None, measured: Measured) -> float:
    """CPU of all replies by what plain Piper takes for as much sound of the same pieces: the median of the turns."""
    turns_of_replies = zip(
        *(zip(turns.heard[US], turns.raw_cpu, strict=True) for _, turns in _at(pace, measured)), strict=True
    )
    return median(_cost_of(turn) for turn in turns_of_replies)


def _cost_of(turn: Iterable[tuple[Heard, float]]) -> float:
    """Of one turn's replies, each beside plain Piper's CPU seconds per second of sound."""
    pairs = list(turn)
    return sum(heard.cpu_s for heard, _ in pairs) / sum(heard.sound_s * raw for heard, raw in pairs)


def _figures(turns: Turns) -> dict[str, object]:
    names = ("first_sound_s", "underrun_s", "real_time_factor", "cpu_per_sound", "sound_s")
    heard = {who: {figure: turns.of(who, figure) for figure in names} for who in turns.heard}
    beside = {figure: [getattr(one, figure) for one in turns.beside_another] for figure in names}
    floor = {"floor_s": turns.floor_s, "engine_s": turns.engine_s, "first_pieces": turns.first_pieces}
    return {
        **heard,
        "beside_another": beside,
        **floor,
        "piper_one_thread_cpu_per_sound": turns.raw_cpu,
        "rival_s": turns.rival_s,
    }


def pace_shown(pace: float | None) -> str:
    return "all at once" if pace is None else f"{pace:g} a second"
