"""What a reply of the long run must be: its text, and the judgement of what came of it. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_WHO = ("farmer", "captain", "widow", "student", "miller", "doctor", "sailor", "gardener", "painter", "porter", "baker")
_HOW = ("patient", "tired", "cheerful", "stubborn", "careful", "lonely", "famous", "nervous", "gentle", "old", "silent")
_DID = ("repaired", "carried", "forgot", "painted", "followed", "bought", "remembered", "hid", "measured", "polished")
_WHAT = ("wagon", "ladder", "clock", "kettle", "bridge", "letter", "garden", "window", "blanket", "basket", "mirror")
_WHERE = ("behind the mill", "near the harbour", "under the stairs", "in the valley", "at the crossing", "by the river")
_WHEN = ("before breakfast", "that evening", "in early spring", "after the storm", "on the way home", "without a word")

NEAR: Final = 0.35
"""How far a reply's sound may be from what its characters take on average, as a share of that."""
SURE_CHARACTERS: Final = 60
"""Shorter texts say little of how long their sound should be."""
GAP_S: Final = 0.02
"""Shorter silences are the way to the client, and back."""
TEXT: Final = ("chat:token", "chat:sentence", "chat:text_done")
END: Final = ("chat:text_done", "chat:audio_done", "chat:done")


def new_text(rng: random.Random, sentences: int) -> str:
    """That many sentences that have hardly ever been said before."""
    return " ".join(_sentence(rng) for _ in range(sentences))


def _sentence(rng: random.Random) -> str:
    who, how, did, what = rng.choice(_WHO), rng.choice(_HOW), rng.choice(_DID), rng.choice(_WHAT)
    return f"The {how} {who} {did} the {rng.choice(_HOW)} {what} {rng.choice(_WHERE)} {rng.choice(_WHEN)}."


@dataclass(slots=True)
class Told:
    """A reply as its client was told of it, over all of its connections."""

    kind: str
    text: str | None
    """As it was dictated; None where a model wrote it."""
    ends: str = "complete"
    """The reason with which it is to end."""
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """Names and payloads in order; of chunks the sound is left out, `seconds` is what it really lasts, and `at` when it
    came (`time.monotonic`)."""
    stopped_after: int | None = None
    """So many events had come when its abort was acknowledged."""
    resumed: bool = False
    """It was taken over by another connection, which may be told text once more."""

    def add(self, name: str, payload: Mapping[str, Any]) -> None:
        """It was told this."""
        again = self.resumed and name in TEXT and (name, payload) in self.events
        if not again:
            self.events.append((name, payload))

    def named(self, name: str) -> list[Mapping[str, Any]]:
        return [payload for event, payload in self.events if event == name]

    @property
    def sound_s(self) -> float:
        return sum(chunk["seconds"] for chunk in self.named("chat:audio_chunk"))

    @property
    def gaps_s(self) -> list[float]:
        """How long its listener waited in mid-reply, each time that the next chunk was late."""
        return [late_s for late_s, _ in self._playback() if late_s > GAP_S]

    @property
    def ends_s(self) -> float | None:
        """When its listener has heard all that came; None where nothing did."""
        return max((ends_s for _, ends_s in self._playback()), default=None)

    def _playback(self) -> Iterator[tuple[float, float]]:
        """Of each chunk, how late it came for its listener, and when it has been heard. The first is never late."""
        ends_s: float | None = None
        for chunk in self.named("chat:audio_chunk"):
            starts_s = chunk["at"] if ends_s is None else max(chunk["at"], ends_s)
            late_s = 0.0 if ends_s is None else starts_s - ends_s
            ends_s = starts_s + chunk["seconds"]
            yield late_s, ends_s

    @property
    def pace_s(self) -> float | None:
        """Seconds of sound a character; None for what was stopped, or is too short to tell."""
        text = self.text or ""
        return self.sound_s / len(text) if self.ends == "complete" and len(text) >= SURE_CHARACTERS else None


def faults(told: Told) -> list[str]:
    """What is wrong with a reply that is over; its length apart (`odd_length`)."""
    found = [*_order(told), *_ending(told), *_text(told)]
    return [f"{told.kind}: {fault}" for fault in found]


def _order(told: Told) -> list[str]:
    chunks = told.named("chat:audio_chunk")
    numbers, sentences = [chunk["index"] for chunk in chunks], [chunk["sentence"] for chunk in chunks]
    found = []
    if numbers != list(range(len(numbers))):
        found.append(f"chunks came as {numbers}")
    if sentences != sorted(sentences):
        found.append(f"sentences came as {sentences}")
    if odd := [chunk["index"] for chunk in chunks if abs(chunk["seconds"] - chunk["durationMs"] / 1000) > 0.002]:
        found.append(f"chunks {odd} last longer or shorter than they say")
    return found


def _ending(told: Told) -> list[str]:
    names = [name for name, _ in told.events]
    ends = [name for name in names if name in END]
    if ends != list(END):
        return [f"it ended with {ends}"]
    done, audio_done = told.named("chat:done")[0], told.named("chat:audio_done")[0]
    found = []
    if names[-1] != "chat:done":
        found.append(f"{names[-1]} came after its end")
    if (done["reason"], audio_done["reason"]) != (told.ends, told.ends):
        found.append(f"its reasons are {done['reason']} and {audio_done['reason']}, not {told.ends}")
    if audio_done["totalChunks"] != len(told.named("chat:audio_chunk")) and told.ends == "complete":
        found.append(f"{audio_done['totalChunks']} chunks were told, {len(told.named('chat:audio_chunk'))} came")
    if audio_done["skipped"]:
        found.append(f"skipped: {audio_done['skipped']}")
    if told.stopped_after is not None and any(name not in END for name in names[told.stopped_after :]):
        found.append(f"after its abort came {names[told.stopped_after :]}")
    return found


def _text(told: Told) -> list[str]:
    whole = told.named("chat:text_done")
    if not whole or told.ends != "complete":
        return []
    text, sentences = whole[0]["text"], told.named("chat:sentence")
    written = told.text if told.text is not None else _written(told)
    found = []
    if text.strip() != written.strip():
        found.append(f"its text is {text[:60]!r}…, not {written[:60]!r}…")
    spoken = [chunk["text"] for chunk in told.named("chat:audio_chunk") if chunk["text"]]
    if spoken != [sentence["text"] for sentence in sentences]:
        found.append(f"{len(sentences)} sentences were cut, {len(spoken)} were spoken")
    if "".join(spoken).replace(" ", "") != text.replace(" ", "") and told.text is not None:
        found.append("what was spoken is not its text")
    return found


def _written(told: Told) -> str:
    """What came in tokens, each in its place."""
    return "".join(token["text"] for token in sorted(told.named("chat:token"), key=lambda token: token["start"]))


def odd_lengths(replies: Sequence[Told]) -> list[str]:
    """Replies whose sound is much longer or shorter than their text asks for, by the pace of all of them."""
    paced = [(pace_s, told) for told in replies if (pace_s := told.pace_s) is not None]
    if not paced:
        return []
    usual_s = sorted(pace_s for pace_s, _ in paced)[len(paced) // 2]
    return [
        f"{told.kind}: {told.sound_s:.1f} s of sound for {len(told.text or '')} characters of {usual_s:.3f} s"
        for pace_s, told in paced
        if abs(pace_s / usual_s - 1) > NEAR
    ]
