"""The tasks of turns: however an agent ends, its turn ends, and nothing else does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trio
import trio.testing

from bamboo_gateway.errors import AgentError, ErrorCode
from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentStart,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    Chat,
    Error,
    LoggedEvent,
    TokenUsage,
    UserMessage,
)
from bamboo_gateway.session.effects import CancelTurn, StartTurn
from bamboo_gateway.session.requests import AbortTurn, CreateSession, Detach
from bamboo_gateway.turn import Turn
from bamboo_gateway.turns import TurnStatistics
from tests.backstage import HANG, Backstage, backstage


def begun(content: str = "hi", run_id: str = "r1") -> list[LoggedEvent]:
    """How each turn begins."""
    return [UserMessage("s1", content, run_id=run_id), AgentStart("s1", run_id=run_id)]


def failed(message: str, code: str = ErrorCode.AGENT_ERROR, run_id: str = "r1") -> Error:
    """How a turn ends that did not go well."""
    return Error(code, message, session_id="s1", run_id=run_id)


@asynccontextmanager
async def answering(agent: Any) -> AsyncIterator[Backstage]:
    """A session whose first chat the agent has answered."""
    async with backstage(agent) as stage:
        await stage.chat(await stage.connect())
        await stage.wait_until(lambda: isinstance(stage.turn()[-1], AgentComplete | Error))
        await stage.settle()
        yield stage


async def test_who_waits_for_the_end_of_all_turns() -> None:
    """None runs: no wait. Some do: until the last has ended, however it ends."""
    speak = trio.Event()

    async def agent(turn: Turn) -> None:
        await speak.wait()

    async with backstage(agent) as stage, trio.open_nursery() as nursery:
        await stage.turns.wait_idle()
        await stage.chat(await stage.connect())
        await stage.wait_until(lambda: stage.turns.statistics().running == 1)
        nursery.start_soon(stage.turns.wait_idle)
        await trio.testing.wait_all_tasks_blocked()
        assert nursery.child_tasks
        speak.set()


# ── agents that answer ───────────────────────────────────────────────────────


async def test_an_agent_streams_its_answer() -> None:
    """Tokens, tools and the cost, in the order of their happening."""

    async def agent(turn: Turn) -> TokenUsage:
        await turn.token("He")
        async with turn.tool("search", {"q": turn.message.content}) as call:
            call.result = "found"
        await turn.token("llo")
        return TokenUsage(1, 2, 3)

    async with answering(agent) as stage:
        start, complete = stage.turn()[3:5]
        assert isinstance(start, AgentToolStart)
        assert isinstance(complete, AgentToolComplete)
        assert stage.turn() == [
            *begun(),
            AgentToken("s1", "He", run_id="r1"),
            AgentToolStart("s1", "search", tool_call_id=start.tool_call_id, args={"q": "hi"}, run_id="r1"),
            AgentToolComplete("s1", "search", "found", tool_call_id=start.tool_call_id, ok=True, run_id="r1"),
            AgentToken("s1", "llo", run_id="r1"),
            AgentComplete("s1", TokenUsage(1, 2, 3), run_id="r1"),
        ]
        assert stage.turns.statistics() == TurnStatistics(running=0, completed=1, failed=0, aborted=0)


async def test_no_usage_is_none_spent() -> None:
    """An agent that counts nothing returns nothing."""

    async def agent(turn: Turn) -> None:
        pass

    async with answering(agent) as stage:
        assert stage.turn()[-1] == AgentComplete("s1", TokenUsage(), run_id="r1")


async def test_an_agent_knows_what_came_before() -> None:
    """The session as it is, the chat that asks, and the conversation ahead of it."""
    seen: list[Turn] = []

    async def agent(turn: Turn) -> None:
        seen.append(turn)
        await turn.token("so it is")

    async with answering(agent) as stage:
        await stage.chat(await stage.connect(), "and now?", "r2")
        await stage.wait_until(lambda: len(stage.turn("r2")) == 4)
        assert (seen[0].history, seen[0].run_id, seen[0].session.state) == ((), "r1", "running")
        assert [(message.role, message.content) for message in seen[1].history] == [
            ("user", "hi"),
            ("assistant", "so it is"),
        ]
        assert seen[1].message.content == "and now?"


async def test_an_agent_may_have_a_nursery() -> None:
    """Two of its tasks may stream at once."""

    async def agent(turn: Turn) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(turn.token, "a")
            nursery.start_soon(turn.token, "b")

    async with answering(agent) as stage:
        assert sorted(event.token for event in stage.turn() if isinstance(event, AgentToken)) == ["a", "b"]


# ── agents that fail ─────────────────────────────────────────────────────────


def group(*errors: Exception) -> ExceptionGroup[Exception]:
    """What a nursery makes of errors."""
    return ExceptionGroup("nursery", errors)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (AgentError("out of bamboo"), "out of bamboo"),
        (AgentError("lone \ud800"), "lone ?"),
        (ValueError("key sk-123 is wrong"), "the agent failed with ValueError"),
        (group(AgentError("out of bamboo")), "out of bamboo"),
        (group(group(KeyError("secret"))), "the agent failed with KeyError"),
        (group(ValueError("a"), AgentError("out of bamboo")), "the agent failed with ValueError"),
        (trio.TooSlowError(), "the agent failed with TooSlowError"),
        (SystemExit(1), "the agent failed with SystemExit"),
    ],
    ids=["agent", "surrogate", "other", "group", "groups", "both", "slow", "exit"],
)
async def test_what_it_raises_ends_its_turn(error: BaseException, message: str) -> None:
    """One error for the client, with no more of the text than was meant for it; the session lives on."""

    async def agent(turn: Turn) -> None:
        if turn.run_id == "r1":
            raise error

    async with answering(agent) as stage:
        assert stage.turn() == [*begun(), failed(message)]
        await stage.chat(await stage.connect(), "again", "r2")
        await stage.wait_until(lambda: len(stage.turn("r2")) == 3)
        await stage.settle()
        assert stage.turns.statistics() == TurnStatistics(running=0, completed=1, failed=1, aborted=0)


class NoUsage:
    """Neither usage nor nothing."""


@pytest.mark.parametrize("usage", ["five tokens", 5, {}, NoUsage(), TokenUsage(2**70)])
async def test_a_usage_that_is_none_ends_its_turn(usage: object) -> None:
    """Garbage is the agent's failure, and no frame ever carries it."""

    async def agent(turn: Turn) -> object:
        return usage

    async with answering(agent) as stage:
        error = stage.turn()[-1]
        assert isinstance(error, Error)
        assert error.message in (
            "the agent failed with TypeError",
            "the agent failed with InvalidMessageError",
        )


