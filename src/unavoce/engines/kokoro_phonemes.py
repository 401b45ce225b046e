"""From espeak's phonemes to Kokoro's alphabet, after `EspeakFallback.E2M` of misaki 0.9, without its ties."""
# ruff: noqa: RUF001 - phonemes look like other letters

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_TOKENS = 500
"""Of one computation; the model takes 510."""

_FIRST_BRITISH = (("eə", "ɛː"), ("iə", "ɪə"), ("əʊ", "Q"))
_FIRST_AMERICAN = (("oʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ɾ", "T"), ("ɚɹ", "əɹ"))
_BOTH = (
    *(("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"), ("e", "A"), ("ɔɪ", "Y"), ("tʃ", "ʧ"), ("dʒ", "ʤ")),
    *(("ɚ", "əɹ"), ("ɐ", "ə"), ("r", "ɹ"), ("x", "k"), ("ç", "k"), ("ɬ", "l"), ("ʔ", "t"), ("ʲ", "")),
)
_SYLLABIC = re.compile("(\\S)\u0329")
_SPLIT = re.compile(r"[;:,.!?— ]")


def in_kokoro(phonemes: str, *, british: bool) -> str:
    """`phonemes` as espeak writes them (`en-gb-x-rp` or `en-us`), in Kokoro's alphabet."""
    for old, new in (*(_FIRST_BRITISH if british else _FIRST_AMERICAN), *_BOTH):
        phonemes = phonemes.replace(old, new)
    phonemes = _SYLLABIC.sub(r"ᵊ\1", phonemes)
    return phonemes if british else phonemes.replace("ː", "")


def tokens(phonemes: str, vocabulary: Mapping[str, int]) -> list[int]:
    """Their numbers; what the vocabulary does not know is left out. Empty where nothing is pronounced."""
    if not any(phoneme.isalpha() for phoneme in phonemes):
        return []
    return [vocabulary[phoneme] for phoneme in phonemes if phoneme in vocabulary]


def runs_of(phonemes: str, limit: int = MAX_TOKENS) -> list[str]:
    """`phonemes` in parts of at most `limit`, cut after a space or a stop where there is one. Loses nothing."""
    parts = []
    while len(phonemes) > limit:
        ends = [match.end() for match in _SPLIT.finditer(phonemes, 0, limit)]
        end = ends[-1] if ends else limit
        parts.append(phonemes[:end])
        phonemes = phonemes[end:]
    return [*parts, phonemes] if phonemes else parts
