"""The table of commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs

from ..errors import ErrorCode, GatewayError
from ..principal import Principal, Scope
from ..session.requests import ChannelInfo
from ..token_record import scope_names
from . import auth, broadcast, channel, connection, gateway, session
from .context import CommandContext


@attrs.frozen
class CommandSpec:
    """One command: its row in the table."""

    name: str
    summary: str
    arguments: type
    """An attrs class; `command.args` is structured into it as strictly as a message."""
    result: type
    """An attrs class; `command_result.result` is made from it."""
    run: Callable[[CommandContext, Any], Awaitable[Any]]
    """Returns the result; or, where it `changes` something, the `Operation` to be carried out."""
    changes: bool = False
    """Is it carried out once for each `command.id`? One that only reads is not: it reads anew."""
    scopes: frozenset[Scope] = attrs.field(kw_only=True)
    """One of them is enough to run it; none: whoever was let in may. Each row says it."""

    def is_open_to(self, principal: Principal) -> bool:
        """May *principal* run it?"""
        return not self.scopes or principal.may(self.scopes)


@attrs.frozen
class HelpArgs:
    """Which command."""

    name: str | None = None
    """All of them, where left out."""


@attrs.frozen
class CommandHelp:
    """One command."""

    name: str
    summary: str
    args: dict[str, str]
    """Argument → its type, as Python writes it, and its default."""
    result: Sequence[str]
    """The names of the result's fields."""
    changes: bool
    """Is a repeat under the same `id` answered with the first result? Otherwise it reads anew."""
    scopes: Sequence[str]
    """One of them is needed to run it; empty: none is."""


@attrs.frozen
class Help:
    """The commands that you may run."""

    commands: Sequence[CommandHelp]


async def show_help(context: CommandContext, args: HelpArgs) -> Help:
    """Answer `help`, with what the caller may run and no more."""
    theirs = [spec for spec in COMMANDS.values() if spec.is_open_to(context.caller.principal)]
    if args.name is None:
        return Help([_explain(spec) for spec in theirs])
    spec = COMMANDS.get(args.name)
    if spec not in theirs:
        raise GatewayError(ErrorCode.UNKNOWN_COMMAND, f"no command {args.name!r:.80} that you may run")
    return Help([_explain(spec)])


def _explain(spec: CommandSpec) -> CommandHelp:
    fields = attrs.fields(attrs.resolve_types(spec.arguments))
    args = {field.name: _describe(field) for field in fields}
    result = [field.name for field in attrs.fields(spec.result)]
    return CommandHelp(spec.name, spec.summary, args, result, spec.changes, scope_names(spec.scopes))


def _describe(field: attrs.Attribute[Any]) -> str:
    kind = (
        str(getattr(field.type, "__name__", field.type)) if isinstance(field.type, type) else str(field.type)
    )
    return kind if field.default is attrs.NOTHING else f"{kind} = {field.default!r}"


_ANY: frozenset[Scope] = frozenset()
_LOOK = frozenset({Scope.SESSIONS_READ, Scope.CHAT})
_LIST = frozenset({Scope.SESSIONS_READ})
_WRITE = frozenset({Scope.SESSIONS_WRITE})
_ABORT = frozenset({Scope.CHAT, Scope.SESSIONS_WRITE})
_CHANNELS = frozenset({Scope.CHANNELS})
_BROADCAST = frozenset({Scope.BROADCAST})
_METRICS = frozenset({Scope.METRICS})
_ADMIN = frozenset({Scope.ADMIN})

