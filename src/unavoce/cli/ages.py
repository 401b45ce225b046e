"""Ages as a person writes them: 30d, 12h, 90m."""

from __future__ import annotations

import re
from typing import Any

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


class Age(click.ParamType[float]):
    """An option's value in seconds."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return seconds_of(str(value))
        except ValueError as error:
            self.fail(f"{value!r}: {error}.", param, ctx)
