"""May the process open as many sockets as it shall take clients?"""

from __future__ import annotations

import resource

from .finding import Finding, warning, well

_ABOUT = "file limit"

_OWN = 64
"""Descriptors of a gateway without clients: the storage, its listeners, the agent's connections."""


def judge(max_connections: int, soft: int, hard: int) -> Finding:
    """Compare the limit of the process, *soft*, with what is needed; up to *hard* it can be raised."""
    if soft == resource.RLIM_INFINITY:
        return well(_ABOUT, "any number of descriptors")
    if not max_connections:
        text = f"max_connections is off, and {soft} descriptors are all there are"
        return warning(
            _ABOUT, text, "set max_connections: without it, clients find out by a socket that breaks"
        )
    needed = max_connections + _OWN
    if soft >= needed:
        return well(_ABOUT, f"{soft} descriptors, for {max_connections} connections")
    text = f"{soft} descriptors are too few for {max_connections} connections"
    can_raise = hard == resource.RLIM_INFINITY or hard >= needed
    how = f"ulimit -n {needed}" if can_raise else f"have an administrator raise it to {needed}"
    return warning(_ABOUT, text, f"{how} (systemd: LimitNOFILE={needed}), or lower max_connections")


def look(max_connections: int) -> Finding:
    """Judge the limits of this process, which are those of what the same shell starts."""
    return judge(max_connections, *resource.getrlimit(resource.RLIMIT_NOFILE))
