"""How one gateway is, as far as somebody from outside is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs
import trio

from ..client import Client, ClientError, ClientLimits, ClosedError, ConnectError, RefusedError
from ..client.endpoint import Endpoint
from ..config import DEFAULT_BIND, Address
from ..errors import ErrorCode
from ..protocol.messages import Json
from .http_get import get
from .target import Target

Record: TypeAlias = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class GatewayStatus:
    """What was found out; what was not is None."""

    url: str
    is_reachable: bool = False
    fault: str | None = None
    """Why it could not be reached, or why no client was let in."""
    remedy: str | None = None
    """What to do about that."""
    latency: float | None = None
    """Seconds that it took to answer whether it is ready; with a connection of its own."""
    version: str | None = None
    is_ready: bool | None = None
    """May clients be sent there now?"""
    reason: str | None = None
    """Why not."""
    info: Record | None = None
    """The answer of `gateway.info`."""
    stats: Record | None = None
    """The answer of `gateway.stats`."""
    missing: str | None = None
    """Why it would not tell its statistics."""


async def look(to: Target, patience: float) -> GatewayStatus:
    """
    Find out how the gateway is, within *patience* seconds for each of three questions.

    Raises:
        ConnectError: The URL is none.
    """
    found = GatewayStatus(url=to.url)
    endpoint = Endpoint.parse(to.url)
    try:
        found = await _look_from_outside(endpoint, found, patience)
    except ConnectError as error:
        return attrs.evolve(found, fault=_reason(endpoint, error), remedy=_remedy(endpoint, error))
    try:
        async with to.visit(
            "status", ClientLimits(connect_timeout=patience, reply_timeout=patience)
        ) as client:
            return await _look_from_inside(client, found)
    except ClientError as error:
        if found.is_ready is None:  # whatever it is that answered to HTTP
            remedy = "see whether the URL is right: what listens there seems to be no bamboo-gateway"
            return attrs.evolve(found, fault=str(error), remedy=remedy)
        return attrs.evolve(found, fault=str(error), remedy=_way_in(error))


async def _look_from_outside(endpoint: Endpoint, found: GatewayStatus, patience: float) -> GatewayStatus:
    """What plain HTTP tells, to whoever asks."""
    started = trio.current_time()
    try:
        with trio.fail_after(patience):
            _, body = await get(endpoint, "/readyz")
            latency = trio.current_time() - started
            _, version = await get(endpoint, "/version")
    except trio.TooSlowError:
        raise ConnectError(f"no answer from {endpoint.url} within {patience:g} seconds") from None
    found = attrs.evolve(found, is_reachable=True, latency=latency)
    match _parse(version):
        case {"name": "bamboo-gateway", "version": str(text)}:
            found = attrs.evolve(found, version=text)
        case _:
            pass
    match _parse(body):
        case {"status": "ready"}:
            return attrs.evolve(found, is_ready=True)
        case {"status": "not ready", "reason": str(reason)}:
            return attrs.evolve(found, is_ready=False, reason=reason)
        case _:  # a proxy that passes on WebSockets alone; or no gateway
            return found


async def _look_from_inside(client: Client, found: GatewayStatus) -> GatewayStatus:
    info: Any = await client.command("gateway.info")
    found = attrs.evolve(found, info=info, version=info["version"])
    try:
        stats: Any = await client.command("gateway.stats", {"histograms": True})
    except RefusedError as error:
        if error.code != ErrorCode.FORBIDDEN:
            raise
        return attrs.evolve(found, missing=error.message)
    found = attrs.evolve(found, stats=stats)
    if found.is_ready is None:
        is_failing = stats["statistics"]["journal"]["is_failing"]
        found = attrs.evolve(found, is_ready=not is_failing, reason="storage failing" if is_failing else None)
    return found


def _parse(body: bytes) -> Json:
    try:
        value: Json = json.loads(body)
    except ValueError:
        return None
    return value


def _reason(endpoint: Endpoint, error: ConnectError) -> str:
    return str(error).removeprefix(f"cannot reach {endpoint.url}: ")


def _remedy(endpoint: Endpoint, error: ConnectError) -> str:
    """What a person can do about a gateway that cannot be reached."""
    if endpoint.is_secure and str(error).startswith(("no TLS", "no answer")):
        return (
            "without a certificate it is at ws://…; one of its own making has to be trusted by this machine"
        )
    if endpoint.socket_path is not None:
        return f"start one there: bamboo-gateway serve --bind {endpoint.url}"
    address = Address(endpoint.host, endpoint.port)
    if not address.is_loopback:
        return "see whether it runs there, what its --bind is, and whether a firewall stands between"
    if "speaks no HTTP" in str(error):
        return "see which port the gateway has: something else listens on this one, or it wants wss://…"
    if str(error).startswith("no answer"):
        return "something listens there and says nothing: see its log, or what `kill -USR1` makes it say"
    bind = "" if str(address) == DEFAULT_BIND else f" --bind {address}"
    return f"start one: bamboo-gateway serve{bind}"


def _way_in(error: ClientError) -> str | None:
    """What a client can do that was not let in."""
    match error:
        case RefusedError(code=ErrorCode.UNAUTHORIZED):
            return (
                "give a token: --token, or the variable BAMBOO_TOKEN; "
                "`bamboo-gateway token create --user NAME` makes one"
            )
        case RefusedError(retryable=True) | ClosedError(reconnect=True):
            return "ask again in a while"
        case _:
            return None
