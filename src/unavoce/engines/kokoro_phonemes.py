"""From espeak's phonemes to Kokoro's alphabet, and where a long text may be cut. Pure.

The map is that of `EspeakFallback.E2M` in misaki 0.9, without its ties.
"""
# ruff: noqa: RUF001 - phonemes look like other letters

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MAX_TOKENS = 500
"""Of one computation; the model takes 510."""
WHOLE = 48
"""Tokens, some three and a half seconds of sound: no more than this is spoken in one go."""
SHORTEST = 24
"""Of a piece, some 1.7 s of speech: around each, however short, Kokoro computes 0.75 s of silence."""
LONGEST = 64
"""Of a piece where the text has marks enough: an abort waits for one step of a computation, which grows with it."""
GROWTH = 2
"""A piece is at most this many times as long as what was said before it, so that it is ready when that has ended."""

_FIRST_BRITISH = (("eə", "ɛː"), ("iə", "ɪə"), ("əʊ", "Q"))
_FIRST_AMERICAN = (("oʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ɾ", "T"), ("ɚɹ", "əɹ"))
_BOTH = (
    *(("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"), ("e", "A"), ("ɔɪ", "Y"), ("tʃ", "ʧ"), ("dʒ", "ʤ")),
    *(("ɚ", "əɹ"), ("ɐ", "ə"), ("r", "ɹ"), ("x", "k"), ("ç", "k"), ("ɬ", "l"), ("ʔ", "t"), ("ʲ", "")),
)
_SYLLABIC = re.compile("(\\S)\u0329")
_MARKS = "ˈˌː"
"""Letters to Python, but no sounds of their own."""
_CLAUSE = re.compile(r"[;:,.!?…—]\s+")
_GAP = re.compile(r"[;:,.!?…— ]")


def in_kokoro(phonemes: str, *, british: bool) -> str:
    """`phonemes` as espeak writes them (`en-gb-x-rp` or `en-us`), in Kokoro's alphabet."""
    for old, new in (*(_FIRST_BRITISH if british else _FIRST_AMERICAN), *_BOTH):
        phonemes = phonemes.replace(old, new)
    phonemes = _SYLLABIC.sub(r"ᵊ\1", phonemes)
    return phonemes if british else phonemes.replace("ː", "")


def tokens(phonemes: str, vocabulary: Mapping[str, int]) -> list[int]:
    """Their numbers; what the vocabulary does not know is left out. Empty where nothing is pronounced."""
    known = [phoneme for phoneme in phonemes if phoneme in vocabulary]
    if not any(phoneme.isalpha() and phoneme not in _MARKS for phoneme in known):
        return []
    return [vocabulary[phoneme] for phoneme in known]


def pieces(phonemes: str) -> list[str]:
    """`phonemes` in parts to be spoken one after the other. Loses nothing.

    A short text is one part. A longer one is cut after clauses, the first of them early; where it has none, only
    as far as the model needs it.
    """
    cuts = _cuts(phonemes)
    parts = [phonemes[start:end] for start, end in zip([0, *cuts], [*cuts, len(phonemes)], strict=True)]
    return [run for part in parts for run in runs_of(part)]


def _cuts(phonemes: str) -> list[int]:
    whole = len(phonemes)
    if whole <= WHOLE:
        return []
    ends = [match.end() for match in _CLAUSE.finditer(phonemes) if SHORTEST <= match.end() <= whole - SHORTEST]
    cuts: list[int] = []
    cut = _first_cut(ends, whole)
    while cut < whole:
        cuts.append(cut)
        cut = _next_cut(ends, cut, whole)
    return cuts


def _first_cut(ends: Sequence[int], whole: int) -> int:
    """The earliest after which the next piece is ready in time; the end of the text where there is none."""
    return next((end for end in ends if _next_cut(ends, end, whole) - end <= GROWTH * end), whole)


def _next_cut(ends: Sequence[int], start: int, whole: int) -> int:
    """The last that is ready in time, else the next one."""
    longest = min(LONGEST, GROWTH * start)
    later = [end for end in ends if end - start >= SHORTEST]
    if whole - start <= longest or not later:
        return whole
    return max((end for end in later if end - start <= longest), default=later[0])


def runs_of(phonemes: str, limit: int = MAX_TOKENS) -> list[str]:
    """`phonemes` in parts of at most `limit`, cut after a space or a stop where there is one. Loses nothing."""
    parts = []
    while len(phonemes) > limit:
        ends = [match.end() for match in _GAP.finditer(phonemes, 0, limit)]
        end = ends[-1] if ends else limit
        parts.append(phonemes[:end])
        phonemes = phonemes[end:]
    return [*parts, phonemes] if phonemes else parts
