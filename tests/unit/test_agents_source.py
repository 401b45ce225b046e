"""What the agents' adapters share, without their frameworks."""

from __future__ import annotations

import numpy as np
import pytest

from unavoce.agents.source import ReplySound, spread
from unavoce.narration.events import Chunk


def chunk(index: int, count: int, *, text: str = "", last: bool = True, rate_hz: int = 8_000) -> Chunk:
    samples = np.full(count, 1000, np.int16)
    return Chunk(index, 0, last, "audio/wav", b"", samples, rate_hz, "fake", "tone", "none", text)


def test_a_sentences_words_fill_its_time() -> None:
    """They follow each other without a gap, each as long as its letters' share."""
    words = spread("Good evening,  sir.", 2.0, 4.0)
    assert [word.text for word in words] == ["Good", "evening,", "sir."]
    assert [word.start_s for word in words] == [2.0, 2.5, 3.5]
    assert [word.end_s for word in words] == [2.5, 3.5, 4.0]


def test_words_come_with_the_last_piece_of_their_sentence() -> None:
    """Only then is it known how long the sentence is; the next one begins where it ended."""
    sound = ReplySound(8_000)
    assert sound.feed(chunk(0, 8_000, text="Good evening.", last=False))[1] == []
    (good, evening) = sound.feed(chunk(1, 8_000))[1]
    assert (good.start_s, evening.end_s) == (0, 2)
    (done,) = sound.feed(chunk(2, 4_000, text="Done."))[1]
    assert (done.start_s, done.end_s) == (2, 2.5)


def test_a_sentence_that_was_cut_off_has_its_words() -> None:
    """A closing piece of silence belongs to the sentence before it."""
    sound = ReplySound(8_000)
    sound.feed(chunk(0, 8_000, text="Good evening.", last=False))
    assert [word.text for word in sound.feed(chunk(1, 80))[1]] == ["Good", "evening."]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
def test_the_sound_has_the_frameworks_rate(rate_hz: int) -> None:
    """Whatever rate the chunks have, the bytes are mono s16 of the wanted one, the rest with the end."""
    sound = ReplySound(rate_hz)
    audio = b"".join([sound.feed(chunk(index, 4_000, text="Well."))[0] for index in range(3)]) + sound.end()
    samples = np.frombuffer(audio, "<i2")
    assert len(samples) == pytest.approx(1.5 * rate_hz, abs=1)
    assert samples[len(samples) // 2] == pytest.approx(1000, abs=20)


def test_nothing_to_say_is_a_moment_of_silence() -> None:
    """A framework would take no sound at all for a fault."""
    sound = ReplySound(8_000)
    assert sound.empty
    assert sound.end() == bytes(160)
