"""Who can reach the gateway, and is anybody asked who they are?"""

from __future__ import annotations

from collections.abc import Iterator

from ...config import Address, GatewayConfig, UnixAddress
from ...errors import ConfigError
from .finding import Finding, fault, warning, well

_ABOUT = "who may come"

_SHORT = 16
"""Characters of a token that a machine could guess in the end."""


def judge(config: GatewayConfig, *, asks_who: bool) -> Iterator[Finding]:
    """Judge where it listens by what it asks."""
    try:
        config.refuse_to_stand_open(asks_who=asks_who)
    except ConfigError as error:
        text, _, remedy = str(error).partition("; ")
        yield fault(_ABOUT, text, remedy)
        return
    token = config.auth_token
    if token is not None and len(token) < _SHORT:
        text = f"auth_token has {len(token)} characters, and may be guessed"
        yield warning(_ABOUT, text, "take a long random one, or make tokens: bamboo-gateway token create")
    if is_open(config) and config.insecure_no_auth and not asks_who:
        text = f"whoever reaches {config.bind} may do everything (insecure_no_auth)"
        yield warning(
            _ABOUT, text, "make tokens: bamboo-gateway token create; then everybody has to show one"
        )
    elif is_open(config) and config.tls_cert is None and not config.trusted_proxies:
        text = f"{config.bind} can be reached from other machines, without TLS: all can be read on the way"
        yield warning(
            _ABOUT, text, "set tls_cert, or put a proxy with TLS in front and name it as trusted_proxies"
        )
    else:
        asked = "everybody has to show a token" if asks_who else "nobody is asked for a token"
        yield well(_ABOUT, f"{_reach(config.address)}; {asked}")


def is_open(config: GatewayConfig) -> bool:
    """Can other machines reach it by themselves?"""
    return not config.address.is_loopback


def _reach(address: Address | UnixAddress) -> str:
    if isinstance(address, UnixAddress):
        return f"whoever may open {address.path} reaches it"
    return (
        f"{address} is this machine's alone"
        if address.is_loopback
        else f"{address} can be reached from others"
    )
