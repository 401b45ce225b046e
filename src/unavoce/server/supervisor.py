"""Tells systemd how the server is (sd_notify(3)): for a unit of `Type=notify`."""

from __future__ import annotations

import logging
import socket
from typing import Literal

from unavoce.settings.supervisor import notify_socket

log = logging.getLogger(__name__)


def tell(state: Literal["READY=1", "STOPPING=1"]) -> None:
    """Nothing where no supervisor asked for it. Never fails, and never waits."""
    address = notify_socket()
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.connect(f"\0{address[1:]}" if address.startswith("@") else address)
            out.send(state.encode())
    except OSError as error:
        log.warning("supervisor_not_told", extra={"state": state, "reason": str(error)})
