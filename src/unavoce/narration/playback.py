"""The playback clock: an estimate of when a reply's listener will run out of sound.

A chunk starts to play when it is sent, or when the one before it ends, whichever is later. `chat:played` replaces the
estimate by what the listener says. Pure: every call is given the time, in seconds of any steady clock.
"""

from __future__ import annotations

from typing import Final

GAP_S: Final = 0.02
"""A shorter silence is not counted: no listener tells it from the pause after a sentence."""


class PlaybackClock:
    """When each chunk that was sent is heard. Times in seconds."""

    def __init__(self) -> None:
        self._starts: list[float] = []
        self._durations: list[float] = []
        self.gaps = 0
        """How often the listener had run dry when the next chunk was sent."""
        self.gaps_s = 0.0
        """For how long, together."""

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def ends_at_s(self) -> float | None:
        """When the listener runs dry; None while nothing was sent."""
        return self._starts[-1] + self._durations[-1] if self._starts else None

    def sent(self, now_s: float, duration_s: float) -> None:
        """The next chunk was handed to a socket."""
        ends_at_s = self.ends_at_s
        if ends_at_s is not None and now_s - ends_at_s > GAP_S:
            self.gaps += 1
            self.gaps_s += now_s - ends_at_s
        self._starts.append(now_s if ends_at_s is None else max(now_s, ends_at_s))
        self._durations.append(duration_s)

    def ahead_s(self, now_s: float) -> float:
        """Seconds of sound the listener still has in hand."""
        ends_at_s = self.ends_at_s
        return 0.0 if ends_at_s is None else max(0.0, ends_at_s - now_s)

    def played(self, now_s: float, index: int, position_s: float) -> None:
        """The listener has heard up to `position_s` within chunk `index`. Raises IndexError for one never sent."""
        if not 0 <= index < len(self._starts):
            raise IndexError(f"chunk {index} was not sent")
        position_s = min(max(position_s, 0.0), self._durations[index])
        self._restart(index, now_s - position_s)
        for earlier in reversed(range(index)):
            over_s = self._starts[earlier + 1]
            self._starts[earlier] = min(self._starts[earlier], over_s - self._durations[earlier])

    def resent(self, now_s: float, index: int) -> None:
        """Chunk `index` and all after it are sent once more, to a listener who has everything before it."""
        before = self._starts[index - 1] + self._durations[index - 1] if index else now_s
        if index < len(self._starts):
            self._restart(index, max(now_s, before))

    def heard_share(self, now_s: float, index: int) -> float:
        """How much of chunk `index` has been heard: 0.0 to 1.0."""
        if index >= len(self._starts):
            return 0.0
        heard_s, duration_s = now_s - self._starts[index], self._durations[index]
        # Half a millisecond of grace: positions come in whole milliseconds.
        return 1.0 if heard_s >= duration_s - 0.0005 else max(0.0, heard_s / duration_s)

    def span(self, first: int, count: int) -> tuple[float, float]:
        """From when to when the `count` chunks from `first` on are heard; they were sent."""
        last = first + count - 1
        return self._starts[first], self._starts[last] + self._durations[last]

    def _restart(self, index: int, start_s: float) -> None:
        for later in range(index, len(self._starts)):
            self._starts[later] = start_s
            start_s += self._durations[later]