async def test_an_event_that_cannot_be_sent_ends_its_turn() -> None:
    """The agent is cancelled where it stands; what was well so far is kept."""
    ended = trio.Event()

    async def agent(turn: Turn) -> None:
        await turn.token("well")
        await turn.token("\ud800")
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    async with answering(agent) as stage:
        assert stage.turn()[2:] == [
            AgentToken("s1", "well", run_id="r1"),
            failed("the agent's AgentToken cannot be encoded: a lone surrogate is no character"),
        ]
        assert ended.is_set()


# ── abort ────────────────────────────────────────────────────────────────────


class Sleeper:
    """An agent that says one word and sleeps until it is cancelled."""

    def __init__(self) -> None:
        self.asleep = trio.Event()

    async def __call__(self, turn: Turn) -> None:
        """Answer the first chat so, any other at once."""
        await turn.token("zzz")
        if not self.asleep.is_set():
            self.asleep.set()
            await self.sleep(turn)

    async def sleep(self, turn: Turn) -> None:
        """Sleep."""
        await trio.sleep_forever()


ABORTED = failed("the turn was aborted", ErrorCode.AGENT_ABORTED)


@asynccontextmanager
async def aborted(agent: Sleeper) -> AsyncIterator[Backstage]:
    """A session whose first turn was aborted while another chat waited, and is over; so is the other's."""
    async with backstage(agent) as stage:
        caller = await stage.connect()
        await stage.chat(caller, run_id="r1")
        await stage.chat(caller, "next", run_id="r2")
        with trio.fail_after(HANG):
            await agent.asleep.wait()
        assert await stage.ask(AbortTurn(caller, run_id="r1")) == ["r1"]
        await stage.settle()
        await stage.wait_until(lambda: isinstance(stage.turn("r2")[-1], AgentComplete))
        yield stage


async def test_abort_cancels_at_once() -> None:
    """The turn is over before the agent is; the chat that waited is answered."""
    async with aborted(Sleeper()) as stage:
        assert stage.turn() == [*begun(), AgentToken("s1", "zzz", run_id="r1"), ABORTED]
        assert stage.turn("r2") == [
            *begun("next", "r2"),
            AgentToken("s1", "zzz", run_id="r2"),
            AgentComplete("s1", TokenUsage(), run_id="r2"),
        ]
        assert stage.turns.statistics() == TurnStatistics(running=0, completed=1, failed=0, aborted=1)
        durations = stage.turns.durations()
        assert {outcome: each.count for outcome, each in durations.items()} == {
            "completed": 1,
            "failed": 0,
            "aborted": 1,
        }


