"""From displayed text to what an engine should read: an ordered list of passes, each a pure function.

Where a thing is read: characters.py (invisible characters, emoji, engine syntax), markup.py with code.py and
mathematics.py (Markdown, HTML, inline code, formulas), addresses.py (URLs, e-mail, files, phones),
abbreviations.py, clock.py (dates, times), money.py, numbers.py (ranges, units, decimals), symbols.py (signs and
pauses), english.py and german.py (what only they need); words and names per language in speech/languages/.
"""

from __future__ import annotations

from unavoce.text.kind import Kind
from unavoce.text.speech import (
    abbreviations,
    addresses,
    characters,
    clock,
    english,
    german,
    markup,
    money,
    numbers,
    symbols,
)
from unavoce.text.speech.languages import language_of
from unavoce.text.speech.languages.base import Language

NORMALISER_VERSION = 1
"""Part of the cache key: bump it whenever `speakable` says anything differently."""


def speakable(text: str, kind: Kind, language: str) -> str:
    """The words a person would say for one displayed sentence; "" when there is nothing to say.

    `language` is a BCP 47 tag. English, German, French and Spanish are read in full; for any other language marks
    and engine syntax go and the rest is left to the engine. Pure, linear in the text, never raises.
    """
    tables = language_of(language)
    text = markup.strip_markup(characters.clean(text), kind, tables)
    text = characters.clean(text)  # again, for what HTML entities stood for
    if not characters.has_words(characters.without_emoji(text)):
        return ""
    text = addresses.read_addresses(text.strip(), tables)
    text = symbols.drop_symbols(text) if tables is None else _in_words(text, tables)
    text = characters.without_emoji(symbols.read_pauses(text))
    text = characters.tidy(characters.harmless(text))
    return text if characters.has_words(text) else ""


def _in_words(text: str, language: Language) -> str:
    if language.code == "en":
        return _english(text, language)
    text = abbreviations.expand_abbreviations(text, language)
    text = clock.read_dates(text, language)
    if language.code == "de":
        text = german.read_ordinals(german.read_streets(text))
    text = numbers.read_ranges(symbols.read_number_signs(text, language), language)
    text = clock.read_times(text, language)
    text = money.read_money(text, language)
    text = numbers.read_measures(numbers.read_fractions(text, language), language)
    text = numbers.read_decimals(text, language)
    return symbols.read_symbols(text, language)


def _english(text: str, language: Language) -> str:
    """The order matters: what has a meaning of its own (a date, a version) is read before its digits are."""
    text = english.read_roman(english.read_names(text))
    text = abbreviations.join_initials(abbreviations.expand_abbreviations(text, language))
    text = english.read_half_days(english.read_versions(clock.read_dates(text, language)))
    text = symbols.read_number_signs(numbers.with_leading_zero(text), language)
    text = english.read_calendar(numbers.read_ranges(text, language))
    text = english.read_ratios(clock.read_times(text, language))
    text = money.read_money(english.read_fractions(text), language)
    text = numbers.read_measures(english.read_marks(text), language)
    text = english.read_numbers(numbers.read_fractions(text, language))
    return symbols.read_symbols(text, language)
