"""The `Turn` that an agent is given: tokens and tool calls, as they are shown to every watcher."""

from __future__ import annotations

import datetime

import attrs
import pytest
import trio

from bamboo_gateway.errors import AgentError, InvalidMessageError
from bamboo_gateway.protocol.messages import (
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    Chat,
    Json,
    LoggedEvent,
)
from bamboo_gateway.session.session import Session
from bamboo_gateway.turn import Turn

BORN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@attrs.define
class Stage:
    """A turn, and what it has shown."""

    events: list[LoggedEvent] = attrs.field(factory=list)

    async def emit(self, event: LoggedEvent) -> None:
        """Show an event."""
        await trio.lowlevel.checkpoint()
        self.events.append(event)

    @property
    def turn(self) -> Turn:
        """What the agent is given."""
        return Turn(Session("s1", "ann", BORN, BORN), "r1", Chat("hi", "s1"), (), self.emit)

    @property
    def call(self) -> tuple[AgentToolStart, AgentToolComplete]:
        """The one tool call that was shown."""
        start, complete = self.events
        assert isinstance(start, AgentToolStart)
        assert isinstance(complete, AgentToolComplete)
        assert start.tool_call_id == complete.tool_call_id is not None
        return start, complete


@pytest.fixture
def stage() -> Stage:
    """Nothing shown yet."""
    return Stage()


def test_a_turn_is_in_the_trace_of_its_chat(stage: Stage) -> None:
    """As headers to be sent on; what is not valid is not there."""
    assert (stage.turn.traceparent, stage.turn.tracestate) == (None, None)
    metadata: dict[str, Json] = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "x=1"}
    turn = attrs.evolve(stage.turn, message=Chat("hi", "s1", metadata=metadata))
    assert (turn.traceparent, turn.tracestate) == (metadata["traceparent"], "x=1")
    invalid = attrs.evolve(stage.turn, message=Chat("hi", "s1", metadata=metadata | {"traceparent": "00"}))
    assert (invalid.traceparent, invalid.tracestate) == (None, None)


async def test_tokens_are_shown_as_they_are_said(stage: Stage) -> None:
    """Each piece is an event; nothing is none."""
    for text in ("He", "", "llo"):
        await stage.turn.token(text)
    assert stage.events == [AgentToken("s1", "He"), AgentToken("s1", "llo")]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("as it is", "as it is"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (None, "null"),
        ("竹", "竹"),
        (["竹"], '["竹"]'),
    ],
)
async def test_a_tool_call_has_a_start_and_an_end(stage: Stage, result: Json, text: str) -> None:
    """A text is shown as it is, anything else as JSON."""
    async with stage.turn.tool("search", {"q": 1}) as call:
        assert (call.name, call.args) == ("search", {"q": 1})
        call.result = result
    start, complete = stage.call
    assert (start.tool, start.args, start.session_id) == ("search", {"q": 1}, "s1")
    assert (complete.tool, complete.result, complete.ok) == ("search", text, True)
    assert start.tool_call_id == call.id


async def test_each_call_is_another_one(stage: Stage) -> None:
    """Two calls of one tool at the same time are told apart by their ids."""
    async with stage.turn.tool("search") as one, stage.turn.tool("search") as two:
        one.result, two.result = "1", "2"
    results = {
        event.tool_call_id: event.result for event in stage.events if isinstance(event, AgentToolComplete)
    }
    assert results == {one.id: "1", two.id: "2"}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (AgentError("no such page"), "no such page"),
        (ValueError("key sk-123 is wrong"), "the tool failed with ValueError"),
        (ExceptionGroup("nursery", [AgentError("no such page")]), "no such page"),
        (ExceptionGroup("nursery", [ExceptionGroup("", [KeyError("x")])]), "the tool failed with KeyError"),
        (AgentError("lone \ud800"), "lone ?"),
    ],
    ids=["agent", "other", "group", "groups", "surrogate"],
)
async def test_a_tool_that_fails_is_shown_and_goes_on_failing(
    stage: Stage, error: Exception, text: str
) -> None:
    """Clients read what is meant for them, and nothing that just happens to be in an error."""
    with pytest.raises(type(error)) as caught:
        async with stage.turn.tool("search"):
            raise error
    assert caught.value is error
    assert (stage.call[1].result, stage.call[1].ok) == (text, False)


@pytest.mark.parametrize("result", [object(), float("nan"), ["\ud800"]], ids=["object", "nan", "surrogate"])
async def test_a_result_that_is_no_json_is_a_failure(stage: Stage, result: object) -> None:
    """The call that was begun is ended, and the agent learns of its mistake."""
    with pytest.raises(InvalidMessageError):
        async with stage.turn.tool("search") as call:
            call.result = result
    assert (stage.call[1].result, stage.call[1].ok) == ("the tool failed with InvalidMessageError", False)


async def test_a_cancelled_call_shows_nothing_more(stage: Stage) -> None:
    """An aborted turn is over for everybody already."""
    with trio.CancelScope() as scope:
        async with stage.turn.tool("search"):
            scope.cancel()
            await trio.sleep_forever()
    assert [type(event) for event in stage.events] == [AgentToolStart]
