"""The requests: values that are right from the start, each with a handler in the table."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

import pytest

from bamboo_gateway.protocol.messages import AgentToken, ChannelMessage, Error
from bamboo_gateway.session import requests
from bamboo_gateway.session.outcomes import MessageKey
from bamboo_gateway.session.requests import OPERATOR, Request, SessionRequest
from tests.session.tables import LIMITS, ask, attach, caller, chat, handle, new_table

KINDS = {
    cls
    for _, cls in inspect.getmembers(requests, inspect.isclass)
    if issubclass(cls, Request) and cls not in (Request, SessionRequest)
}

KEY = MessageKey("command", "a", "of what it says")
OTHER_KEY = MessageKey("command", "b", "of what it says")
ANSWER = Error("CODE", "text")

ONE_OF_EACH: list[Request[Any]] = [
    attach(),
    requests.CreateSession("ann", "s2"),
    requests.GetSession(OPERATOR, "s1"),
    requests.RefreshSessions(OPERATOR, []),
    requests.RenameSession(OPERATOR, "s1", "tea"),
    requests.SetMetadata(OPERATOR, "s1", {}),
    requests.ShareSession(OPERATOR, "s1", "bob", "read"),
    requests.GetHistory(OPERATOR, "s1", 1),
    requests.AppendEvent("s1", AgentToken("s1", "a")),
    requests.BroadcastEvent(AgentToken("s1", "a")),
    chat(),
    requests.EmitEvents("s1", "r1", [AgentToken("s1", "a")]),
    requests.EndTurn("s1", "r1", Error("AGENT_ERROR", "failed")),
    requests.AbortTurn(OPERATOR, "s1"),
    requests.CreateChannel(OPERATOR, "news"),
    requests.ListChannels(OPERATOR),
    requests.JoinChannel(OPERATOR, "s1", "news"),
    requests.GetMember(OPERATOR, "s1", "news"),
    requests.SendToChannel(ChannelMessage("news", "hello", session_id="s1")),
    requests.LeaveChannel(OPERATOR, "s1", "news"),
    requests.DeleteChannel(OPERATOR, "news"),
    requests.PerformOnce(caller(), KEY, requests.Flush(), lambda _: ANSWER),
    requests.Perform(requests.Flush()),
    requests.Admit(),
    requests.ReplaceLimits(LIMITS),
    requests.Claim(caller(), OTHER_KEY, ANSWER),
    requests.Settle(caller(), "s1", OTHER_KEY, ANSWER),
    requests.Abandon(caller(), OTHER_KEY, ANSWER, is_new=True),
    requests.Detach("c1"),
    requests.DeleteSession(OPERATOR, "s1"),
    requests.DeleteInactive("s1", 0),
    requests.RestoreSession("s1", None),
    requests.Tidy(0),
    requests.Flush(),
    requests.Drain(1.0),
]


def test_the_table_knows_every_request() -> None:
    """Whatever can be asked is answered."""
    assert {type(request) for request in ONE_OF_EACH} == KINDS
    table = new_table()
    for request in ONE_OF_EACH:
        ask(table, request)


SLIPS: dict[str, tuple[Callable[[Any], Request[Any]], Any]] = {
    "a Session in the place of its id": (lambda it: requests.GetSession(OPERATOR, it), handle()),
    "an id that is a list": (lambda it: requests.DeleteSession(OPERATOR, it), []),
    "a user without a name": (lambda it: requests.CreateSession(it, "s"), None),
    "a number for a name": (lambda it: requests.RenameSession(OPERATOR, "s", it), 5),
    "metadata in a list": (lambda it: requests.SetMetadata(OPERATOR, "s", it), [1]),
    "a duration for seconds": (lambda it: requests.DeleteInactive("s", it), "3600"),
    "a connection's id": (lambda it: requests.Attach(OPERATOR, it, "s"), "c1"),
    "a text for a message": (requests.SendToChannel, "hello"),
    "a message to no channel": (requests.SendToChannel, ChannelMessage(cast(str, None), "hello")),
    "a message of no session": (requests.SendToChannel, ChannelMessage("a", "b", session_id=cast(str, []))),
    "a text for a limit": (lambda it: requests.GetHistory(OPERATOR, "s", it), "5"),
    "a fraction of a page": (lambda it: requests.GetHistory(OPERATOR, "s", it), 1.5),
    "an event's session": (lambda it: requests.AppendEvent(it, AgentToken("s", "a")), handle()),
}


@pytest.mark.parametrize(("make", "value"), SLIPS.values(), ids=SLIPS)
def test_a_slip_of_the_type_surfaces_where_it_is_made(
    make: Callable[[Any], Request[Any]], value: object
) -> None:
    """A program learns of it at once: in the registry it would end the gateway."""
    with pytest.raises(TypeError):
        make(value)


SENSELESS: dict[str, Callable[[], Request[Any]]] = {
    "no messages": lambda: requests.GetHistory(OPERATOR, "s", 0),
    "messages before the first": lambda: requests.GetHistory(OPERATOR, "s", 1, before=-1),
    "an age below zero": lambda: requests.DeleteInactive("s", -1),
    "an age that is no number": lambda: requests.DeleteInactive("s", float("nan")),
    "a channel without a name": lambda: requests.CreateChannel(OPERATOR, ""),
    "a channel with a long name": lambda: requests.CreateChannel(OPERATOR, "x" * 257),
    "a channel that cannot be written": lambda: requests.CreateChannel(OPERATOR, "\ud800"),
    "a user that cannot be written": lambda: requests.CreateSession("\ud800", "s"),
    "a name that cannot be written": lambda: requests.RenameSession(OPERATOR, "s", "\ud800"),
}


@pytest.mark.parametrize("make", SENSELESS.values(), ids=SENSELESS)
def test_so_does_a_value_that_makes_no_sense(make: Callable[[], Request[Any]]) -> None:
    """Pages are of one item or more, numbers count from 0, and a text is one that a frame can carry."""
    with pytest.raises(ValueError):  # noqa: PT011 – the words are those of attrs and of Python
        make()
