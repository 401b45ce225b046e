"""One reply as a terminal sees it: its text so far, its sentences, and which of them is being spoken. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Playhead:
    """Which sentence is heard when, from the durations of the chunks. Times are seconds of one monotonic clock."""

    ends_at: float = 0.0
    """When the last chunk so far has been heard."""
    _spans: list[tuple[float, float, int]] = field(default_factory=list)

    def add(self, now: float, sentence: int, duration_s: float) -> None:
        """A chunk arrived: it is heard after those before it, or at once where nothing is playing."""
        starts_at = max(now, self.ends_at)
        self.ends_at = starts_at + duration_s
        self._spans.append((starts_at, self.ends_at, sentence))

    def sentence(self, now: float) -> int | None:
        """The sentence being heard at `now`; None before, between and after."""
        return next((number for start, end, number in self._spans if start <= now < end), None)

    def heard(self, now: float) -> int | None:
        """The last sentence of which a chunk has been heard to its end."""
        return next((number for _, end, number in reversed(self._spans) if end <= now), None)

    def stop(self, now: float) -> None:
        """Nothing is heard from `now` on."""
        self.ends_at = min(self.ends_at, now)
        self._spans = [span for span in self._spans if span[0] < now]


@dataclass(slots=True)
class Turn:
    """Fed with the server's events, in the order in which they come; what a reconnection repeats changes nothing."""

    reply_id: str | None = None
    text: str = ""
    places: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Of each sentence in `text`: start and end, in code points."""
    playhead: Playhead = field(default_factory=Playhead)
    next_index: int = 0
    reason: str | None = None
    """Why it ended; None while it has not."""
    faults: list[str] = field(default_factory=list)

    def token(self, data: Mapping[str, Any]) -> None:
        if int(data.get("start", len(self.text))) == len(self.text):
            self.text += data["text"]

    def sentence(self, data: Mapping[str, Any]) -> None:
        self.places[data["sentence"]] = data["start"], data["end"]

    def chunk(self, data: Mapping[str, Any], now: float) -> bool:
        """True when the chunk is the next one and should be heard."""
        if data["index"] != self.next_index or self.reason == "aborted":
            return False
        self.next_index += 1
        self.playhead.add(now, data["sentence"], data["durationMs"] / 1000)
        return True

    def text_done(self, data: Mapping[str, Any]) -> None:
        self.text = data["text"]

    def fault(self, data: Mapping[str, Any]) -> None:
        self.faults.append(f"{data['message']} ({data['code']})")

    def done(self, data: Mapping[str, Any]) -> None:
        self.text_done(data)
        self.reason = data["reason"]

    def abort(self, now: float) -> None:
        """The listener wants no more of it."""
        self.playhead.stop(now)

    def over(self, now: float) -> bool:
        """The text is whole and the sound has been heard."""
        return self.reason is not None and now >= self.playhead.ends_at

    def parts(self, now: float) -> tuple[str, str, str]:
        """The text before the sentence being spoken, that sentence, and the text after it."""
        if self.over(now):
            return self.text, "", ""
        start, end = self._place(self.playhead.sentence(now))
        if start == end:
            start = end = self._place(self.playhead.heard(now))[1]
        return self.text[:start], self.text[start:end], self.text[end:]

    def _place(self, number: int | None) -> tuple[int, int]:
        """Empty, at the text's beginning, for a sentence that is not known."""
        return (0, 0) if number is None else self.places.get(number, (0, 0))
