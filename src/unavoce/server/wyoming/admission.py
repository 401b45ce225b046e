"""Who is let in. Wyoming cannot carry a key: where keys are asked for, only addresses that were named do without."""

from __future__ import annotations

import ipaddress

from unavoce.settings import Settings

THIS_MACHINE = ("127.0.0.0/8", "::1/128")
EVERYBODY = ("0.0.0.0/0", "::/0")


class Admission:
    """The networks an operator named; without any this machine where keys are set, else everybody."""

    def __init__(self, settings: Settings) -> None:
        unnamed = THIS_MACHINE if settings.api_keys else EVERYBODY
        networks = unnamed if settings.wyoming_clients is None else settings.wyoming_clients
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def admits(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(known, ipaddress.IPv6Address):
            known = known.ipv4_mapped or known  # as a socket for both kinds names an IPv4 client
        return any(known in network for network in self._networks)
