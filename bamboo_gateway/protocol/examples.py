"""One example of every message, as the documents and the JSON Schema show it."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ErrorCode
from .messages import (
    AgentComplete,
    AgentStart,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    ChannelMessage,
    Chat,
    ChatAccepted,
    ClientInfo,
    ClientMessage,
    Command,
    CommandResult,
    Connect,
    Connected,
    Error,
    Gap,
    GatewayEvent,
    Limits,
    Ping,
    Pong,
    Presence,
    SessionEnded,
    Shutdown,
    TokenUsage,
    UserMessage,
)

_SESSION = "7d1f"
_RUN = "run-1"
_TS = 1767225600000
_CLIENT = ClientInfo("bamboo-chat", version="0.1.0")

_MESSAGES: tuple[ClientMessage | GatewayEvent, ...] = (
    Connect(
        _SESSION,
        "secret",
        protocol=2,
        last_seq=12,
        epoch="e1",
        channels={"news": 4, "*": 0},
        client=_CLIENT,
    ),
    Chat("What is the weather?", _SESSION, id="chat-1", metadata={"lang": "en"}),
    Command("session.rename", {"name": "Weather"}, id="cmd-1"),
    Ping(_TS),
    Connected(
        _SESSION,
        resumed=True,
        epoch="e1",
        last_seq=15,
        protocol=2,
        limits=Limits(max_message_bytes=1048576, max_queued_chats=16, heartbeat_interval=30.0),
        connection_id="c-1",
    ),
    AgentToken(_SESSION, "It is ", seq=16, run_id=_RUN, ts=_TS),
    AgentToolStart(
        _SESSION, "weather", tool_call_id="t-1", args={"city": "Oslo"}, seq=14, run_id=_RUN, ts=_TS
    ),
    AgentToolComplete(_SESSION, "weather", "sunny", tool_call_id="t-1", ok=True, seq=15, run_id=_RUN, ts=_TS),
    AgentComplete(_SESSION, TokenUsage(20, 5, 25), seq=18, run_id=_RUN, ts=_TS),
    Error(
        ErrorCode.QUEUE_FULL,
        "17 chats run or wait in this session; try when one is over",
        session_id=_SESSION,
        id="chat-1",
        retryable=True,
    ),
    Pong(_TS),
    ChatAccepted(_SESSION, _RUN, queued=0, id="chat-1"),
    AgentStart(_SESSION, seq=13, run_id=_RUN, ts=_TS),
    UserMessage(
        _SESSION,
        "What is the weather?",
        id="chat-1",
        metadata={"lang": "en"},
        seq=12,
        run_id=_RUN,
        ts=_TS,
    ),
    CommandResult("ping", ok=True, id="cmd-2", result={"timestamp": _TS}),
    ChannelMessage("news", "It is noon.", session_id=_SESSION, user_id="local", seq=5, ts=_TS),
    Gap(requested=3, earliest=7, latest=15, epoch="e1", session_id=_SESSION),
    SessionEnded(_SESSION, "the session was deleted"),
    Presence(
        session_id=_SESSION,
        event="joined",
        connection_id="c-2",
        user_id="local",
        watchers=2,
        client=_CLIENT,
    ),
    Shutdown("the gateway is stopping", retry_after=1.0, jitter=0.25),
)

EXAMPLES: Mapping[type, ClientMessage | GatewayEvent] = {type(message): message for message in _MESSAGES}
"""By class; there is one of each."""
