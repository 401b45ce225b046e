"""What systemd is told, where it asked for it."""

from __future__ import annotations

import logging
import os
import socket
import sys
from pathlib import Path

import pytest

from unavoce.server import supervisor


def test_nobody_is_told_where_nobody_asked(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Without NOTIFY_SOCKET nothing is sent and nothing is logged."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    supervisor.tell("READY=1")
    assert not caplog.records


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has abstract sockets")
def test_an_abstract_socket_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd may give a name that begins with @, which stands for a zero byte."""
    name = f"unavoce-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(f"\0{name}")
        there.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        supervisor.tell("STOPPING=1")
        assert there.recv(100) == b"STOPPING=1"


def test_a_supervisor_that_is_gone_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The server goes on, and its log says that nobody was told."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    with caplog.at_level(logging.WARNING):
        supervisor.tell("READY=1")
    assert [record.message for record in caplog.records] == ["supervisor_not_told"]
