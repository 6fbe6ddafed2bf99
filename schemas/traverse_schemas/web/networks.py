"""Addresses as they are counted: one subscriber is one, and the operator's proxies are nobody."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

_SUBSCRIBER: Final = 64
"""Bits of the network of IPv6 that one subscriber has, and all of whose addresses it may use."""


def network_of(address: str) -> str:
    """The address, or the network that counts as one; what is no address stays as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed), _SUBSCRIBER), strict=False))
    return str(parsed)


class Proxies:
    """The operator's own, as the setting TRAVERSE_TRUSTED_PROXIES names them."""

    def __init__(self, setting: str) -> None:
        """Addresses and networks with commas between, or `*` for whoever connects."""
        names = [name.strip() for name in setting.split(",")]
        self._all = "*" in names
        self._networks = [network for name in names if (network := _network(name)) is not None]

    def __contains__(self, address: str) -> bool:
        """Whether an address is of one of them."""
        if self._all:
            return True
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _network(name: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(name)
    except ValueError:
        return None
