"""The commands on channels: their arguments, their results, and how they are carried out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from attrs.validators import max_len, min_len, optional

from ..idempotency import Operation
from ..protocol.messages import MAX_ID_LENGTH, Json
from ..session import requests
from ..session.requests import ChannelInfo
from .context import CommandContext

_name: list[Any] = [min_len(1), max_len(MAX_ID_LENGTH)]


def _as_it_is(reply: ChannelInfo) -> ChannelInfo:
    """The registry's reply is the command's result."""
    return reply


@attrs.frozen
class NoArgs:
    """Nothing."""


@attrs.frozen
class ChannelList:
    """The channels, oldest first."""

    channels: Sequence[ChannelInfo]


async def list_channels(context: CommandContext, args: NoArgs) -> ChannelList:
    """Answer `channel.list`."""
    return ChannelList(await context.ask(requests.ListChannels(context.caller)))


@attrs.frozen
class CreateChannelArgs:
    """Its name."""

    name: str = attrs.field(validator=_name)


async def create_channel(context: CommandContext, args: CreateChannelArgs) -> Operation:
    """Answer `channel.create`."""
    return Operation(requests.CreateChannel(context.caller, args.name), _as_it_is)


@attrs.frozen
class ChannelArgs:
    """Which channel."""

    name: str = attrs.field(validator=_name)


@attrs.frozen
class ChannelDeleted:
    """What is no more."""

    name: str


async def delete_channel(context: CommandContext, args: ChannelArgs) -> Operation:
    """Answer `channel.delete`."""
    return Operation(requests.DeleteChannel(context.caller, args.name), ChannelDeleted)


@attrs.frozen
class MembershipArgs:
    """Which channel, and which session."""

    name: str = attrs.field(validator=_name)
    session_id: str | None = None
    """The connection's own, where left out."""


async def join_channel(context: CommandContext, args: MembershipArgs) -> Operation:
    """Answer `channel.join`."""
    session_id = context.session(args.session_id)
    return Operation(requests.JoinChannel(context.caller, session_id, args.name), _as_it_is)


async def leave_channel(context: CommandContext, args: MembershipArgs) -> Operation:
    """Answer `channel.leave`."""
    session_id = context.session(args.session_id)
    return Operation(requests.LeaveChannel(context.caller, session_id, args.name), _as_it_is)


@attrs.frozen
class SendArgs:
    """Which channel, from which session, and what."""

    name: str = attrs.field(validator=_name)
    content: str
    session_id: str | None = None
    """The connection's own, where left out."""
    id: str | None = attrs.field(default=None, validator=optional(_name))
    """The client's own key; it is in the `channel_message`."""
    metadata: dict[str, Json] | None = None


@attrs.frozen
class Sent:
    """Where the message went."""

    name: str


async def send_to_channel(context: CommandContext, args: SendArgs) -> Operation:
    """Answer `channel.send`."""
    channels = context.services.channels
    message = await channels.address(
        context.caller,
        args.name,
        args.content,
        session_id=context.session(args.session_id),
        message_id=args.id,
        metadata=args.metadata,
    )
    return channels.sending(message, lambda _: Sent(args.name))
