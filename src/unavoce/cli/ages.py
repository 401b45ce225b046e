"""Ages as a person writes them: 30d, 12h, 90m."""

from __future__ import annotations

import re

import click

_AGE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smhdw])", re.ASCII)
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def seconds_of(age: str) -> float:
    """Seconds of an age such as `30d`; more than 0. Raises ValueError with what was expected."""
    found = _AGE.fullmatch(age.strip())
    age_s = float(found[1]) * _UNIT_S[found[2]] if found else 0.0
    if not age_s:
        raise ValueError("expected a number and a unit, such as 30d, 12h, 90m or 2w")
    return age_s


def option(_: click.Context, parameter: click.Parameter, age: str | None) -> float | None:
    """The callback of an option that takes an age: its seconds."""
    try:
        return None if age is None else seconds_of(age)
    except ValueError as error:
        raise click.BadParameter(f"{age!r}: {error}.", param=parameter) from None
