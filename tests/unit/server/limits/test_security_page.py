"""docs/security.md and the code say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from unavoce.chat import outbox
from unavoce.server.limits import bodies, buckets, hosts, protocols
from unavoce.server.limits.web import web_config
from unavoce.server.sockets import door as sockets
from unavoce.server.wyoming import door as wyoming
from unavoce.settings import Settings
from unavoce.settings.model import setting_names

PAGE = Path(__file__).parents[4] / "docs" / "security.md"
TEXT = PAGE.read_text("utf-8")
ROW = re.compile(
    r"^\| (?P<limit>[^|]+) \| (`UNAVOCE_(?P<name>[A-Z_]+)`)? ?\| `?(?P<default>[^|`]+)`? \| [^|]+ \|$", re.MULTILINE
)
LIMITS = {row["name"].lower(): row["default"] for row in ROW.finditer(TEXT) if row["name"]}
CODE = Path(bodies.__file__).parent


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_the_default_of_each_limit_is_the_settings(name: str) -> None:
    """What the table gives as a default is what the server has."""
    assert LIMITS[name] == str(Settings.model_fields[name].default).removesuffix(".0")


def test_every_setting_that_limits_callers_is_in_the_table() -> None:
    """A new `max_…` or `…_timeout_s` of the doors has its row here."""
    limits = {name for name in setting_names() if name.startswith("max_")}
    limits |= {"request_timeout_s", "send_timeout_s", "handshake_timeout_s"}
    assert limits == set(LIMITS)


def test_limits_without_a_setting_are_the_codes() -> None:
    """Numbers that nobody can set stand in the page as they stand in the code."""
    keep_alive_s = web_config(None, Settings()).timeout_keep_alive
    for stated in (
        f"| {bodies.MAX_HEAD_BYTES >> 10} KiB |",
        f"| {sockets.MAX_PACKET_BYTES:,} bytes |",
        f"| the same for a Socket.IO client, with {outbox.MAX_BYTES >> 20} MiB of events waiting at most |"
        f" | {outbox.STUCK_S:g} s |",
        f"| {protocols.MAX_FRAGMENTS:,} |",
        f"| {wyoming.MAX_CONNECTIONS}, {wyoming.MAX_CONNECTIONS_PER_ADDRESS} |",
        f"| {keep_alive_s} s |",
        f"| {sockets.PING_INTERVAL_S + sockets.PING_TIMEOUT_S} s |",
        f"{buckets.MOST:,} addresses are remembered",
    ):
        assert stated in TEXT, stated
    assert buckets.BURST_S == 10
    for ending in hosts.PRIVATE_ENDINGS:
        assert f"`{ending}`" in TEXT


def test_every_answer_of_the_gate_is_on_the_page() -> None:
    """Each code that the gate refuses with is listed with each of its statuses, and no other is."""
    used: dict[str, set[int]] = {}
    for path in CODE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                status, code = (one.value for one in node.args[:2] if isinstance(one, ast.Constant))
                used.setdefault(str(code), set()).add(int(str(status)))
    rows = re.findall(r"^\| `([a-z_]+)` \| ([\d, ]+) \|", TEXT, re.MULTILINE)
    assert {code: {int(status) for status in statuses.split(",")} for code, statuses in rows} == used


def test_every_setting_that_the_page_names_is_one() -> None:
    """No variable on the page is invented."""
    named = {name.lower() for name in re.findall(r"UNAVOCE_([A-Z_]+)", TEXT)}
    assert named <= set(setting_names())
