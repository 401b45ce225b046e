"""Ages and sizes as people write and read them."""

from __future__ import annotations

import pytest

from unavoce.cli.ages import seconds_of
from unavoce.cli.table import print_table, size


@pytest.mark.parametrize(
    ("age", "seconds"),
    [("90s", 90), ("90m", 5400), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600), (" 1.5 h ", 5400)],
)
def test_an_age_is_a_number_and_a_unit(age: str, seconds: float) -> None:
    """Seconds, minutes, hours, days and weeks are known."""
    assert seconds_of(age) == seconds


@pytest.mark.parametrize("age", ["", "30", "d", "0d", "-1d", "1y", "30 days", "1e3d", "nan d", "٣d", "9999999d"])
def test_what_is_no_age_is_refused(age: str) -> None:
    """Nothing is guessed: a wrong age would remove the wrong clips."""
    with pytest.raises(ValueError, match="such as 30d"):
        seconds_of(age)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1024, "1.0 KiB"), (5 << 20, "5.0 MiB"), (3 << 40, "3,072.0 GiB")],
)
def test_bytes_are_shown_in_a_unit_that_fits(count: int, shown: str) -> None:
    """The largest unit that leaves a whole one."""
    assert size(count) == shown


def test_what_a_table_shows_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A voice's name comes from a file that anyone may have written; columns stay in line."""
    print_table([("voice", "clips"), ("\x1b[2Jevil", "1")])
    assert capsys.readouterr().out == "voice     clips\n\N{REPLACEMENT CHARACTER}[2Jevil  1\n"
