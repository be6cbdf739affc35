"""Can the gateway listen where it shall, and if not, who is there already?"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import attrs
import trio

from ...client import ConnectError
from ...client.endpoint import Endpoint
from ...config import Address, UnixAddress
from ..http_get import get
from ..plain_text import one_line
from .finding import Finding, fault, warning, well
from .listening_process import listening_process

_ABOUT = "port"

_PATIENCE = 2.0
"""Seconds for which whoever listens there is asked what it is."""

_MAX_SOCKET_PATH = 107
"""Bytes of a socket's path: Linux's limit."""


@attrs.frozen(kw_only=True)
class PortSurvey:
    """What came of trying to listen."""

    errno: int | None = None
    """Why it cannot be listened on, as the system says; None: it can."""
    reason: str = ""
    server: str | None = None
    """What answers there, if it is a bamboo-gateway: its version."""
    process: str | None = None
    """Who listens there, if that can be seen."""


def judge(address: Address | UnixAddress, found: PortSurvey) -> Finding:
    """Tell what that means."""
    if isinstance(address, Address) and not address.port:
        return well(_ABOUT, f"{address}: the system chooses a free one")
    if found.errno is None:
        return well(_ABOUT, f"{address} is free")
    by = f" (process {found.process})" if found.process else ""
    if found.server is not None:
        text = f"a bamboo-gateway {one_line(found.server)} listens on {address} already{by}"
        return warning(_ABOUT, text, "well, if that is the one; a second one takes another --bind")
    if found.errno == errno.EADDRINUSE:
        text = f"something else listens on {address}{by}"
        return fault(_ABOUT, text, "stop that, or choose another --bind")
    return fault(_ABOUT, f"{address} cannot be listened on: {found.reason}", _remedy(found.errno, address))


def _remedy(number: int, address: Address | UnixAddress) -> str:
    match number:
        case errno.EACCES | errno.EPERM if isinstance(address, Address):
            return (
                "ports below 1024 are the administrator's: choose one from 1024 on, or put a proxy in front"
            )
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address; `ip address` shows those it has, and 0.0.0.0 means all"
        case _ if isinstance(address, UnixAddress):
            return "choose a path whose folder is there and may be written to by this user"
        case _:
            return "see whether --bind names this machine"


async def look(address: Address | UnixAddress) -> PortSurvey:
    """Try to listen on *address* for a moment; where somebody does already, ask who it is."""
    if isinstance(address, UnixAddress):
        found = _try_socket(Path(address.path))
    elif address.port:
        found = await _try_port(address)
    else:
        found = PortSurvey()
    if found.errno != errno.EADDRINUSE:
        return found
    process = None if isinstance(address, UnixAddress) else listening_process(address.port)
    return attrs.evolve(found, process=process, server=await _ask(address))


async def _try_port(address: Address) -> PortSurvey:
    try:
        listeners = await trio.open_tcp_listeners(address.port, host=address.host)
    except OSError as error:
        return _refused(error)
    for listener in listeners:
        await listener.aclose()
    return PortSurvey()


def _try_socket(path: Path) -> PortSurvey:
    """Without making one: only whether that could be done."""
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
        return PortSurvey(errno=errno.ENAMETOOLONG, reason=os.strerror(errno.ENAMETOOLONG))
    if path.is_socket():
        return PortSurvey(errno=errno.EADDRINUSE) if _is_served(path) else PortSurvey()
    if path.exists():
        return PortSurvey(errno=errno.EEXIST, reason="there is a file of that name, which is no socket")
    if not os.access(path.parent, os.W_OK):
        return PortSurvey(errno=errno.EACCES, reason=f"{path.parent} is no folder that may be written to")
    return PortSurvey()


def _is_served(path: Path) -> bool:
    """Does anybody listen there? Where not, a gateway takes it away by itself."""
    import socket  # noqa: PLC0415 -- this alone needs it

    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


def _refused(error: OSError) -> PortSurvey:
    """Of several addresses that a name has, what was said of the first."""
    cause: BaseException = error
    while isinstance(cause.__cause__, BaseExceptionGroup | OSError):
        cause = cause.__cause__
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    found = cause if isinstance(cause, OSError) else error
    return PortSurvey(errno=found.errno or -1, reason=found.strerror or str(found))


async def _ask(address: Address | UnixAddress) -> str | None:
    """The version of the gateway that listens on *address*; None: it is none, or says nothing."""
    import json  # noqa: PLC0415

    url = str(address) if isinstance(address, UnixAddress) else f"ws://{_reachable(address)}"
    with trio.move_on_after(_PATIENCE):
        try:
            _, body = await get(Endpoint.parse(url), "/version")
            told = json.loads(body)
            return str(told["version"]) if told["name"] == "bamboo-gateway" else None
        except (ConnectError, ValueError, KeyError, TypeError):
            return None
    return None


def _reachable(address: Address) -> Address:
    """Where to dial what listens on all addresses."""
    hosts = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- a name for all of them, not one to listen on
    return Address(hosts.get(address.host, address.host), address.port)
