"""What is done now and then: memory and storage are tidied, and interrupted turns closed."""

from __future__ import annotations

import copy

import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from bamboo_gateway.errors import StorageError
from bamboo_gateway.protocol.messages import AgentToken, Error
from bamboo_gateway.session.log import LogLimits
from bamboo_gateway.session.requests import Tidy
from bamboo_gateway.session.stored import StoredSession
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.turn import Turn
from bamboo_gateway.upkeep import UpkeepSchedule, end_temporary, run_recovery, run_upkeep
from tests.backstage import Backstage, backstage

SCHEDULE = UpkeepSchedule(
    interval=10.0, max_idle=60.0, log_max_age=100.0, log_total_bytes=10**6, outcome_max_age=100.0
)


async def keep_up(stage: Backstage, nursery: trio.Nursery) -> None:
    """Have the upkeep run, by the registry's clock."""
    nursery.start_soon(run_upkeep, stage.registry, stage.storage, SCHEDULE, lambda: stage.now)
    await wait_all_tasks_blocked()


async def test_idle_sessions_leave_the_memory(autojump_clock: MockClock) -> None:
    """Those that neither run nor are watched; they are as they were when somebody names them again."""
    async with backstage() as stage, trio.open_nursery() as nursery:
        await stage.connect("c1", "watched")
        idle = await stage.sessions.create("ann", name="tea", metadata={"a": 1})
        await keep_up(stage, nursery)
        stage.now += 61
        await trio.sleep(11)
        assert stage.table.statistics().resident == 1
        assert stage.table.statistics().sessions == 2
        found = await stage.sessions.get(idle.id)
        assert found is not None
        assert (found.name, found.metadata) == ("tea", {"a": 1})
        assert found.last_activity == idle.last_activity
        assert stage.table.statistics().resident == 2
        nursery.cancel_scope.cancel()


async def test_what_is_too_old_is_forgotten(autojump_clock: MockClock) -> None:
    """In memory and in the storage, the newest event as well; `seq` counts on."""
    async with backstage(log=LogLimits(100, 10**6, max_age=100.0)) as stage, trio.open_nursery() as nursery:
        await stage.connect()
        await stage.ask_to_append("one")
        await keep_up(stage, nursery)
        stage.now += 101
        await trio.sleep(11)
        stored = await stage.load("s1")
        assert stored is not None
        assert (list(stored.log.entries), stored.log.last_seq) == ([], 1)
        assert await stage.ask_to_append("two") == 2
        nursery.cancel_scope.cancel()


class ShyStorage(MemoryStorage):
    """A storage that can be made to fail."""

    fails = True

    async def expire(self, before: int, max_log_bytes: int, outcomes_before: int) -> None:
        """Fail."""
        raise StorageError("the disk is gone")

    async def load(self, session_id: str, log_limits: LogLimits, history_bytes: int) -> StoredSession | None:
        """Fail, or not."""
        if self.fails:
            raise StorageError("the disk is gone")
        return await super().load(session_id, log_limits, history_bytes)


async def test_a_storage_that_fails_is_tried_again(autojump_clock: MockClock) -> None:
    """Each time it is a line in the log, and the gateway goes on."""
    with capture_logs() as logs:
        async with backstage(storage=ShyStorage()) as stage, trio.open_nursery() as nursery:
            await keep_up(stage, nursery)
            await trio.sleep(25)
            nursery.cancel_scope.cancel()
    assert [entry["event"] for entry in logs] == ["storage not tidied"] * 2


# ── turns that the end of a gateway has interrupted ──────────────────────────


async def say_and_hang(turn: Turn) -> None:
    """An agent that says half of what it has to say."""
    await turn.token("half a ")
    await trio.sleep_forever()


async def interrupted() -> MemoryStorage:
    """What a `kill -9` in mid-turn leaves: one turn that runs, and one that waits behind it."""
    storage = MemoryStorage()
    async with backstage(say_and_hang, storage=storage) as stage:
        caller = await stage.connect()
        await stage.chat(caller, "first", "r1")
        await stage.chat(caller, "second", "r2")
        await stage.wait_until(lambda: any(isinstance(e, AgentToken) for e in stage.events["s1"]))
        return copy.deepcopy(storage)


async def say_all(turn: Turn) -> None:
    """An agent that comes to an end."""
    await turn.token(f"answer to {turn.message.content}")


