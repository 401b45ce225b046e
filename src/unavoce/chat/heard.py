"""What a listener has heard of a reply, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from unavoce.narration.playback import PlaybackClock
from unavoce.text import Sentence


def heard_text(
    text: str,
    sentences: Sequence[Sentence],
    chunk_sentences: Sequence[int],
    clock: PlaybackClock,
    now_s: float,
) -> str:
    """The part of `text` that was heard by `now_s`: whole sentences, and of the one under way its words so far.

    `chunk_sentences` gives the sentence of each chunk that was sent. What stands silently between two sentences that
    were heard (code, say) counts as heard.
    """
    shares = [clock.heard_share(now_s, index) for index in range(len(chunk_sentences))]
    heard = next((index for index, share in enumerate(shares) if share < 1.0), len(shares))
    if heard == len(shares):
        end = sentences[chunk_sentences[-1]].end if shares else 0
        return text[:end] if text[end:].strip() else text
    sentence = sentences[chunk_sentences[heard]]
    own = [index for index, number in enumerate(chunk_sentences) if number == sentence.number]
    share = sum(shares[index] for index in own) / len(own)
    if share == 0.0:
        return text[: sentences[sentence.number - 1].end] if sentence.number else ""
    return text[: sentence.start] + _words(sentence.text, share)


def _words(text: str, share: float) -> str:
    """The whole words within the first `share` of `text`."""
    cut = round(len(text) * share)
    return text if cut >= len(text) else text[: text.rfind(" ", 0, cut + 1) + 1].rstrip()
