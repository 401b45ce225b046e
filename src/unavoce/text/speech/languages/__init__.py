"""Which tables a language tag means."""

from __future__ import annotations

from dataclasses import replace

from unavoce.text.speech.languages.base import Language
from unavoce.text.speech.languages.de import GERMAN
from unavoce.text.speech.languages.en import ENGLISH
from unavoce.text.speech.languages.es import SPANISH
from unavoce.text.speech.languages.fr import FRENCH

_KNOWN = {known.code: known for known in (ENGLISH, GERMAN, SPANISH, FRENCH)}
_MONTH_FIRST = {"en", "en-us"}
_BRITISH = replace(ENGLISH, day_first=True)


def language_of(tag: str) -> Language | None:
    """The tables for a BCP 47 tag (or `en_US`), None for a language without any.

    "03/04/2026" is March in American English and in English of no country, April in every other.
    """
    tag = tag.strip().lower().replace("_", "-")
    primary = tag.split("-", 1)[0]
    if primary == "en" and tag not in _MONTH_FIRST:
        return _BRITISH
    return _KNOWN.get(primary)
