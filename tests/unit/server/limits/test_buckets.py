"""Token buckets and places: the arithmetic, and that neither grows without end."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.server.limits.addresses import group
from unavoce.server.limits.buckets import BURST_S, Buckets
from unavoce.server.limits.places import Places


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_burst_and_then_the_rate() -> None:
    """Ten seconds' worth at once, then as many as time has brought; the wait that is told is long enough."""
    clock = Clock(100.0)
    buckets = Buckets(2, now=clock)
    assert [buckets.take("a") for _ in range(int(2 * BURST_S))] == [0.0] * 20
    wait_s = buckets.take("a")
    assert wait_s == pytest.approx(0.5)
    assert buckets.take("b") == 0.0, "another caller has a bucket of its own"
    clock.now_s += wait_s
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0.0


@given(st.lists(st.floats(0, 3), max_size=60), st.floats(0.5, 20))
def test_no_more_comes_through_than_the_rate_allows(pauses: list[float], rate_hz: float) -> None:
    """Whenever the requests come, at most the burst and the rate's share of the time get through."""
    clock = Clock()
    buckets = Buckets(rate_hz, now=clock)
    through = 0
    for pause in pauses:
        clock.now_s += pause
        through += buckets.take("a") == 0.0
        assert through <= rate_hz * (BURST_S + clock.now_s) + 1e-6


def test_what_is_owed_is_waited_for() -> None:
    """Packets that come too fast are each told to wait longer, and after a pause none is."""
    clock = Clock()
    buckets = Buckets(10, now=clock)
    waits = [buckets.owe("a") for _ in range(103)]
    assert waits[:100] == [0.0] * 100
    assert waits[100:] == pytest.approx([0.1, 0.2, 0.3])
    clock.now_s += 10.0
    assert buckets.owe("a") == 0.0


def test_the_number_of_buckets_is_bounded() -> None:
    """Any number of callers leaves as many buckets as there may be, and those in use are not the ones that go."""
    buckets = Buckets(1, most=100, now=Clock())
    for number in range(1_000):
        buckets.take("busy")
        buckets.take(f"caller {number}")
    assert len(buckets) == 100
    assert buckets.take("busy") > 0.0, "it was not forgotten, and so it is still empty"


def test_a_house_has_one_place_in_ipv6() -> None:
    """Addresses of one /64 count together, IPv4 in IPv6 as itself, and what is no address as it stands."""
    assert group("2001:db8:1:2:3:4:5:6") == group("2001:db8:1:2::1") != group("2001:db8:1:3::1")
    assert group("::ffff:192.0.2.1") == group("192.0.2.1") == "192.0.2.1"
    assert group("") == ""


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=80))
def test_places_are_as_many_as_there_are(steps: list[tuple[bool, str]]) -> None:
    """Whoever comes and goes: no more than five in all and three of one address, none lost, none forgotten."""
    places = Places(5, 3, exempt={"c"})
    here: list[str] = []
    for comes, address in steps:
        if comes:
            free = len(here) < 5 and (address == "c" or here.count(address) < 3)
            assert places.take(address) is free
            here += [address] * free
        elif address in here:
            here.remove(address)
            places.give_back(address)
        assert places.taken == len(here)
