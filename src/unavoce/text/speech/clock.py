"""Numeric dates and times of day in any language with tables. English months, "a.m." and years: english.py."""

from __future__ import annotations

import re
from functools import cache

from unavoce.text.speech.languages.base import Language

_ISO = re.compile(r"(?<![\w-])([0-9]{4})-([01][0-9])-([0-3][0-9])(?:(T)(?=[0-9]{2}:)|(?![\w-]))")
_NUMERIC = re.compile(r"(?<![\w./-])([0-9]{1,2})(\. ?|[/-])([0-9]{1,2})\2([0-9]{4})(?![\w/-]|\.[0-9])")


def read_dates(text: str, language: Language) -> str:
    """ "2026-11-22" and "22.11.2026" → day, month by name, year; what is no date stays."""
    text = _ISO.sub(lambda match: _iso(match, language), text)
    return _NUMERIC.sub(lambda match: _numeric(match, language), text)


def _iso(match: re.Match[str], language: Language) -> str:
    date = _say_date(int(match[3]), int(match[2]), match[1], language)
    return f"{date or match[0]}{', ' if match[4] else ''}"


def _numeric(match: re.Match[str], language: Language) -> str:
    """The language's own order, or the other one when only that gives a month."""
    first, second, year = int(match[1]), int(match[3]), match[4]
    orders = [(first, second), (second, first)]
    for day, month in orders if language.day_first else reversed(orders):
        if date := _say_date(day, month, year, language):
            return date
    return match[0]


def _say_date(day: int, month: int, year: str, language: Language) -> str:
    """Empty when there is no such day."""
    clock = language.clock
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return ""
    spoken_day = clock.first_day if day == 1 and clock.first_day else str(day)
    return clock.date.format(day=spoken_day, month=clock.months[month - 1], year=year)


@cache
def _time(language: Language) -> re.Pattern[str]:
    clock = language.clock
    suffix = rf"(?: ?{clock.suffix}(?!\w))?" if clock.suffix else ""
    return re.compile(
        rf"(?<![\w:.])([01]?[0-9]|2[0-4]){clock.time_mark}([0-5][0-9])(?::([0-5][0-9]))?Z?{suffix}(?!\w|[:.][0-9])"
    )


def read_times(text: str, language: Language) -> str:
    """ "14:30" by the language's template; seconds follow after a comma."""
    return _time(language).sub(lambda match: _say_time(match, language), text)


def _say_time(match: re.Match[str], language: Language) -> str:
    clock = language.clock
    hour, minutes = int(match[1]), int(match[2])
    template = clock.time if minutes else clock.full_hour
    if not minutes and clock.late_full_hour and not 1 <= hour <= 12:
        template = clock.late_full_hour
    if hour == 1:
        template = clock.one.get(template, template)
    said_minutes = clock.small_minutes.format(m=minutes) if minutes < 10 else minutes
    spoken = template.format(h=hour, m=said_minutes)
    return f"{spoken}, {int(match[3])}" if int(match[3] or 0) else spoken
