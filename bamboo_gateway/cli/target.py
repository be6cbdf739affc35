"""The options of what talks to a gateway: which one, with what right, in which session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import attrs
import click

from ..client import Client, ClientLimits, Reconnect, connect
from ..config import DEFAULT_BIND
from ..protocol.messages import ClientInfo
from ..version import __version__

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


@attrs.frozen
class Target:
    """A gateway, and the session meant there."""

    url: str
    token: str | None = attrs.field(repr=False)
    session: str | None

    @asynccontextmanager
    async def connect(
        self,
        name: str,
        reconnect: Reconnect | None,
        limits: ClientLimits | None = None,
        *,
        temporary: bool = False,
    ) -> AsyncIterator[Client]:
        """Connect as the command *name*; raises what `client.connect` does."""
        info = ClientInfo(f"bamboo-gateway {name}", __version__)
        async with connect(
            self.url,
            token=self.token,
            session_id=self.session,
            temporary=temporary,
            client=info,
            reconnect=reconnect,
            limits=limits or ClientLimits(),
        ) as client:
            yield client

    @asynccontextmanager
    async def visit(self, name: str, limits: ClientLimits | None = None) -> AsyncIterator[Client]:
        """The same for a while, and leave nothing behind: a session that opens for it goes with it."""
        async with self.connect(name, None, limits, temporary=True) as client:
            yield client


def options(command: CommandT) -> CommandT:
    """Give *command* the options that make a `Target`."""
    with_session: CommandT = _session(command)
    return gateway_options(with_session)


def gateway_options(command: CommandT) -> CommandT:
    """Give *command* those that say which gateway."""
    for option in (_token, _url):
        command = option(command)
    return command


_url: Any = click.option(
    "--url",
    default=f"ws://{DEFAULT_BIND}",
    metavar="URL",
    envvar="BAMBOO_URL",
    show_envvar=True,
    help="The gateway; or unix:PATH, where it listens on a socket in the file system.",
)
_token: Any = click.option(
    "--token",
    metavar="TOKEN",
    envvar="BAMBOO_TOKEN",
    show_envvar=True,
    help="What it asks for, if it does. A variable is seen by fewer people than a command line.",
)
_session: Any = click.option(
    "--session",
    metavar="ID",
    envvar="BAMBOO_SESSION",
    show_envvar=True,
    help="A session to come back to; without it, a new one opens.",
)
