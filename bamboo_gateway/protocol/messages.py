"""
Every message of the wire, as attrs values named as in the seed.

Required fields are the seed's and come first; everything else is optional,
named by keyword, and left out of the frame when it is None. The wire tag of
each class stands in `codec.py`'s one table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import attrs
from attrs.validators import and_, deep_mapping, ge, max_len, min_len, optional

Json: TypeAlias = Any
"""A JSON value; the decoder lets in nothing else."""

PLAIN = "plain"
"""In a field's metadata: whoever fills it has made plain JSON of it, by `codec.unstructure`."""

MAX_ID_LENGTH = 256
"""Characters of an id or a name: room for a URL-sized key, too little to be a store."""

MAX_CHANNEL_CURSORS = 1024
"""Entries of `connect.channels`; a client that follows more resumes them by joining again."""


def _own_fields_first(cls: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Put inherited, optional fields last, so that a frame reads as the seed writes it."""
    return sorted(fields, key=lambda field: (field.kw_only, field.name not in cls.__annotations__))


_Validator: TypeAlias = Callable[[Any, "attrs.Attribute[Any]", Any], object]

_short: _Validator = max_len(MAX_ID_LENGTH)
_name: _Validator = and_(min_len(1), _short)
_cursors: _Validator = deep_mapping(_short, ge(0), max_len(MAX_CHANNEL_CURSORS))


@attrs.frozen
class TokenUsage:
    """What a turn has cost, in the model's tokens."""

    prompt_tokens: int = attrs.field(default=0, validator=ge(0))
    """What the agent has read."""
    completion_tokens: int = attrs.field(default=0, validator=ge(0))
    """What it has written."""
    total_tokens: int = attrs.field(default=0, validator=ge(0))
    """Both, as the model counts them."""


@attrs.frozen
class ClientInfo:
    """What a client says of itself; shown, never trusted."""

    name: str = attrs.field(validator=_short)
    """The name of the program, such as `bamboo-chat`."""
    version: str | None = attrs.field(default=None, validator=optional(_short))
    """The version of that program."""


# ── client → gateway ─────────────────────────────────────────────────────────


@attrs.frozen
class Connect:
    """Open a session, or come back to one."""

    session_id: str | None = None
    """The session to come back to. Left out, or unknown: a new one."""
    auth: str | None = attrs.field(default=None, repr=False)
    """The token, where the gateway asks for one."""
    protocol: int | None = attrs.field(default=None, kw_only=True, validator=optional(ge(1)))
    """1 (also when left out): the original gateway's seven events and no more. 2: all."""
    last_seq: int | None = attrs.field(default=None, kw_only=True, validator=optional(ge(0)))
    """The last `seq` seen; what came after it is sent again."""
    epoch: str | None = attrs.field(default=None, kw_only=True, validator=optional(_short))
    """The `connected.epoch` in which `last_seq` was counted."""
    exclusive: bool | None = attrs.field(default=None, kw_only=True)
    """Close every other connection of the session (4003)."""
    temporary: bool | None = attrs.field(default=None, kw_only=True)
    """A session that opens for this `connect` goes with its last watcher, and counts towards no limit."""
    replay: Literal["exact", "merged"] | None = attrs.field(default=None, kw_only=True)
    """`exact`: a replay keeps tokens as they were; otherwise it may join neighbours of one turn."""
    channels: dict[str, int] | None = attrs.field(default=None, kw_only=True, validator=optional(_cursors))
    """Channel name → last `seq` seen there (protocol 2)."""
    client: ClientInfo | None = attrs.field(default=None, kw_only=True)
    """Shown to others in `presence`."""


@attrs.frozen
class Chat:
    """A message for the session's agent, or for a channel (`metadata.channel`)."""

    content: str
    """What the user says."""
    session_id: str
    """The connection's own session (`connected.session_id`)."""
    id: str | None = attrs.field(default=None, kw_only=True, validator=optional(_name))
    """The client's own key for this chat; echoed in `chat_accepted` and `user_message`."""
    metadata: dict[str, Json] | None = attrs.field(default=None, kw_only=True)
    """Kept with the message and given to the agent; `channel` names a channel to send it to instead."""


@attrs.frozen
class Command:
    """Run a command of the gateway, or a tool of the agent."""

    name: str = attrs.field(validator=_name)
    """The name of the command or tool."""
    args: Json = attrs.field(repr=False)  # those of `auth.refresh` hold a token
    """The command's arguments: an object; null stands for none."""
    id: str | None = attrs.field(default=None, kw_only=True, validator=optional(_name))
    """The client's own key; echoed in `command_result`."""
    session_id: str | None = attrs.field(default=None, kw_only=True)
    """The session meant, where it is not the connection's own."""


@attrs.frozen
class Ping:
    """Ask for a `pong` with the same timestamp."""

    timestamp: int
    """Unix milliseconds by the client's clock; echoed, not read."""


# ── gateway → client ─────────────────────────────────────────────────────────


@attrs.frozen(kw_only=True, field_transformer=_own_fields_first)
class SessionEvent:
    """The fields of whatever is an entry in a log; the log fills them in."""

    seq: int | None = attrs.field(default=None, validator=optional(ge(1)))
    """The place in the log: from 1, without holes."""
    run_id: str | None = None
    """The turn that this event belongs to."""
    ts: int | None = None
    """Unix milliseconds when it was appended."""
    channel: str | None = None
    """Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's."""


@attrs.frozen(kw_only=True)
class Limits:
    """What the gateway holds a connection to."""

    max_message_bytes: int
    """Of one message from a client; more closes the socket (1009)."""
    max_queued_chats: int
    """Chats of one session that may wait while a turn runs; more is `QUEUE_FULL`."""
    heartbeat_interval: float
    """Seconds between the gateway's pings."""


@attrs.frozen
class Connected:
    """The answer to `connect`: events of `session_id` follow."""

    session_id: str
    """Send it with each chat, and with `connect` to come back."""
    resumed: bool = attrs.field(default=False, kw_only=True)
    """Did the session exist before?"""
    epoch: str | None = attrs.field(default=None, kw_only=True)
    """Changes whenever the log could have lost anything; send it back with `last_seq`."""
    last_seq: int | None = attrs.field(default=None, kw_only=True)
    """The newest `seq` of the session when the connection joined it."""
    protocol: int | None = attrs.field(default=None, kw_only=True)
    """The protocol spoken from here on."""
    limits: Limits | None = attrs.field(default=None, kw_only=True)
    """What the gateway holds this connection to."""
    connection_id: str | None = attrs.field(default=None, kw_only=True)
    """The name of this connection in `presence`."""
    channels: dict[str, int] | None = attrs.field(default=None, kw_only=True)
    """Channel name → its newest `seq`: the channels that the session has joined, and `"*"` (protocol 2)."""


@attrs.frozen(field_transformer=_own_fields_first)
class AgentToken(SessionEvent):
    """A piece of the agent's answer."""

    session_id: str
    """Whose agent speaks."""
    token: str
    """Text to append to what came before."""


@attrs.frozen(field_transformer=_own_fields_first)
class AgentToolStart(SessionEvent):
    """The agent has called a tool."""

    session_id: str
    """Whose agent it is."""
    tool: str
    """The name of the tool."""
    tool_call_id: str | None = attrs.field(default=None, kw_only=True)
    """The same in the matching `agent_tool_complete`."""
    args: Json = attrs.field(default=None, kw_only=True)
    """What it was called with."""


@attrs.frozen(field_transformer=_own_fields_first)
class AgentToolComplete(SessionEvent):
    """A tool has answered."""

    session_id: str
    """Whose agent it is."""
    tool: str
    """The name of the tool."""
    result: str
    """What it answered, as text; what is no text is JSON."""
    tool_call_id: str | None = attrs.field(default=None, kw_only=True)
    """The same as in the matching `agent_tool_start`."""
    ok: bool | None = attrs.field(default=None, kw_only=True)
    """False: `result` says what went wrong."""


@attrs.frozen(field_transformer=_own_fields_first)
class AgentComplete(SessionEvent):
    """The turn is over and all went well."""

    session_id: str
    """Whose agent has answered."""
    usage: TokenUsage
    """What it has cost."""


@attrs.frozen(field_transformer=_own_fields_first)
class Error(SessionEvent):
    """Something was refused or failed; inside a log (with `seq`) it ends a turn."""

    code: str
    """A row of the table of error codes."""
    message: str
    """What, where and how to fix it, for people."""
    session_id: str | None = attrs.field(default=None, kw_only=True)
    """The session concerned, where there is one."""
    id: str | None = attrs.field(default=None, kw_only=True)
    """The id of the chat or command that this answers."""
    retryable: bool | None = attrs.field(default=None, kw_only=True)
    """May the same request succeed later, unchanged?"""
    retry_after: float | None = attrs.field(default=None, kw_only=True)
    """Seconds to wait before that."""


@attrs.frozen
class Pong:
    """The answer to `ping`."""

    timestamp: int
    """The ping's own."""


# ── protocol 2 only ──────────────────────────────────────────────────────────


@attrs.frozen
class ChatAccepted:
    """The chat is in a log: its session's, where `run_id` will answer it, or its channel's."""

    session_id: str
    """The sender's session."""
    run_id: str | None = None
    """The turn that answers it; null: it went to `channel`."""
    queued: int = attrs.field(default=0, kw_only=True)
    """Turns that come before it; 0: it has begun."""
    id: str | None = attrs.field(default=None, kw_only=True)
    """The id of the chat."""
    channel: str | None = attrs.field(default=None, kw_only=True)
    """The channel that it went to."""


@attrs.frozen(field_transformer=_own_fields_first)
class AgentStart(SessionEvent):
    """A turn has begun."""

    session_id: str
    """Whose agent answers."""


@attrs.frozen(field_transformer=_own_fields_first)
class UserMessage(SessionEvent):
    """A chat that the session has accepted, for every watcher."""

    session_id: str
    """The session that it was said in."""
    content: str
    """What was said."""
    id: str | None = attrs.field(default=None, kw_only=True)
    """The id of the chat."""
    metadata: dict[str, Json] | None = attrs.field(default=None, kw_only=True)
    """The metadata of the chat."""


@attrs.frozen
class CommandError:
    """Why a command was refused."""

    code: str
    """A row of the table of error codes."""
    message: str
    """What, where and how to fix it, for people."""
    retryable: bool | None = attrs.field(default=None, kw_only=True)
    """May the same command succeed later, unchanged?"""
    retry_after: float | None = attrs.field(default=None, kw_only=True)
    """Seconds to wait before that."""


@attrs.frozen
class CommandResult:
    """The answer to `command`."""

    name: str
    """The name of the command."""
    ok: bool
    """Was it carried out?"""
    id: str | None = attrs.field(default=None, kw_only=True)
    """The id of the command."""
    session_id: str | None = attrs.field(default=None, kw_only=True)
    """The session that the command meant."""
    result: Json = attrs.field(default=None, kw_only=True, metadata={PLAIN: True})
    """Shaped as the table of commands says."""
    error: CommandError | None = attrs.field(default=None, kw_only=True)
    """Present if and only if `ok` is false."""


@attrs.frozen(field_transformer=_own_fields_first)
class ChannelMessage(SessionEvent):
    """A message sent to a channel that the session has joined."""

    channel: str = attrs.field(kw_only=False)
    """Where it was sent; `seq` counts there."""
    content: str
    """What was said."""
    session_id: str | None = attrs.field(default=None, kw_only=True)
    """The sender's session; null: it came from outside."""
    user_id: str | None = attrs.field(default=None, kw_only=True)
    """Who sent it."""
    id: str | None = attrs.field(default=None, kw_only=True)
    """The id of the chat, or the key given to `channel.send`."""
    metadata: dict[str, Json] | None = attrs.field(default=None, kw_only=True)
    """What came with it."""


@attrs.frozen(kw_only=True)
class Gap:
    """Events are missing here: the log no longer holds them."""

    requested: int
    """The first `seq` that was wanted."""
    earliest: int
    """The first that can still be had; `latest + 1` where there is none."""
    latest: int
    """The newest that can be had."""
    epoch: str
    """The log's, now."""
    session_id: str | None = None
    """Set when the gap is in a session's log."""
    channel: str | None = None
    """Set when the gap is in a channel's log."""


@attrs.frozen
class SessionEnded:
    """The session is no more; the connection may `connect` to another."""

    session_id: str
    """The session that was."""
    reason: str
    """For people."""


@attrs.frozen(kw_only=True)
class Presence:
    """Somebody else began or ceased to watch the session."""

    session_id: str
    """The session watched."""
    event: Literal["joined", "left"]
    """Which of the two."""
    connection_id: str
    """Whose: see `connected.connection_id`."""
    user_id: str
    """Who."""
    watchers: int
    """How many watch it now."""
    client: ClientInfo | None = None
    """What the client said of itself in `connect`."""


@attrs.frozen
class Shutdown:
    """The gateway is about to close; sessions outlive it if their storage does."""

    reason: str
    """For people."""
    retry_after: float | None = attrs.field(default=None, kw_only=True)
    """Seconds until it is worth while to come back, from the end of the connection on."""
    jitter: float | None = attrs.field(default=None, kw_only=True)
    """Seconds behind those over which all clients shall spread, each at random."""


ClientMessage: TypeAlias = Connect | Chat | Command | Ping
"""What a client sends (seed)."""

LoggedEvent: TypeAlias = (
    AgentToken
    | AgentToolStart
    | AgentToolComplete
    | AgentComplete
    | Error
    | AgentStart
    | UserMessage
    | ChannelMessage
)
"""What may be an entry in a log."""

GatewayEvent: TypeAlias = (
    LoggedEvent | Connected | Pong | ChatAccepted | CommandResult | Gap | SessionEnded | Presence | Shutdown
)
"""What the gateway sends (seed, and protocol 2's own)."""
