"""A line through recent measurements, so that what took long for a long sentence is expected of long ones. Pure."""

from __future__ import annotations

MEMORY = 0.8
"""Weight of all that came before, when a new measurement comes: about the last dozen count."""
ENOUGH_SPREAD = 0.04
"""Relative variance of x (a standard deviation of a fifth of the mean) from which a slope can be told."""


class Trend:
    """Least squares of y over x with fading memory; neither part of the line is ever negative.

    https://en.wikipedia.org/wiki/Recursive_least_squares_filter, in its simplest form: five fading sums.
    """

    def __init__(self) -> None:
        self._weight = self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: float, y: float) -> None:
        for name, value in (("_weight", 1.0), ("_x", x), ("_y", y), ("_xx", x * x), ("_xy", x * y)):
            setattr(self, name, MEMORY * getattr(self, name) + value)

    def at(self, x: float) -> float | None:
        """y to be expected at x; None before anything was measured."""
        if self._weight == 0:
            return None
        base, slope = self._line()
        return base + slope * x

    def _line(self) -> tuple[float, float]:
        mean_x, mean_y = self._x / self._weight, self._y / self._weight
        variance = self._xx / self._weight - mean_x**2
        if variance <= ENOUGH_SPREAD * mean_x**2:
            # All of one length: in proportion, the cautious guess for longer ones.
            return (0.0, mean_y / mean_x) if mean_x > 0 else (mean_y, 0.0)
        slope = (self._xy / self._weight - mean_x * mean_y) / variance
        if slope < 0:
            return mean_y, 0.0
        base = mean_y - slope * mean_x
        return (base, slope) if base >= 0 else (0.0, self._xy / self._xx)
