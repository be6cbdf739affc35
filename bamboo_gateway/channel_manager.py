"""The Channel Manager: which channels there are, and the way of a message into one and out of the gateway."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
import trio

from .errors import ErrorCode, GatewayError, explain
from .idempotency import Operation
from .ports import Channel
from .protocol.messages import ChannelMessage, Json
from .registry import SessionRegistry
from .session.requests import (
    OPERATOR,
    Caller,
    ChannelInfo,
    CreateChannel,
    DeleteChannel,
    GetMember,
    ListChannels,
    SendToChannel,
)

log = structlog.get_logger(__name__)


class ChannelManager:
    """
    Channels by their name.

    A channel that has an adapter goes on outside: what is sent to it is shown to
    the sessions that have joined, then passed on, so that no answer from there
    can come ahead of it.
    """

    def __init__(
        self, registry: SessionRegistry, local: Channel, outside: Mapping[str, Channel], send_timeout: float
    ) -> None:
        self._send_timeout = send_timeout
        self._registry = registry
        self._local = local
        self._outside = dict(outside)

    async def open(self) -> None:
        """Make the channels that have an adapter, so that sessions can join them, unless they are stored."""
        known = {channel.name for channel in await self.list()}
        for name in self._outside:
            if name not in known:
                await self._registry.ask(CreateChannel(OPERATOR, name))

    async def address(
        self,
        caller: Caller,
        name: str,
        content: str,
        *,
        session_id: str | None = None,
        message_id: str | None = None,
        metadata: dict[str, Json] | None = None,
    ) -> ChannelMessage:
        """
        Make the message that *caller*'s session sends to channel *name*.

        Raises:
            GatewayError: `NOT_CONNECTED`, `SESSION_NOT_FOUND`, `CHANNEL_NOT_FOUND` or `NOT_A_MEMBER`.
        """
        session = await self._registry.ask(GetMember(caller, session_id, name))
        return ChannelMessage(
            name,
            content,
            session_id=session.id,
            user_id=caller.principal.user_id,
            id=message_id,
            metadata=metadata,
        )

    async def send(self, message: ChannelMessage) -> None:
        """
        Send *message* to the channel that it names.

        Raises:
            GatewayError: The registry refused; or the adapter failed or was too slow (`CHANNEL_ERROR`): the
                message is in the channel then, and nowhere outside.
        """
        await self._local.send(message)
        if adapter := self._outside.get(message.channel):
            await self._pass_on(adapter, message)

    def sending(self, message: ChannelMessage, describe: Callable[[int], Any]) -> Operation:
        """
        Make of `send` what can be done once and remembered.

        Args:
            message: What `address` has made.
            describe: Makes of its `seq` in the channel what the sender is told.
        """
        adapter = self._outside.get(message.channel)
        then = partial(self._pass_on, adapter, message) if adapter else None
        return Operation(SendToChannel(message), describe, then)

    async def _pass_on(self, adapter: Channel, message: ChannelMessage) -> None:
        """
        Have *adapter* take the message outside.

        Raises:
            GatewayError: It failed or was too slow.
        """
        try:
            with trio.fail_after(self._send_timeout):
                await adapter.send(message)
        except Exception as error:
            log.error("outside channel failed", exception=traceback.format_exc(), channel=message.channel)
            text = explain(error, f"channel {message.channel!r}")
            raise GatewayError(ErrorCode.CHANNEL_ERROR, text) from error

    async def publish(
        self, name: str, content: str, *, user_id: str | None = None, metadata: dict[str, Json] | None = None
    ) -> None:
        """
        Show a message from outside to every session that has joined channel *name*.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`, or `INVALID_EVENT`: it cannot be encoded.
        """
        await self._local.send(ChannelMessage(name, content, user_id=user_id, metadata=metadata))

    async def create(self, name: str) -> ChannelInfo:
        """
        Make a channel inside the gateway.

        Raises:
            GatewayError: `CHANNEL_EXISTS`, or `LIMIT_EXCEEDED`.
        """
        return await self._registry.ask(CreateChannel(OPERATOR, name))

    async def delete(self, name: str) -> None:
        """
        End a channel inside the gateway: its members leave, and its log is no more.

        One that has an adapter is made again by the next gateway that is given it.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`.
        """
        await self._registry.ask(DeleteChannel(OPERATOR, name))

    async def list(self) -> Sequence[ChannelInfo]:
        """All channels, oldest first."""
        return await self._registry.ask(ListChannels(OPERATOR))
