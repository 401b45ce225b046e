"""Of each reply that is over: one line in the log (ids, times, counts and names; its text only on purpose), and a call
of everybody who watches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from unavoce.chat.traces import TracedReply

log = logging.getLogger(__name__)


class Endings:
    """Tells of each reply that is over. `log_text`: the log is to hold its text too."""

    def __init__(self, *, log_text: bool = False) -> None:
        self._log_text = log_text
        self._watchers: list[Callable[[TracedReply], None]] = []

    def watch(self, watcher: Callable[[TracedReply], None]) -> None:
        self._watchers.append(watcher)

    def tell(self, traced: TracedReply, text: str) -> None:
        """Also while the reply's task is being cancelled; an error here would end every other reply."""
        # The only place that writes any text.
        said = {"text": text} if self._log_text else {}
        log.info("reply_done", extra={**_whose(traced), **_times(traced), **_counts(traced), **said})
        for watcher in self._watchers:
            try:
                watcher(traced)
            except Exception:
                log.exception("reply_watcher_failed")


def _whose(traced: TracedReply) -> dict[str, Any]:
    trace = traced.trace
    return {
        "reply": traced.reply_id,
        "session": traced.session_id or None,
        "door": traced.door,
        "end": trace.ended or "aborted",
        "engines": ",".join(trace.engines) or None,
    }


def _times(traced: TracedReply) -> dict[str, int | None]:
    """Milliseconds since the message's arrival; None where it did not come to that."""
    trace, timings = traced.trace, traced.trace.timings
    total_s = asyncio.get_running_loop().time() - trace.arrived_s
    times_s = {
        "first_token_ms": timings.first_token_s,
        "first_sentence_ms": timings.first_sentence_s,
        "first_sound_ms": timings.first_audio_s,
        "last_token_ms": timings.last_token_s,
        "last_sound_ms": timings.last_audio_s,
        "total_ms": total_s,
    }
    return {name: None if time_s is None else round(time_s * 1000) for name, time_s in times_s.items()}


def _counts(traced: TracedReply) -> dict[str, int]:
    trace = traced.trace
    sources = trace.sources
    return {
        "sentences": len(trace.sentences),
        "skipped": trace.skipped,
        "from_memory": sources["memory"],
        "from_disk": sources["disk"],
        "from_engines": sources["none"],
        "sound_ms": round(1000 * sum(one.sound_s for one in trace.sentences)),
        "underruns": trace.clock.gaps,
        "silence_ms": round(1000 * trace.clock.gaps_s),
    }
