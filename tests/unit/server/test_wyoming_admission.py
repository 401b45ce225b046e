"""Which addresses may use the Wyoming door."""

from __future__ import annotations

from typing import Any

import pytest

from unavoce.errors import SettingsError
from unavoce.server.wyoming.admission import Admission
from unavoce.settings import load_settings

KEYS = {"api_keys": ["secret"]}
HOME = {"wyoming_clients": "192.168.1.20, 10.0.0.0/8,fd00::/8"}


@pytest.mark.parametrize(
    ("settings", "admitted", "refused"),
    [
        ({}, ["127.0.0.1", "203.0.113.9", "2001:db8::1"], ["", "no address"]),
        (KEYS, ["127.0.0.1", "::1", "::ffff:127.0.0.1"], ["192.168.1.20", "10.1.2.3", "fd00::1", "::ffff:10.1.2.3"]),
        ({**KEYS, **HOME}, ["192.168.1.20", "10.1.2.3", "::ffff:10.1.2.3", "fd00::1"], ["192.168.1.21", "127.0.0.1"]),
        (HOME, ["10.1.2.3"], ["127.0.0.1", "203.0.113.9"]),
        ({"wyoming_clients": ""}, [], ["127.0.0.1", "::1"]),
    ],
)
def test_who_is_let_in(settings: dict[str, Any], admitted: list[str], refused: list[str]) -> None:
    """Those that were named; without names this machine where keys are set, else everybody."""
    admission = Admission(load_settings(environ={}, **settings))
    assert [address for address in (*admitted, *refused) if admission.admits(address)] == admitted


def test_a_network_that_is_none_is_refused_at_the_start() -> None:
    """The message says what was expected."""
    with pytest.raises(SettingsError, match=r"10\.0\.0\.0/8"):
        load_settings(environ={}, wyoming_clients="kitchen")
