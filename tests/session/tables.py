"""A session table, short ways to ask it, and its effects as values that a test can write down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, get_args

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.principal import Principal
from bamboo_gateway.protocol.messages import AgentComplete, Chat, Connected, Limits, LoggedEvent, TokenUsage
from bamboo_gateway.session.effects import (
    Change,
    Deliver,
    DropSession,
    Effect,
    Follow,
    SaveSession,
    Unfollow,
    Watch,
)
from bamboo_gateway.session.limits import SessionLimits
from bamboo_gateway.session.log import LogLimits
from bamboo_gateway.session.outcomes import OutcomeLimits
from bamboo_gateway.session.requests import OPERATOR, Attach, Caller, GetSession, Request, SubmitChat
from bamboo_gateway.session.session import ConnectionHandle, Session
from bamboo_gateway.session.stored import StoredState
from bamboo_gateway.session.table import SessionTable, TableLimits
from tests.session.dump import dump

ReplyT = TypeVar("ReplyT")

NOW = 1_700_000_000.0
"""Unix seconds at which everything happens, where no test says otherwise."""

TS = 1_700_000_000_000
"""The same in milliseconds."""

EPOCH = "epoch"

WIRE = Limits(max_message_bytes=1, max_queued_chats=2, heartbeat_interval=1.0)

SESSION_LIMITS = SessionLimits(
    log=LogLimits(max_events=100, max_bytes=100_000),
    history_bytes=100_000,
    outcomes=OutcomeLimits(max_age=100.0, max_count=4, max_bytes=100_000),
)

LIMITS = TableLimits(
    session=SESSION_LIMITS,
    total_log_bytes=1_000_000,
    max_sessions=4,
    max_channels=2,
    max_queued_chats=2,
    wire=WIRE,
)

ANN = Principal("ann")
BOB = Principal("bob")

DONE = AgentComplete("s1", TokenUsage(1, 2, 3))
"""How a turn of session s1 ends that went well."""


# ── asking ───────────────────────────────────────────────────────────────────


def new_table(*, resume_turns: bool = False, **limits: Any) -> SessionTable:
    """An empty table; *limits* override those of `LIMITS`, or of `SESSION_LIMITS`."""
    of_sessions = {name: limits.pop(name) for name in list(limits) if hasattr(SESSION_LIMITS, name)}
    session = attrs.evolve(SESSION_LIMITS, **of_sessions)
    table = SessionTable(attrs.evolve(LIMITS, session=session, **limits), resume_turns=resume_turns)
    table.open(StoredState(EPOCH))
    return table


def ask(table: SessionTable, request: Request[ReplyT], now: float = NOW) -> ReplyT:
    """The reply alone."""
    reply, effects = table.handle(request, now)
    plain(effects)
    table.validate_state()
    return reply


def told(table: SessionTable, request: Request[Any], now: float = NOW) -> list[object]:
    """The effects alone, as `plain` has them."""
    _, effects = table.handle(request, now)
    table.validate_state()
    return plain(effects)


def ask_and_tell(table: SessionTable, request: Request[Any], now: float = NOW) -> tuple[Any, list[object]]:
    """The reply and the effects."""
    reply, effects = table.handle(request, now)
    table.validate_state()
    return reply, plain(effects)


def refusal(table: SessionTable, request: Request[Any], now: float = NOW) -> ErrorCode:
    """Why *request* is refused; nothing may have changed then."""
    before = dump(table)
    with pytest.raises(GatewayError) as caught:
        table.handle(request, now)
    assert dump(table) == before
    return caught.value.code


def handle(
    connection_id: str = "c1", user_id: str = "ann", protocol: int = 2, **fields: Any
) -> ConnectionHandle:
    """A connection."""
    return ConnectionHandle(connection_id, user_id, protocol=protocol, **fields)


def caller(connection_id: str | None = "c1", principal: Principal = ANN) -> Caller:
    """Who asks."""
    return Caller(principal, connection_id)


def attach(
    session_id: str | None = None,
    connection: ConnectionHandle | None = None,
    *,
    new_session_id: str | None = "s1",
    **fields: Any,
) -> Attach:
    """A `connect` of *connection*, to a session that is there or to a new one."""
    connection = connection or handle()
    who = Caller(Principal(connection.user_id), connection.id)
    return Attach(who, connection, session_id, new_session_id=new_session_id, **fields)


def chat(
    content: str = "hi",
    run_id: str = "r1",
    *,
    who: Caller | None = None,
    session_id: str = "s1",
    **fields: Any,
) -> SubmitChat:
    """A chat of *who* to its session."""
    return SubmitChat(who or caller(), Chat(content, session_id, **fields), run_id)


def greeting(session_id: str = "s1", connection_id: str = "c1", **fields: Any) -> Connected:
    """What a connection hears first of a session that is new."""
    default: dict[str, Any] = {"resumed": False, "last_seq": 0, "protocol": 2, "channels": {"*": 0}}
    fields = default | fields
    return Connected(session_id, epoch=EPOCH, limits=WIRE, connection_id=connection_id, **fields)


# ── effects as values ────────────────────────────────────────────────────────
# A log is compared by identity, as it must be: here its name stands for it.


@attrs.frozen
class Delivered:
    """`Deliver`, with the entry that it is about."""

    log: str
    event: LoggedEvent


@attrs.frozen
class Watched:
    """`Watch`, with the names of the logs."""

    connection_id: str
    greeting: Connected
    cursors: dict[str, int]


@attrs.frozen
class Followed:
    """`Follow`, with the name of the log."""

    connection_id: str
    log: str
    after: int


@attrs.frozen
class Unfollowed:
    """`Unfollow`, with the name of the log."""

    connection_id: str
    log: str


def plain(effects: Sequence[Effect]) -> list[object]:
    """
    Put names in the place of logs; like fan-out, show what is delivered.

    What is stored besides sessions and entries is left out: see `stored`.
    """
    return [_plain(effect) for effect in effects if not isinstance(effect, _BELONGINGS)]


def stored(effects: Sequence[Effect]) -> list[object]:
    """What of *effects* is stored of the belongings of sessions, and of channels."""
    return [effect for effect in effects if isinstance(effect, _BELONGINGS)]


_BELONGINGS = tuple(set(get_args(Change)) - {Deliver, SaveSession, DropSession})


def _plain(effect: Effect) -> object:
    match effect:
        case Deliver(log, entry):
            log.show(entry.seq)
            return Delivered(log.name, entry.event)
        case Watch(connection_id, greeting, cursors):
            return Watched(connection_id, greeting, {log.name: after for log, after in cursors})
        case Follow(connection_id, log, after):
            return Followed(connection_id, log.name, after)
        case Unfollow(connection_id, log):
            return Unfollowed(connection_id, log.name)
        case _:
            return effect


def delivered(event: LoggedEvent, seq: int, log: str = "s1", ts: int = TS) -> Delivered:
    """*event* as the entry *seq* of a session's log."""
    stamp: dict[str, Any] = {"seq": seq, "ts": ts}
    return Delivered(log, attrs.evolve(event, **stamp))


def snapshot(table: SessionTable, session_id: str = "s1", **fields: Any) -> Session:
    """A session as it is now, or was when *fields* were so."""
    return attrs.evolve(ask(table, GetSession(OPERATOR, session_id)), **fields)
