"""The journal: committed, then let out, then answered; and many batches in one commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import wait_all_tasks_blocked

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.journal import Batch, Call, run_journal
from bamboo_gateway.session.effects import Change, Dismiss, DropSession, Effect, SaveSession
from bamboo_gateway.session.requests import OPERATOR, GetSession
from bamboo_gateway.session.session import Session
from bamboo_gateway.storage.memory import MemoryStorage
from tests.backstage import HANG
from tests.session.test_live import BORN


class RecordingStorage(MemoryStorage):
    """Storage in memory that writes down what it was given, and can be made to wait or to fail."""

    def __init__(self, record: list[tuple[str, Any]]) -> None:
        super().__init__()
        self._record = record
        self.open = trio.Event()
        self.open.set()
        self.fault: Exception | None = None

    async def commit(self, changes: Sequence[Change]) -> None:
        """Commit when the gate is open."""
        await self.open.wait()
        if self.fault:
            raise self.fault
        await super().commit(changes)
        self._record.append(("commit", list(changes)))


@attrs.define
class Desk:
    """A journal, the way into it, and what came out of it, in the order in which it did."""

    record: list[tuple[str, Any]]
    storage: RecordingStorage
    batches: trio.MemorySendChannel[Batch]

    async def deliver(self, effects: Sequence[Effect]) -> None:
        """Let out."""
        await trio.lowlevel.checkpoint()
        self.record.append(("deliver", list(effects)))

    async def reply(self, call: Call) -> None:
        """Somebody who waits for a reply."""
        self.record.append(("reply", await call.wait()))


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """A journal that runs as long as the block."""
    record: list[tuple[str, Any]] = []
    batches_send, batches = trio.open_memory_channel[Batch](16)
    here = Desk(record, RecordingStorage(record), batches_send)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_journal, batches, here.storage, here.deliver)
        yield here
        with trio.fail_after(HANG):
            await batches_send.aclose()


def save(session_id: str) -> SaveSession:
    """A change."""
    return SaveSession(Session(session_id, "ann", BORN, BORN))


def call(reply: object) -> Call:
    """A request that the registry has answered."""
    return Call(GetSession(OPERATOR, "s1"), wants_reply=True, reply=reply)


changes = st.sampled_from(["a", "b", "c"]).map(save) | st.sampled_from(["a", "b", "c"]).map(DropSession)
effects = st.lists(changes | st.sampled_from(["c1", "c2"]).map(Dismiss), max_size=4)


@given(batches=st.lists(effects, max_size=8), pauses=st.lists(st.booleans(), min_size=8, max_size=8))
async def test_nobody_sees_what_could_be_forgotten(batches: list[list[Effect]], pauses: list[bool]) -> None:
    """Each batch is committed as far as it changes a session, then let out, then answered; in order, once."""
    async with desk() as here, trio.open_nursery() as nursery:
        for number, (batch, pause) in enumerate(zip(batches, pauses, strict=False)):
            question = call(number)
            nursery.start_soon(here.reply, question)
            await here.batches.send(Batch([question], batch))
            if pause:
                await wait_all_tasks_blocked()
    committed: list[Effect] = []
    delivered: list[Effect] = []
    replies: list[int] = []
    for what, content in here.record:
        if what == "commit":
            committed += content
        elif what == "deliver":
            delivered += content
            assert [each for each in delivered if not isinstance(each, Dismiss)] == committed
        else:
            replies.append(content)
            assert len(delivered) >= sum(len(batch) for batch in batches[: content + 1])
    assert delivered == [effect for batch in batches for effect in batch]
    assert sorted(replies) == list(range(len(batches)))


async def test_while_one_commit_lasts_the_next_gathers() -> None:
    """Three batches that came meanwhile cost one commit and one delivery."""
    async with desk() as here:
        here.storage.open = trio.Event()
        await here.batches.send(Batch([], [save("first")]))
        await wait_all_tasks_blocked()
        for number in range(3):
            await here.batches.send(Batch([], [save(f"s{number}"), Dismiss(f"c{number}")]))
        here.storage.open.set()
    together = [effect for number in range(3) for effect in (save(f"s{number}"), Dismiss(f"c{number}"))]
    assert here.record == [
        ("commit", [save("first")]),
        ("deliver", [save("first")]),
        ("commit", [save(f"s{number}") for number in range(3)]),
        ("deliver", together),
    ]


async def test_what_changes_no_session_waits_for_no_storage() -> None:
    """A batch without a change is let out without a commit."""
    async with desk() as here:
        here.storage.fault = OSError("the disk is full")
        await here.batches.send(Batch([], [Dismiss("c1")]))
    assert here.record == [("deliver", [Dismiss("c1")])]


async def test_an_answer_may_be_a_refusal() -> None:
    """The error is raised where it was asked."""
    async with desk() as here:
        question = call(None)
        question.error = GatewayError(ErrorCode.SESSION_NOT_FOUND, "no session")
        await here.batches.send(Batch([question], []))
        with pytest.raises(GatewayError, match="no session"):
            await question.wait()


async def test_a_storage_that_fails_lets_nothing_out() -> None:
    """The journal ends with its error, and so does the gateway: what is not durable was not said."""
    question = call("reply")
    with pytest.RaisesGroup(pytest.RaisesExc(OSError, match="the disk is full")):
        async with desk() as here:
            here.storage.fault = OSError("the disk is full")
            await here.batches.send(Batch([question], [save("s1"), Dismiss("c1")]))
            with trio.fail_after(HANG):
                await question.wait()
    assert here.record == []


async def test_it_ends_with_the_registry() -> None:
    """What was handed over before is still let out."""
    async with desk() as here:
        await here.batches.send(Batch([], [Dismiss("c1")]))
    assert here.record == [("deliver", [Dismiss("c1")])]
