"""What of an address stands for one client, where clients are told apart by it."""

from __future__ import annotations

import ipaddress

_IPV6_PREFIX = 64
"""Bits of an IPv6 address that a provider gives away: within them, a client has addresses at will."""


def address_key(address: str) -> str:
    """
    The part of *address* that a client cannot change at will.

    An IPv4 address, in IPv6's clothes or not, is its own; of an IPv6 address it
    is the network of 64 bits; whatever else (`unix`) stands for itself.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    # The integer, because the zone of `fe80::1%eth0` is no part of a network.
    return str(ipaddress.ip_network((int(ip), _IPV6_PREFIX), strict=False))
