"""What was heard by many listeners at once, as tables, figures, and marks for the reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from bench.crowd import Crowd, Listener
from bench.figures import percentile
from bench.report import Grid, Report, mark

US, FIFO, AS_IT_COMES = WHO = "unavoce", "first come", "as it comes"
SHARE_OF_LIMIT = 0.85
FIRST_SOUND_S = 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """One crowd at one server."""

    crowd: Crowd
    cores: int
    piper_cpu: float
    """CPU seconds per second of sound of plain Piper on one thread: the mean of just before and just after."""
    server_cpu_s: float | None

    @property
    def served(self) -> Sequence[Listener]:
        return [one for one in self.crowd.listeners if one.served]

    @property
    def refused(self) -> int:
        return sum(bool(one.refused) for one in self.crowd.listeners)

    @property
    def clean(self) -> bool:
        """Every listener was let in, heard everything, and heard no gap."""
        return len(self.served) == len(self.crowd.listeners) and not any(one.gaps_s for one in self.served)

    @property
    def crowd_cores(self) -> float:
        """That the listeners' own process kept busy."""
        return self.crowd.cpu_s / self.crowd.wall_s

    @property
    def limit(self) -> float:
        """Listeners whom the cores that are left could serve if there were nothing to do but synthesis."""
        return (self.cores - self.crowd_cores) / self.piper_cpu


Runs = dict[tuple[int, str], list[Run]]
"""By the number of listeners and who served them."""


def most_without_gaps(runs: Mapping[tuple[int, str], Sequence[Run]], who: str) -> int:
    """The largest number of listeners that was tried and served cleanly each time, as was every smaller one; else 0."""
    most = 0
    for count in sorted(count for count, served_by in runs if served_by == who):
        if not all(run.clean for run in runs[count, who]):
            break
        most = count
    return most


def report(runs: Mapping[tuple[int, str], Sequence[Run]]) -> Report:
    figures = {f"{count} listeners, {who}": [_figures(run) for run in of] for (count, who), of in runs.items()}
    # One who was let in and did not hear everything is a fault; a gap on a busy machine is none.
    lost = any(len(run.served) + run.refused < len(run.crowd.listeners) for of in runs.values() for run in of)
    summary = {"limit": limit(runs), "most": {who: most_without_gaps(runs, who) for who in (US, FIFO)}}
    return Report({**summary, "runs": figures}, [_crowds_grid(runs), _targets_grid(runs)], failed=lost)


def limit(runs: Mapping[tuple[int, str], Sequence[Run]]) -> float:
    """The physical limit: the median of all runs of unavoce."""
    return median(run.limit for (_, who), of in runs.items() if who == US for run in of)


def _crowds_grid(runs: Mapping[tuple[int, str], Sequence[Run]]) -> Grid:
    columns = ["listeners", "from the cut, s", "99th", "from the token, s", "99th", "heard a gap", "gaps", "silent, s"]
    return Grid(
        "Listeners at once, each at 30 tokens/s: first sound, median and 99th percentile; gaps of more than 20 ms",
        [*columns, "refused", "CPU"],
        [_row(f"{count}, {who}", of) for (count, who), of in sorted(runs.items(), key=_place)],
        f"{FIFO}: first served, by two single-threaded workers · {AS_IT_COMES}: unavoce with its own limit of load\n"
        "CPU: seconds of the server's process per second of sound",
    )


def _place(run: tuple[tuple[int, str], object]) -> tuple[int, int]:
    (count, who), _ = run
    return count, WHO.index(who)


def _row(name: str, runs: Sequence[Run]) -> list[str]:
    served = [one for run in runs for one in run.served]
    refused = str(sum(run.refused for run in runs))
    if not served:
        return [name, *["-"] * 7, refused, "-"]
    from_cut_s = [one.from_cut_s for one in served]
    from_token_s = [one.from_token_s for one in served]
    gaps_s = [gap_s for one in served for gap_s in one.gaps_s]
    return [
        name,
        *(
            f"{value:.2f}"
            for values in (from_cut_s, from_token_s)
            for value in (median(values), percentile(values, 0.99))
        ),
        str(sum(bool(one.gaps_s) for one in served)),
        str(len(gaps_s)),
        f"{sum(gaps_s):.1f}",
        refused,
        _server_cpu(runs),
    ]


def _server_cpu(runs: Sequence[Run]) -> str:
    used = [run.server_cpu_s / _sound_s(run) for run in runs if run.server_cpu_s is not None]
    return f"{mean(used):.3f}" if used else "-"


def _sound_s(run: Run) -> float:
    return sum(one.sound_s for one in run.crowd.listeners)


def _targets_grid(runs: Mapping[tuple[int, str], Sequence[Run]]) -> Grid:
    most, all_of = most_without_gaps(runs, US), limit(runs)
    served = [one for run in runs.get((most, US), ()) for one in run.served]
    worst_s = percentile([one.from_cut_s for one in served], 0.99) if served else float("inf")
    rows = [
        ["listeners without a gap", str(most), f"{SHARE_OF_LIMIT * all_of:.1f}", mark(most >= SHARE_OF_LIMIT * all_of)],
        ["of the limit", f"{most / all_of:.2f}", str(SHARE_OF_LIMIT), mark(most >= SHARE_OF_LIMIT * all_of)],
        ["99th percentile from the cut, s", f"{worst_s:.2f}", f"{FIRST_SOUND_S:g}", mark(worst_s < FIRST_SOUND_S)],
        [f"listeners without a gap, {FIFO}, first served", str(most_without_gaps(runs, FIFO)), "", ""],
        *_past_capacity(runs),
    ]
    cost, cores = (
        median(getattr(run, name) for of in runs.values() for run in of) for name in ("piper_cpu", "crowd_cores")
    )
    note = (
        f"the limit, {all_of:.1f}: the cores less {cores:.2f} of the listeners' own, by {cost:.3f} CPU s per s of sound"
    )
    return Grid("Against the physical limit", ["", "measured", "target", "met"], rows, note)


def _past_capacity(runs: Mapping[tuple[int, str], Sequence[Run]]) -> Sequence[Sequence[str]]:
    """With the limits it comes with: whoever is let in hears no gap."""
    return [
        [
            f"{count} listeners, as it comes: let in, of them with gaps",
            f"{sum(len(run.served) for run in of)}, {gaps}",
            "0",
            mark(not gaps),
        ]
        for (count, who), of in runs.items()
        if who == AS_IT_COMES
        for gaps in [sum(bool(one.gaps_s) for run in of for one in run.served)]
    ]


def _figures(run: Run) -> dict[str, Any]:
    return {
        "from_cut_s": [one.from_cut_s for one in run.served],
        "from_token_s": [one.from_token_s for one in run.served],
        "gaps_s": [one.gaps_s for one in run.served],
        "refused": [one.refused for one in run.crowd.listeners if one.refused],
        "sound_s": _sound_s(run),
        "wall_s": run.crowd.wall_s,
        "listeners_cores": run.crowd_cores,
        "piper_one_thread_cpu_per_sound": run.piper_cpu,
        "server_cpu_s": run.server_cpu_s,
        "limit": run.limit,
    }
