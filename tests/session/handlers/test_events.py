"""The session table: an embedding program's events, with their effects and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentToken,
    AgentToolStart,
    ChannelMessage,
    Chat,
    Connected,
    Error,
)
from bamboo_gateway.session.requests import (
    AppendEvent,
    BroadcastEvent,
    Request,
)
from bamboo_gateway.session.table import SessionTable
from tests.session.tables import (
    ask,
    ask_and_tell,
    delivered,
    refusal,
)


def test_an_embedder_s_event_goes_to_a_session_or_to_all(table: SessionTable) -> None:
    """The reply is its number in the log that it went to."""
    token = AgentToken("s1", "hi", run_id="mine")
    assert ask_and_tell(table, AppendEvent("s1", token)) == (1, [delivered(token, 1)])
    effects = [delivered(attrs.evolve(token, channel="*"), 1, "*")]
    assert ask_and_tell(table, BroadcastEvent(token)) == (1, effects)


EVERYWHERE: dict[str, Callable[[Any], Request[int]]] = {
    "to a session": lambda event: AppendEvent("s1", event),
    "to all": BroadcastEvent,
}


@pytest.mark.parametrize("make", EVERYWHERE.values(), ids=EVERYWHERE)
@pytest.mark.parametrize(
    "event",
    [
        ChannelMessage("news", "hello"),
        Connected("s1"),
        Chat("hi", "s1"),
        {"type": "agent_token"},
        AgentToken("s1", "\ud800"),
        AgentToolStart("s1", "t", args=float("nan")),
        AgentToolStart("s1", "t", args={1: 2}),
        Error("CODE", "text", retry_after=float("inf")),
        AgentComplete("s1", None),  # type: ignore[arg-type]  # the slip that is tested
    ],
    ids=["channel", "connected", "chat", "dict", "surrogate", "nan", "key", "infinity", "no usage"],
)
def test_what_no_log_takes_is_refused(
    table: SessionTable, make: Callable[[Any], Request[int]], event: object
) -> None:
    """A kind with a log of its own, what is no entry at all, and what cannot be encoded."""
    assert refusal(table, make(event)) is ErrorCode.INVALID_EVENT


def test_an_event_names_the_session_that_it_goes_to(table: SessionTable) -> None:
    """Another one's would be taken for it by the client; an error may name none."""
    assert refusal(table, AppendEvent("s1", AgentToken("s2", "a"))) is ErrorCode.INVALID_EVENT
    assert ask(table, AppendEvent("s1", Error("CODE", "text"))) == 1
    assert refusal(table, AppendEvent("nil", Error("CODE", "text"))) is ErrorCode.SESSION_NOT_FOUND
