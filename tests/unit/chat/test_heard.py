"""What was heard, in words."""

from __future__ import annotations

import pytest

from unavoce.chat.heard import heard_text
from unavoce.narration.playback import PlaybackClock
from unavoce.text import Boundary, Sentence

TEXT = "Certainly, sir. The kettle is on.\n```\ncode\n```\nDinner is at eight. "


def _sentences() -> list[Sentence]:
    found = []
    for number, text in enumerate(["Certainly, sir.", "The kettle is on.", "Dinner is at eight."]):
        start = TEXT.index(text)
        found.append(Sentence(number, start, start + len(text), text, text, Boundary.SENTENCE))
    return found


def _clock(*durations_s: float) -> PlaybackClock:
    clock = PlaybackClock()
    for duration_s in durations_s:
        clock.sent(0.0, duration_s)
    return clock


@pytest.mark.parametrize(
    ("now_s", "heard"),
    [
        (0.0, ""),
        (1.0, "Certainly, sir."),
        (1.5, "Certainly, sir. The"),
        (2.0, "Certainly, sir. The"),
        (2.5, "Certainly, sir. The kettle is"),
        (3.0, "Certainly, sir. The kettle is on."),
        (5.0, TEXT),
    ],
)
def test_whole_sentences_and_the_words_so_far(now_s: float, heard: str) -> None:
    """Heard is every sentence that ended and the words of the one under way; at the end, everything."""
    assert heard_text(TEXT, _sentences(), [0, 1, 1, 2], _clock(1.0, 1.0, 1.0, 2.0), now_s) == heard


def test_what_was_not_sent_was_not_heard() -> None:
    """With sound of the first sentence only, the rest of the text is not in it, however late it is."""
    assert heard_text(TEXT, _sentences(), [0], _clock(1.0), 100.0) == "Certainly, sir."
    assert heard_text(TEXT, _sentences(), [], _clock(), 100.0) == ""


def test_a_skipped_sentence_in_front_does_not_hide_the_others() -> None:
    """Sound that starts with a later sentence counts all text in front of it as passed."""
    assert heard_text(TEXT, _sentences(), [1], _clock(1.0), 100.0) == "Certainly, sir. The kettle is on."
