"""`GET /api/health`: how every part is, why, and what mends it. For people and for whatever watches over the server."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from unavoce.cache.disk.background import BackgroundDisk
from unavoce.chain.member import LOADING, Member
from unavoce.chat.chat import Chat
from unavoce.cores import Cores
from unavoce.errors import REMEDY, ModelError
from unavoce.llm.base import LanguageModel
from unavoce.llm.faults import ModelLoadingError
from unavoce.narration.stage import Stage

CHECK_LIMIT_S: Final = 3.0
"""For asking the language model how it is."""
FRESH_S: Final = 5.0
"""A model's answer serves for so long: whoever asks for the health often does not ask the model as often."""

Component = dict[str, Any]


class Health:
    """Knows every part of the server, and asks it."""

    def __init__(self, stage: Stage, model: LanguageModel, chat: Chat, cores: Cores) -> None:
        self._stage = stage
        self._model = model
        self._chat = chat
        self._cores = cores
        self._model_report: tuple[float, Component] | None = None

    @property
    def speaks(self) -> bool:
        """Some engine can speak now."""
        return any(not member.is_down and member.status.reason != LOADING for member in self._stage.chain.members)

    async def report(self) -> Component:
        """`status`: `ok`; `degraded` where something is not as configured but there is speech; else `down`."""
        engines = {member.engine.name: _engine(member) for member in self._stage.chain.members}
        model = await self._model_health()
        cache, history = self._cache(), self._history()
        well = all(part["status"] in ("healthy", "ok") for part in (*engines.values(), model, cache, history))
        return {
            "status": ("ok" if well else "degraded") if self.speaks else "down",
            "engines": engines,
            "model": model,
            "cache": cache,
            "history": history,
            "scheduler": await self._scheduler(),
            "cores": self._shared(),
        }

    async def _model_health(self) -> Component:
        now_s = time.monotonic()
        if self._model_report is None or now_s - self._model_report[0] > FRESH_S:
            self._model_report = (now_s, await self._ask_model())
        return self._model_report[1]

    async def _ask_model(self) -> Component:
        began_s = time.perf_counter()
        status, reason = "ok", "ready"
        try:
            async with asyncio.timeout(CHECK_LIMIT_S):
                await self._model.check()
        except TimeoutError:
            status, reason = "down", f"no answer within {CHECK_LIMIT_S:g} s"
        except ModelError as error:
            status, reason = ("loading" if isinstance(error, ModelLoadingError) else "down"), error.message
        latency_s = time.perf_counter() - began_s
        return {"status": status, "latencyMs": round(latency_s * 1000), "model": self._model.name, **_told(reason)}

    def _cache(self) -> Component:
        cache = self._stage.cache
        told = _told(cache.problem) if cache.problem else {"detail": f"{cache.entries} clips in memory"}
        state = "degraded" if cache.problem else "ok"
        look_s = cache.disk.look_s if isinstance(cache.disk, BackgroundDisk) else None
        return {"status": state, "latencyMs": _ms(look_s), **told, "bytes": cache.bytes, "hits": dict(cache.hits)}

    def _history(self) -> Component:
        archive = self._chat.archive
        if archive is None:
            return {"status": "ok", "latencyMs": None, "detail": "in memory only"}
        problem = archive.problem
        return {"status": "degraded" if problem else "ok", "latencyMs": None, **_told(problem or archive.detail)}

    async def _scheduler(self) -> Component:
        running, waiting = self._stage.running, self._stage.waiting
        detail = f"{self._chat.running} replies, {running} sentences in synthesis, {waiting} waiting"
        if self._chat.stopping:
            detail += "; the server is stopping and takes no new ones"
        status = "stopping" if self._chat.stopping else "ok"
        workload, names = self._chat.workload, [engine.name for engine in self._stage.chain.engines]
        return {
            "status": status,
            "latencyMs": _ms(await _turn_s()),
            "detail": detail,
            "running": running,
            "waiting": waiting,
            "load": {name: _rounded(workload.load(name), 3) for name in names},
            "capacity": {name: _rounded(workload.capacity(name), 1) for name in names},
        }

    def _shared(self) -> Component:
        cores = self._cores
        return {
            "status": "ok",
            "latencyMs": None,
            "detail": cores.choice,
            "count": cores.count,
            "leaveRoom": cores.leave_room,
            "leavesRoom": cores.leaves_room,
        }


async def _turn_s() -> float:
    """What one turn of the event loop takes just now: so long everything else waits for its own."""
    began_s = time.perf_counter()
    await asyncio.sleep(0)
    return time.perf_counter() - began_s


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _engine(member: Member) -> Component:
    status, tally = member.status, member.tally
    factor = member.pace.real_time_factor
    return {
        "status": LOADING if status.reason == LOADING else status.status,
        "since": round(status.since * 1000),
        "latencyMs": round(member.pace.usual_start_s * 1000) if tally.clips else None,
        **_told(status.reason, member.engine.detail),
        "voices": [voice.name for voice in member.voices[:100]],
        "realTimeFactor": _rounded(factor, 3),
        "clips": tally.clips,
        "characters": tally.characters,
        "cost": round(member.cost, 6),
        "failures": dict(tally.failures),
        "changes": dict(tally.changes),
    }


def _told(reason: str, detail: str = "") -> Component:
    """The cause and the remedy of a reason, apart."""
    cause, _, remedy = reason.partition(REMEDY)
    told = {"detail": f"{cause} ({detail})" if detail else cause}
    return {**told, "remedy": remedy} if remedy else told
