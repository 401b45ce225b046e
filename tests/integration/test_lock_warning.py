"""A server that is open to others says so, where nobody can miss it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.support.server import serving_process

from unavoce.cli import checks
from unavoce.server import exposure
from unavoce.settings import Settings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "nas.local"])
def test_an_open_server_is_warned_of_in_a_frame(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Several lines in a frame on standard error, with the address and both remedies; doctor says it too."""
    exposure.warn(Settings(host=host, wyoming_port=10200))
    told = capsys.readouterr()
    lines = told.err.strip().splitlines()
    assert told.out == ""
    assert len(lines) >= 6
    assert {len(line) for line in lines} == {len(lines[0])}, "every line has both edges of the frame"
    assert set(lines[0]) == set(lines[-1]) == {"*"}
    assert "WARNING" in lines[1]
    for named in ("UNAVOCE_API_KEYS", "UNAVOCE_HOST=127.0.0.1", "8010", "10200"):
        assert named in told.err
    finding = checks.doors(Settings(host=host))
    assert finding.status == "note"
    assert "WARNING" in finding.detail
    assert finding.remedy == exposure.REMEDY


@pytest.mark.parametrize(("host", "keys"), [("127.0.0.1", ()), ("localhost", ()), ("::1", ()), ("0.0.0.0", ("key",))])
def test_a_closed_server_is_not_warned_of(host: str, keys: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """On loopback, or with a key, nothing is printed and doctor finds it well."""
    settings = Settings(host=host, api_keys=keys)
    exposure.warn(settings)
    assert capsys.readouterr().err == ""
    assert checks.doors(settings).status == "ok"


def test_the_server_itself_prints_it(data_dir: Path) -> None:
    """`unavoce serve` on every network and without a key, as a container runs it; it serves all the same."""
    with serving_process(data_dir, UNAVOCE_HOST="0.0.0.0", UNAVOCE_ENGINES="fake", UNAVOCE_LOG_LEVEL="error") as url:
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    log = (data_dir / "log.txt").read_text()
    assert "*  WARNING: this server is open to anyone who can reach it." in log
