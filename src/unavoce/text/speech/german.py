"""What only German needs: ordinals before months and the like, in the case their sentence asks for."""

from __future__ import annotations

import re

from unavoce.text.speech.languages.de import MONTHS, ordinal

_NOUNS = "|".join(
    [
        *MONTHS,
        "Jahrhundert",
        "Jahrhunderts",
        "Mal",
        "Platz",
        "Klasse",
        "Stock",
        "Tag",
        "Geburtstag",
        "Weltkrieg",
        "Advent",
        "Quartal",
        "FC",
    ]
)
_ORDINAL = re.compile(rf"(?:\b(\w{{2,6}}) )?(?<![\w.,])([12][0-9]|3[01]|0?[1-9])\. ?(?=(?:{_NOUNS})\b)")
_WEAK = {"der", "die", "das"}
_DECLINED = {"am", "vom", "zum", "beim", "dem", "den", "im", "des", "bis", "ab", "seit", "zur", "ins"}


_STREET = re.compile(r"(?<=[a-zäöüß])str\.(?= [0-9])")


def read_streets(text: str) -> str:
    """ "Hauptstr. 5" → "Hauptstraße 5"."""
    return _STREET.sub("straße", text)


def read_ordinals(text: str) -> str:
    """ "am 3. Mai" → "am dritten Mai", "der 3. Mai" → "der dritte Mai", "3. Mai" → "dritter Mai"."""
    return _ORDINAL.sub(_say, text)


def _say(match: re.Match[str]) -> str:
    before = match[1] or ""
    word = ordinal(int(match[2]))
    if before.lower() in _DECLINED:
        word += "n"
    elif before.lower() not in _WEAK:
        word += "r"
    return f"{before} {word} ".lstrip()
