"""What `unavoce doctor` looks at of the Wyoming door."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from unavoce.cli.checks import Finding, bind
from unavoce.settings import Settings

PART = "wyoming"
ANSWER_S = 5.0


async def wyoming(settings: Settings) -> list[Finding]:
    """Its package is there, and its port free or taken by a server of ours; nothing where the door is off."""
    if settings.wyoming_port is None:
        return []
    if find_spec("wyoming") is None:
        remedy = "pip install 'unavoce[wyoming]', or leave UNAVOCE_WYOMING_PORT unset"
        return [Finding(PART, "wrong", "the door's package is not installed", remedy)]
    return [await _port(settings.host, settings.wyoming_port)]


async def _port(host: str, port: int) -> Finding:
    address = f"{host}:{port}"
    try:
        bind(host, port)
    except OSError as error:
        if await _is_ours(host, port):
            return Finding(PART, "ok", f"{address}: an unavoce server is running there")
        remedy = "stop the program that uses it, or choose another with UNAVOCE_WYOMING_PORT"
        return Finding(PART, "wrong", f"cannot listen at {address} ({error.strerror})", remedy)
    return Finding(PART, "ok", f"{address} is free")


async def _is_ours(host: str, port: int) -> bool:
    from wyoming.client import AsyncTcpClient  # noqa: PLC0415  # it may not be installed
    from wyoming.info import Describe, Info  # noqa: PLC0415

    try:
        async with asyncio.timeout(ANSWER_S), AsyncTcpClient(_reachable(host), port) as client:
            await client.write_event(Describe().event())
            event = await client.read_event()
            return event is not None and any(one.name == "unavoce" for one in Info.from_event(event).tts)
    except (OSError, TimeoutError, ValueError, KeyError, TypeError, AttributeError):  # whatever else listens there
        return False


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not listened at here
