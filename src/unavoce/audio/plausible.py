"""Could this sound be that text? Catches the "successful" answers of broken engines: empty, silent, cut off, endless.

The bounds are generous on purpose: a false alarm costs a good engine its health, a miss costs one odd sentence.
"""

from __future__ import annotations

import unicodedata

from unavoce.audio.pcm import Pcm, Samples

_SILENT_PEAK = 33
"""-60 dBFS, half of peak to peak so that a constant offset counts as silence."""
_LETTER_S = (0.012, 0.45)
"""Least and most seconds a letter takes: fast speech has 25 letters a second, twice that at double speed; the most
leaves room for spelt-out names at half speed."""
_SYLLABLE_S = (0.05, 1.5)
"""The same for a character that is a syllable or more (Chinese, Japanese, Korean)."""
_DIGIT_S = (0.03, 2.2)
"""The same for a digit: "7,000,000" is read in two words, "1984" may be four."""
_SYMBOL_S = (0.0, 1.5)
"""The same for "%" or "&", which may be read as a long word or not at all."""
_LEAST_S, _FREE_S = 0.05, 4.0
"""Anything spoken lasts _LEAST_S; edges and a hesitation may add _FREE_S to any text."""
_SYLLABIC = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")


def implausible(pcm: Pcm, spoken: str) -> str | None:
    """Why `pcm` cannot be `spoken` (at any speed from 0.5 to 2), or None when it can. Names no part of the text."""
    if len(pcm.samples) == 0:
        return "the sound is empty"
    if _is_silent(pcm.samples):
        return f"{pcm.duration_s:.2f} s of sound are silent throughout"
    least_s, most_s = _bounds_s(spoken)
    if not least_s <= pcm.duration_s <= most_s:
        return (
            f"{pcm.duration_s:.2f} s of sound for {len(spoken)} characters;"
            f" between {least_s:.2f} and {most_s:.2f} s are plausible"
        )
    return None


def _is_silent(samples: Samples) -> bool:
    return int(samples.max()) - int(samples.min()) < 2 * _SILENT_PEAK


def _bounds_s(spoken: str) -> tuple[float, float]:
    ranges = [_range_s(char) for char in spoken]
    return max(_LEAST_S, sum(least for least, _ in ranges)), _FREE_S + sum(most for _, most in ranges)


def _range_s(char: str) -> tuple[float, float]:
    """Least and most seconds of one character."""
    kind = unicodedata.category(char)
    if kind == "Lo" and unicodedata.name(char, "").startswith(_SYLLABIC):
        return _SYLLABLE_S
    if kind[0] in "LM":
        return _LETTER_S
    if kind[0] == "N":
        return _DIGIT_S
    # A pause, or the name of a sign: never required.
    return _SYMBOL_S if kind[0] in "SP" else (0.0, 0.3)
