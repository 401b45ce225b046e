"""How much of what the engines can do is spoken for: the measure by which a new reply finds room, or none.

Every reply wants a second of sound a second, beginning when what its listener has in hand runs out. What that costs the
engine was measured (`unavoce.chain.effort`). All of it comes in time, most urgent first, as long as at no moment more
is due by then than can be made by then: the processor demand criterion (Baruah, Rosier, Howell 1990,
https://doi.org/10.1007/BF01995675).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from unavoce.chain.chain import Chain
from unavoce.chain.effort import Cost
from unavoce.chain.member import Member
from unavoce.engines.base import Voice
from unavoce.narration.script import Line, Script
from unavoce.narration.stage import Stage

LATE_S = 0.5
"""A listener's sentence that still waits for a slot so long after it was due: the engine has more than it can do,
whatever was measured."""


class Demand(NamedTuple):
    """What a reply still wants of an engine. Seconds of sound."""

    engine: str
    in_hand_s: float
    """Made, and not heard yet."""
    unmade_s: float
    """Infinite while its text goes on."""


def demand_of(script: Script, claimed: int, voice: Voice, chain: Chain, ahead_s: float) -> Demand | None:
    """Of one reply, in `voice`; None where all of its sound is made. `claimed`: its lines ahead that may have claims.
    `ahead_s`: seconds of sound sent and not heard yet.
    """
    window = script.ahead(claimed)
    unmade_s = _unmade_s(script, window, voice, chain)
    if unmade_s <= 0:
        return None
    made_s = sum(max(0.0, line.claim.synthesis.duration_s - line.sound_s) for line in window if line.claim)
    return Demand(voice.engine, ahead_s + made_s, unmade_s)


def _unmade_s(script: Script, window: Sequence[Line], voice: Voice, chain: Chain) -> float:
    if not script.ended:
        return math.inf
    unmade_s = sum(_left_s(line, voice, chain) for line in window)
    if len(script.lines) > script.spoken + len(window):
        # By their place in the text: there may be thousands.
        unmade_s += chain.sound_s(voice, script.lines[-1].sentence.end - window[-1].sentence.end)
    return unmade_s


def _left_s(line: Line, voice: Voice, chain: Chain) -> float:
    whole_s = chain.sound_s(voice, len(line.to_say))
    if line.claim is None:
        return whole_s
    return 0.0 if line.claim.done else max(0.0, whole_s - line.claim.synthesis.duration_s)


def peak(demands: Iterable[tuple[float, Demand]]) -> float:
    """The greatest share that the work due by any moment has of the time until then.

    `demands`: each with the share of all there is that one second of its sound a second takes. Up to 1, all of it can
    be made in time.
    """
    changes: list[tuple[float, float]] = []
    for share, demand in demands:
        changes.append((demand.in_hand_s, share))
        if math.isfinite(demand.unmade_s):
            changes.append((demand.in_hand_s + demand.unmade_s, -share))
    highest = sum(share for at_s, share in changes if at_s <= 0)
    due = rate = last_s = 0.0
    for at_s, change in sorted(changes):
        due += rate * (at_s - last_s)
        if at_s > 0:
            highest = max(highest, due / at_s)
        rate, last_s = rate + change, at_s
    return max(highest, rate)  # in the long run only those count whose text goes on


class Workload:
    """How full each engine is. `demands`: those of all replies that run. `limit`: the share of an engine that may be
    spoken for; 0: nobody is ever refused. `cores`: of this machine; engines in this process share them.
    """

    def __init__(self, stage: Stage, demands: Callable[[], Iterable[Demand]], *, limit: float, cores: int) -> None:
        self._stage = stage
        self._demands = demands
        self._cores = cores
        self.limit = limit

    def has_room(self, name: str) -> bool:
        """Whether the engine can take one more listener. One that was not measured yet can; one that is down has
        other troubles; and somebody may always speak."""
        cost, demands = self._cost(name), list(self._demands())
        if not self.limit or cost is None or not demands or self._stage.chain.is_down(name):
            return True
        newcomer = Demand(name, 0.0, math.inf)
        return self._stage.late_s(name) <= LATE_S and self._peak(name, cost, [*demands, newcomer]) <= self.limit

    def load(self, name: str) -> float | None:
        """The share of the engine that is spoken for; None before its cost is known."""
        cost = self._cost(name)
        return None if cost is None else self._peak(name, cost, list(self._demands()))

    def capacity(self, name: str) -> float | None:
        """How many listeners at a time it can serve, within the limit where there is one; None before it is known."""
        cost = self._cost(name)
        if cost is None:
            return None
        member = self._member(name)
        share = max(self._slot_share(member, cost), self._core_share(member, cost))
        return (self.limit or 1.0) / share if share > 0 else math.inf

    def _peak(self, name: str, cost: Cost, demands: Sequence[Demand]) -> float:
        """Of its slots, and of the cores where it shares them with others."""
        member = self._member(name)
        share = self._slot_share(member, cost)
        slots = peak((share, demand) for demand in demands if demand.engine == name)
        if not member.engine.in_process:
            return slots
        shares = {one.engine.name: self._core_share(one, one.effort.cost) for one in self._stage.chain.members}
        return max(slots, peak((shares[demand.engine], demand) for demand in demands if shares[demand.engine]))

    def _slot_share(self, member: Member, cost: Cost) -> float:
        return cost.slot_s / member.engine.max_concurrency

    def _core_share(self, member: Member, cost: Cost | None) -> float:
        return cost.work_s / self._cores if cost and member.engine.in_process else 0.0

    def _member(self, name: str) -> Member:
        return self._stage.chain.member(name)

    def _cost(self, name: str) -> Cost | None:
        return self._member(name).effort.cost
