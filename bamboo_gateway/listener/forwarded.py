"""Whence a request came that a proxy has passed on: pure functions."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

UNIX = "unix"
"""The address of whoever comes by a Unix socket."""


def is_trusted(address: str, trusted: Sequence[str]) -> bool:
    """Is *address* one of the *trusted* proxies, or in one of their networks?"""
    if address in trusted:
        return True
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(each) for each in trusted if each != UNIX)


def client_address(peer: str, forwarded_for: str, trusted: Sequence[str]) -> str:
    """
    The last address in `X-Forwarded-For` that is no trusted proxy's: it was seen by one that is.

    All before it may be made up by the client. Where there is none that can be
    read, it is the *peer*'s.
    """
    for entry in reversed(forwarded_for.split(",")):
        address = _parse(entry.strip())
        if address is None:
            return peer
        if not is_trusted(address, trusted):
            return address
        peer = address
    return peer


def _parse(entry: str) -> str | None:
    """An address, with or without brackets and a port."""
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return None
