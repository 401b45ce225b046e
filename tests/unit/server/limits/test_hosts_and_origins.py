"""Which names are answered to, and what pages of other origins may cause."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from unavoce.server.limits.hosts import Hosts
from unavoce.server.limits.origins import Origins, is_same
from unavoce.server.limits.refusals import Refusal


def scope(path: str = "/api/health", method: str = "GET", **headers: str) -> dict[str, Any]:
    found = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http", "path": path, "method": method, "headers": found}


def answers(hosts: Hosts, host: str) -> bool:
    return hosts.check(scope(host=host)) is None


MINE = ["localhost", "localhost:8010", "LOCALHOST.", "app.localhost:1", "127.0.0.1", "127.0.0.9:8010", "[::1]:8010"]
PRIVATE = ["192.168.1.5:8010", "[fd00::1]", "nas", "nas.local:8010", "box.home.arpa", "unavoce.lan", "x.internal"]
PUBLIC = [
    "evil.example",
    "evil.example:8010",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "a.b:8010:x",
    "1.2.3",
]


@pytest.mark.parametrize("bound", ["127.0.0.1", "localhost", "::1"])
def test_on_loopback_only_loopbacks_names_are_answered_to(bound: str) -> None:
    """Names of this machine for itself, with any port; no other name or address, with keys or without."""
    for keyed in (True, False):
        hosts = Hosts((), bound, keyed=keyed)
        assert all(answers(hosts, host) for host in MINE)
        refused = [hosts.check(scope(host=host)) for host in [*PRIVATE, *PUBLIC, "", "@", "évil"]]
        assert {refusal.status for refusal in refused if isinstance(refusal, Refusal)} == {421}
        assert None not in refused


def test_beyond_loopback_no_name_that_the_internet_gives_away_is_answered_to() -> None:
    """Without keys addresses, names of the house and the machine's own are answered to, names of the public DNS not."""
    hosts = Hosts((), "0.0.0.0", keyed=False)
    own = socket.gethostname()
    assert all(answers(hosts, host) for host in [*MINE, *PRIVATE, own])
    assert not any(answers(hosts, host) for host in PUBLIC)
    assert answers(Hosts((), "voice.example", keyed=False), "voice.example:8010"), "the name it is bound to"


def test_with_keys_any_name_will_do_beyond_loopback() -> None:
    """A page that rebinds its name has no key, and so gets nothing by it; where names are given they are meant."""
    assert all(answers(Hosts((), "0.0.0.0", keyed=True), host) for host in [*MINE, *PRIVATE, *PUBLIC])
    assert not answers(Hosts(("a.example",), "0.0.0.0", keyed=True), "b.example")


def test_the_operators_names_are_answered_to() -> None:
    """A name, a name's children, or all; nothing that only resembles them."""
    for bound in ("127.0.0.1", "0.0.0.0"):
        hosts = Hosts(("voice.example.com", "*.example.org"), bound, keyed=False)
        assert all(answers(hosts, host) for host in ("voice.example.com:443", "VOICE.example.com.", "a.b.example.org"))
        for host in ("example.org", "evilexample.org", "xvoice.example.com", "voice.example.com.evil"):
            assert not answers(hosts, host)
        assert answers(Hosts(("*",), bound, keyed=False), "anything.example")


def test_a_request_without_a_name_is_no_browsers() -> None:
    """HTTP/1.0 leaves `Host` out, and no browser does: such a request is answered."""
    assert Hosts((), "127.0.0.1", keyed=False).check(scope()) is None


SAME = [("http://a:8010", "a:8010"), ("https://a.example", "a.example"), ("http://a", "a:80"), ("https://A:443", "a")]
OTHER = [("http://a:8011", "a:8010"), ("http://b", "a"), ("null", "a"), ("http://a.b", "a"), ("https://a", "a:80")]


@pytest.mark.parametrize(("origin", "host", "same"), [(*p, True) for p in SAME] + [(*p, False) for p in OTHER])
def test_origins_are_compared_by_name_and_port(origin: str, host: str, same: bool) -> None:
    """A default port may be left out; nonsense is nobody's origin."""
    assert is_same(origin, host) is same
    assert not is_same("http://[", host)


COSTLY = [("/socket.io/", "GET"), ("/api/health", "GET"), ("/v1/audio/speech", "POST"), ("/metrics", "GET")]
LINK = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}


@pytest.mark.parametrize(("path", "method"), COSTLY)
def test_what_costs_something_is_refused_to_other_origins(path: str, method: str) -> None:
    """With a foreign origin, or as an image or script of another site; not from the page itself or from no browser."""
    origins = Origins(("https://friend.example",))
    here = {"host": "a:8010"}
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://a:8011"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
        {"sec_fetch_site": "same-site", "sec_fetch_mode": "no-cors"},
        {**LINK, "sec_fetch_dest": "iframe"},
    ):
        refusal = origins.check(scope(path, method, **here, **headers))
        assert refusal is not None, headers
        assert (refusal.status, refusal.code) == (403, "foreign_origin")
    for headers in (
        {},
        {"origin": "http://a:8010"},
        {"origin": "https://friend.example", "sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"},
        {"sec_fetch_site": "none", "sec_fetch_mode": "navigate"},
    ):
        assert origins.check(scope(path, method, **here, **headers)) is None, headers
    assert (origins.check(scope(path, method, **here, **LINK)) is None) is (path != "/socket.io/")
    assert Origins(("*",)).check(scope(path, method, **here, origin="null")) is None


def test_what_is_free_is_everybodys() -> None:
    """The page's files, `/healthz` and the question of a preflight are answered whoever asks."""
    for path in ("/", "/player/session.js", "/vendor/marked.esm.js", "/assets/x", "/healthz"):
        assert Origins(()).check(scope(path, host="a", origin="https://evil.example")) is None
    assert Origins(()).check(scope("/v1/models", "OPTIONS", host="a", origin="https://evil.example")) is None