async def test_interrupted_turns_are_closed_and_those_behind_them_run() -> None:
    """Nobody has to name the session; what was said stays in the conversation, marked."""
    storage = await interrupted()
    with capture_logs() as logs:
        async with backstage(say_all, storage=storage) as stage:
            unfinished = (await storage.open(LogLimits(1, 1))).unfinished
            assert unfinished == ["s1"]
            await run_recovery(stage.registry, unfinished)
            await stage.settle()
            await stage.wait_until(lambda: stage.table.statistics().turns_running == 0)
            page = await stage.sessions.history("s1")
            said = [(each.content, each.status) for each in page.messages]
            assert said == [
                ("first", "complete"),
                ("half a ", "interrupted"),
                ("second", "complete"),
                ("answer to second", "complete"),
            ]
            [error] = [event for event in stage.events["s1"] if isinstance(event, Error)]
            assert (error.code, error.run_id) == ("AGENT_INTERRUPTED", "r1")
            assert (await storage.open(LogLimits(1, 1))).unfinished == []
    assert logs[-1] == {"event": "interrupted turns recovered", "log_level": "info", "sessions": 1}


async def test_recovery_waits_for_the_storage(autojump_clock: MockClock) -> None:
    """What cannot be read yet is read later."""
    storage = ShyStorage()
    async with backstage(storage=storage) as stage, trio.open_nursery() as nursery:
        nursery.start_soon(run_recovery, stage.registry, ["nobody knows it"])
        await trio.sleep(5.5)
        storage.fails = False
        with trio.fail_after(1.0):
            await trio.sleep(0.6)
        assert stage.registry.statistics().fetching == 0
        nursery.cancel_scope.cancel()


async def test_a_temporary_session_that_cannot_be_ended_is_told() -> None:
    """And the others are ended all the same."""
    async with backstage() as stage:
        brief = await stage.sessions.create("ann")
        with capture_logs() as logs:
            await end_temporary(stage.registry, ["nobody knows it", brief.id])
        assert [each["event"] for each in logs] == ["temporary session not ended"]
        assert await stage.sessions.get(brief.id) is None


async def test_one_that_cannot_be_read_keeps_no_other_waiting(autojump_clock: MockClock) -> None:
    """The others are brought back meanwhile; why the one was not is in the log."""

    class HalfStorage(MemoryStorage):
        async def load(
            self, session_id: str, log_limits: LogLimits, history_bytes: int
        ) -> StoredSession | None:
            if session_id == "damaged":
                raise StorageError("row 7 is damaged")
            return await super().load(session_id, log_limits, history_bytes)

    with capture_logs() as logs:
        async with backstage(storage=HalfStorage()) as stage, trio.open_nursery() as nursery:
            whole = await stage.sessions.create("ann")
            await stage.ask(Tidy(max_idle=0.0))
            nursery.start_soon(run_recovery, stage.registry, ["damaged", whole.id])
            await trio.sleep(1.5)
            assert stage.table.statistics().resident == 1
            nursery.cancel_scope.cancel()
    assert logs[0] == {
        "event": "session cannot be read",
        "log_level": "error",
        "session": "damaged",
        "error": "row 7 is damaged",
    }


class Patient:
    """An agent that goes on where it was."""

    resume = True

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    async def __call__(self, turn: Turn) -> None:
        """Say the other half."""
        self.turns.append(turn)
        await turn.token("sentence" if turn.partial else "all")


async def test_a_resumable_agent_is_called_again() -> None:
    """With what it had said, under the same turn; the answer becomes one message, and is complete."""
    storage, agent = await interrupted(), Patient()
    async with backstage(agent, storage=storage) as stage:
        await run_recovery(stage.registry, ["s1"])
        await stage.wait_until(lambda: stage.table.statistics().turns_running == 0)
        first, second = agent.turns
        assert first.partial is not None
        assert (first.run_id, first.partial.content, first.message.content) == ("r1", "half a ", "first")
        assert list(first.history) == []
        assert second.partial is None
        page = await stage.sessions.history("s1")
        said = [(each.content, each.status) for each in page.messages]
        assert said[:2] == [("first", "complete"), ("half a sentence", "complete")]


@pytest.mark.parametrize("resume", [False, None, "yes"])
async def test_who_says_it_can_resume_is_believed(resume: object) -> None:
    """Whatever is true counts, as everywhere in Python; whatever is not leaves the turn closed."""
    agent = Patient()
    agent.resume = resume  # type: ignore[assignment]
    async with backstage(agent, storage=await interrupted()) as stage:
        await run_recovery(stage.registry, ["s1"])
        await stage.wait_until(lambda: stage.table.statistics().turns_running == 0)
        assert (agent.turns[0].partial is not None) == bool(resume)