_ROWS = (
    CommandSpec("ping", "Ask for an echo.", gateway.PingArgs, gateway.PingResult, gateway.ping, scopes=_ANY),
    CommandSpec(
        "status",
        "Tell how this session is.",
        channel.NoArgs,
        gateway.Status,
        gateway.status,
        scopes=_ANY,
    ),
    CommandSpec("help", "Tell what you may ask.", HelpArgs, Help, show_help, scopes=_ANY),
    CommandSpec(
        "auth.refresh",
        "Show a new token of the same user, and go on with what that allows.",
        auth.RefreshArgs,
        auth.Identity,
        auth.refresh,
        scopes=_ANY,
    ),
    CommandSpec(
        "session.list",
        "List the sessions that you may see.",
        session.ListArgs,
        session.SessionList,
        session.list_sessions,
        scopes=_LIST,
    ),
    CommandSpec(
        "session.get",
        "Look at a session.",
        session.SessionArgs,
        session.SessionInfo,
        session.get_session,
        scopes=_LOOK,
    ),
    CommandSpec(
        "session.create",
        "Make a session, without watching it.",
        session.CreateArgs,
        session.SessionInfo,
        session.create_session,
        changes=True,
        scopes=_WRITE,
    ),
    CommandSpec(
        "session.rename",
        "Give a session a name.",
        session.RenameArgs,
        session.SessionInfo,
        session.rename_session,
        changes=True,
        scopes=_WRITE,
    ),
    CommandSpec(
        "session.set_metadata",
        "Set keys of a session's metadata.",
        session.MetadataArgs,
        session.SessionInfo,
        session.set_metadata,
        changes=True,
        scopes=_WRITE,
    ),
    CommandSpec(
        "session.delete",
        "End a session: its turn is cancelled, its watchers are told.",
        session.SessionArgs,
        session.Deleted,
        session.delete_session,
        changes=True,
        scopes=_WRITE,
    ),
    CommandSpec(
        "session.history",
        "Read the conversation, page by page.",
        session.HistoryArgs,
        session.HistoryList,
        session.get_history,
        scopes=_LOOK,
    ),
    CommandSpec(
        "session.abort",
        "Abort turns that run or wait.",
        session.AbortArgs,
        session.Aborted,
        session.abort_turns,
        changes=True,
        scopes=_ABORT,
    ),
    CommandSpec(
        "session.share",
        "Let somebody else read a session or chat in it, or no longer.",
        session.ShareArgs,
        session.SessionInfo,
        session.share_session,
        changes=True,
        scopes=_WRITE,
    ),
    CommandSpec(
        "channel.list",
        "List the channels.",
        channel.NoArgs,
        channel.ChannelList,
        channel.list_channels,
        scopes=_CHANNELS,
    ),
    CommandSpec(
        "channel.create",
        "Make a channel.",
        channel.CreateChannelArgs,
        ChannelInfo,
        channel.create_channel,
        changes=True,
        scopes=_CHANNELS,
    ),
    CommandSpec(
        "channel.join",
        "Let a session's watchers follow a channel.",
        channel.MembershipArgs,
        ChannelInfo,
        channel.join_channel,
        changes=True,
        scopes=_CHANNELS,
    ),
    CommandSpec(
        "channel.leave",
        "End that.",
        channel.MembershipArgs,
        ChannelInfo,
        channel.leave_channel,
        changes=True,
        scopes=_CHANNELS,
    ),
    CommandSpec(
        "channel.send",
        "Send a message to a channel that the session has joined.",
        channel.SendArgs,
        channel.Sent,
        channel.send_to_channel,
        changes=True,
        scopes=_CHANNELS,
    ),
    CommandSpec(
        "channel.delete",
        "End a channel: its members leave, and its log is no more.",
        channel.ChannelArgs,
        channel.ChannelDeleted,
        channel.delete_channel,
        changes=True,
        scopes=_CHANNELS,
    ),
    CommandSpec(
        "broadcast.send",
        "Say something to everybody who may hear it.",
        broadcast.BroadcastArgs,
        broadcast.BroadcastSent,
        broadcast.broadcast,
        changes=True,
        scopes=_BROADCAST,
    ),
    CommandSpec(
        "presence.list",
        "Tell who watches a session.",
        session.SessionArgs,
        session.PresenceList,
        session.list_presence,
        scopes=_LOOK,
    ),
    CommandSpec(
        "connection.list",
        "List the connections to this gateway.",
        connection.ConnectionArgs,
        connection.ConnectionList,
        connection.list_connections,
        scopes=_ADMIN,
    ),
    CommandSpec(
        "gateway.info",
        "Tell what this gateway is.",
        channel.NoArgs,
        gateway.GatewayInfo,
        gateway.info,
        scopes=_ANY,
    ),
    CommandSpec(
        "gateway.stats",
        "Tell how this gateway does.",
        gateway.StatsArgs,
        gateway.GatewayStats,
        gateway.stats,
        scopes=_METRICS,
    ),
)

COMMANDS: dict[str, CommandSpec] = {row.name: row for row in _ROWS}
"""Every command by its name."""
