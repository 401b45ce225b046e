"""Who counts as one: an address over IPv4, a network of 64 bits over IPv6, where a single house has all the rest."""

from __future__ import annotations

import ipaddress

from starlette.types import Scope


def address_of(scope: Scope) -> str:
    """Of the other end, behind trusted proxies; empty where it has none."""
    client = scope.get("client")
    return str(client[0])[:100] if client else ""


def place(host: str, port: int) -> str:
    """Host and port as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def group(address: str) -> str:
    """What `address` is counted as."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))
