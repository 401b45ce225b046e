"""Where a supervisor that started this process wants to be told how it is."""

from __future__ import annotations

import os


def notify_socket() -> str:
    """The path of systemd's socket (sd_notify(3)); one that begins with @ is abstract. Empty where there is none."""
    return os.environ.get("NOTIFY_SOCKET", "")
