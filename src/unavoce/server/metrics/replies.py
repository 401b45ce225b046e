"""What is told of a reply at its end, as histograms and counters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from unavoce.chat.traces import Door, TracedReply
from unavoce.narration.events import EndReason
from unavoce.narration.trace import ReplyTrace

DOORS: Final = get_args(Door)
REASONS: Final = get_args(EndReason)

SOONEST: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""Bounds of the times a person waits, in seconds: finest where one notices a difference."""
LENGTHS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Bounds of whole replies."""


class ReplyMetrics:
    """Fed by `Chat.watch`. `engines`: the names in the settings."""

    def __init__(self, registry: CollectorRegistry, engines: Iterable[str]) -> None:
        def times(name: str, told: str, bounds: tuple[float, ...] = SOONEST) -> Histogram:
            return Histogram(name, told, ["door"], buckets=bounds, registry=registry)

        def count(name: str, told: str, *labels: str) -> Counter:
            return Counter(name, told, labels, registry=registry)

        self._first_token = times("unavoce_reply_first_token_seconds", "From a message's arrival to the first text.")
        self._first_sound = times("unavoce_reply_first_sound_seconds", "From a message's arrival to the first sound.")
        self._cut_to_sound = times(
            "unavoce_reply_cut_to_sound_seconds", "From the end of the first sentence in the text to the first sound."
        )
        self._whole = times("unavoce_reply_duration_seconds", "From a message's arrival to a reply's end.", LENGTHS)
        self._replies = count("unavoce_replies", "Replies that have ended.", "door", "reason")
        self._gaps = count(
            "unavoce_underruns", "Times a listener had run dry before the next sound, estimated.", "door"
        )
        self._gaps_s = count("unavoce_underrun_seconds", "Silence of those, estimated.", "door")
        self._skipped = count("unavoce_sentences_skipped", "Sentences not spoken, or not to their end.", "door")
        self._switches = count("unavoce_voice_switches", "Replies taken from this engine in the middle.", "engine")
        self._unencoded = count("unavoce_encode_failures", "Chunks that left as WAV because encoding failed.")
        self._begin_at_zero(engines)

    def _begin_at_zero(self, engines: Iterable[str]) -> None:
        """So that a rate can be taken over the first one of a kind."""
        for door in DOORS:
            for labelled in (self._first_token, self._first_sound, self._cut_to_sound, self._whole):
                labelled.labels(door)
            for counted in (self._gaps, self._gaps_s, self._skipped):
                counted.labels(door)
            for reason in REASONS:
                self._replies.labels(door, reason)
        for engine in engines:
            self._switches.labels(engine)

    def observe(self, traced: TracedReply, now_s: float) -> None:
        """`traced` is over. `now_s`: the event loop's time."""
        door, trace = traced.door, traced.trace
        self._replies.labels(door, trace.ended or "aborted").inc()
        self._whole.labels(door).observe(now_s - trace.arrived_s)
        self._observe_times(door, trace)
        self._gaps.labels(door).inc(trace.clock.gaps)
        self._gaps_s.labels(door).inc(trace.clock.gaps_s)
        self._skipped.labels(door).inc(trace.skipped)
        for engine in trace.switches:
            self._switches.labels(engine).inc()
        self._unencoded.inc(sum(sentence.encode_failures for sentence in trace.sentences))

    def _observe_times(self, door: Door, trace: ReplyTrace) -> None:
        timings = trace.timings
        if timings.first_token_s is not None:
            self._first_token.labels(door).observe(timings.first_token_s)
        if timings.first_audio_s is not None:
            self._first_sound.labels(door).observe(timings.first_audio_s)
            if timings.first_sentence_s is not None:
                self._cut_to_sound.labels(door).observe(timings.first_audio_s - timings.first_sentence_s)
