"""What counts as one address where clients are bounded by theirs."""

from __future__ import annotations

import ipaddress

_NETWORK_BITS = 64
"""Of an IPv6 address: what is behind them is one household's, or one machine's, to choose from."""


def address_key(address: str) -> str:
    """An IPv4 address itself, the /64 of an IPv6 one; anything else (`unix`) as it is."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(ip), _NETWORK_BITS), strict=False))
