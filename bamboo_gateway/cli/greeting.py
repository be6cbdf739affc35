"""What a gateway says to whoever has started it at a terminal: where it is, and how to get to it."""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterator

import attrs

from ..config import DEFAULT_BIND, Address, GatewayConfig, UnixAddress
from ..storage.location import default_path
from .settings import ServeConfig


def websocket_url(config: GatewayConfig, address: Address | UnixAddress) -> str:
    """What clients have to dial; of a socket in the file system, where that is."""
    if isinstance(address, UnixAddress):
        return str(address)
    return f"{'wss' if config.tls_cert else 'ws'}://{address}"


def console_url(config: GatewayConfig, address: Address | UnixAddress) -> str | None:
    """Where a browser on this machine finds the console; None: nowhere."""
    if why_no_console(config) or isinstance(address, UnixAddress):
        return None
    return f"{'https' if config.tls_cert else 'http'}://{_reachable(address)}/"


def why_no_console(config: GatewayConfig) -> str | None:
    """Why there is no console; None: there is one."""
    if not config.console:
        return "the setting `console` is off"
    if isinstance(Address.parse(config.bind), UnixAddress):
        return "no browser can open a socket in the file system; `bind` a HOST:PORT"
    return None


def lines(
    config: GatewayConfig, ours: ServeConfig, address: Address | UnixAddress, *, asks_who: bool
) -> Iterator[str]:
    """What to print, line by line, when the gateway listens on *address*."""
    if console := console_url(config, address):
        yield f"  console  {console}"
    yield f"  chat     {_chat_command(config, address)}"
    yield f"  agent    {ours.agent}"
    yield f"  storage  {_storage(ours.storage)}"
    yield f"  tokens   {_tokens(asks_who=asks_who)}"
    yield "Ctrl-C stops it."


def _chat_command(config: GatewayConfig, address: Address | UnixAddress) -> str:
    url = websocket_url(config, address if isinstance(address, UnixAddress) else _reachable(address))
    return "bamboo-gateway chat" + ("" if url == f"ws://{DEFAULT_BIND}" else f" --url {shlex.quote(url)}")


def _storage(spec: str) -> str:
    if spec == "memory:":
        return "memory, until it stops; --storage sqlite: keeps sessions"
    return str(default_path()) if spec == "sqlite:" else spec.removeprefix("sqlite:")


def _tokens(*, asks_who: bool) -> str:
    if asks_who:
        return "asked for: BAMBOO_TOKEN, or --token; `bamboo-gateway token create --user NAME` makes one"
    return "not asked for: who reaches it may do everything"


def _reachable(address: Address) -> Address:
    """Where this machine reaches what listens on every address that it has."""
    try:
        ip = ipaddress.ip_address(address.host)
    except ValueError:
        return address
    if not ip.is_unspecified:
        return address
    return attrs.evolve(address, host="127.0.0.1" if ip.version == 4 else "::1")  # noqa: PLR2004 -- it is a name