class Talker(Sleeper):
    """An agent that has the last word."""

    async def sleep(self, turn: Turn) -> None:
        """Say something more, with all its might, while it is cancelled."""
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + HANG):
                await turn.token("late")


class Stubborn(Sleeper):
    """An agent that takes a cancel for a hint, and returns as if nothing had happened."""

    async def sleep(self, turn: Turn) -> None:
        """Swallow the cancel."""
        with suppress(trio.Cancelled):
            await trio.sleep_forever()


class Clumsy(Sleeper):
    """An agent that fails while it is cancelled."""

    async def sleep(self, turn: Turn) -> None:
        """Raise in the midst of the cleanup."""
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("the cleanup failed")


class ClumsyNursery(Clumsy):
    """The same in a task of its own, so that the error and the cancel come in one group."""

    async def sleep(self, turn: Turn) -> None:
        """Raise beside a task that is cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(super().sleep, turn)
            await trio.sleep_forever()


@pytest.mark.parametrize("agent", [Talker, Stubborn, Clumsy, ClumsyNursery])
async def test_however_it_takes_it_nothing_more_is_heard(agent: type[Sleeper]) -> None:
    """What comes after an abort is no part of the answer, counts for nothing, and hurts nobody."""
    async with aborted(agent()) as stage:
        assert stage.turn() == [*begun(), AgentToken("s1", "zzz", run_id="r1"), ABORTED]
        statistics = stage.turns.statistics()
        assert (statistics.running, statistics.completed) == (0, 1)
        assert statistics.failed + statistics.aborted == 1


async def test_a_turn_aborted_before_it_began_calls_no_agent() -> None:
    """A chat that waits is taken back as if it had never been meant for the agent."""
    agent = Sleeper()
    async with backstage(agent) as stage:
        caller = await stage.connect()
        await stage.chat(caller)
        await stage.chat(caller, "never mind", "r2")
        assert await stage.ask(AbortTurn(caller)) == ["r1", "r2"]
        await stage.settle()
        assert stage.turn("r2") == [
            UserMessage("s1", "never mind", run_id="r2"),
            failed("the turn was aborted", ErrorCode.AGENT_ABORTED, "r2"),
        ]
        assert stage.turns.statistics() == TurnStatistics(running=0, completed=0, failed=0, aborted=1)


async def test_to_cancel_what_is_over_is_nothing() -> None:
    """A turn that ended at the same moment stays as it ended."""

    async def agent(turn: Turn) -> None:
        pass

    async with answering(agent) as stage:
        stage.turns.cancel("r1")
        assert stage.turns.statistics() == TurnStatistics(running=0, completed=1, failed=0, aborted=0)


# ── what does not end a turn ─────────────────────────────────────────────────


async def test_disconnecting_does_not_cancel() -> None:
    """The agent answers to the end; who comes back finds the answer in the log."""
    go = trio.Event()

    async def agent(turn: Turn) -> None:
        await go.wait()
        await turn.token("still here")

    async with backstage(agent) as stage:
        await stage.chat(await stage.connect())
        await stage.ask(Detach("c1"))
        go.set()
        await stage.wait_until(lambda: isinstance(stage.turn()[-1], AgentComplete))
        assert stage.turn()[2] == AgentToken("s1", "still here", run_id="r1")
        assert not [effect for effect in stage.effects if isinstance(effect, CancelTurn)]


async def test_the_end_of_the_gateway_ends_all_turns() -> None:
    """Also that of an agent which fails on the way: nobody's error keeps the gateway from its end."""
    agents = [Sleeper(), ClumsyNursery()]

    async def agent(turn: Turn) -> None:
        await agents[turn.session.id == "s2"](turn)

    async with backstage(agent) as stage:
        await stage.chat(await stage.connect(), session_id="s1")
        await stage.chat(await stage.connect("c2", "s2"), run_id="r2", session_id="s2")
        with trio.fail_after(HANG):
            for each in agents:
                await each.asleep.wait()
        assert stage.turns.statistics().running == 2
    assert stage.turns.statistics().running == 0


async def test_a_turn_that_would_begin_when_all_is_over_does_not() -> None:
    """A commit may come through when the gateway is being cancelled: whoever comes next sees to its turns."""

    async def agent(turn: Turn) -> None:
        raise AssertionError("nobody is there to hear it")

    async with backstage(agent) as stage:
        session = await stage.registry.ask(CreateSession("ann", "s1"))
    stage.turns.start(StartTurn(session, "r1", Chat("hi", "s1"), ()))
    assert stage.turns.statistics().running == 0
