"""A gateway that is killed again and again, in the midst of everything: nothing that was told is lost."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest
import trio

from tests.cli.process import Serving, serving, start
from tests.integration.ledger import Ledger
from tests.integration.ports import free_port
from tests.integration.size import is_soak
from tests.integration.verdict import check_history, read_answers
from tests.integration.witness import CHANNEL, Session, Witness
from tests.stream_client import StreamClient, dial

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.soak]

KILLS = 100 if is_soak() else 10

HANG = 60.0
"""Seconds for everything to come to its end after the last kill: machines that test are busy."""

AgentName: TypeAlias = Literal["forgetful", "steadfast"]


def _people(number: int, session: Session, rng: random.Random) -> list[Witness]:
    """
    One client in the first session, two in the second, three in the others.

    The first is the one whom the others are held against: its replays are exact.
    """
    people = [
        Witness(f"exact{number}", session, rng, is_exact=True),
        Witness(f"merged{number}", session, rng, dialect="serde"),
        Witness(f"old{number}", session, rng, protocol=1),
    ]
    return people[: number + 1]


class Trial:
    """A gateway that dies and comes back, and its witnesses."""

    def __init__(self, agent: AgentName, file: Path, rng: random.Random) -> None:
        self.rng = rng
        self.news = Ledger(CHANNEL)
        self.sessions = [Session(self.news) for _ in range(4)]
        self.witnesses = [
            each for number, session in enumerate(self.sessions) for each in _people(number, session, rng)
        ]
        self.early_kills = 0
        """Of those, before it had said that it listens."""
        self.kills = 0
        self.cuts = 0
        """How often a kill found a session with a turn that ran."""
        self._resumes = agent == "steadfast"
        self._port = free_port(rng)
        self._args = ["--agent", f"python:tests.integration.numbered_agent:{agent}", "--log-level", "warning"]
        self._args += ["--storage", f"sqlite:{file}", "--bind", f"127.0.0.1:{self._port}"]

    # ── its lives ────────────────────────────────────────────────────────────

    async def found(self) -> None:
        """Make the sessions, and the channel that joins them."""
        with self._serving() as served:
            for session in self.sessions:
                async with dial("127.0.0.1", self._port) as client:
                    connected = await client.connect(protocol=2)
                    session.id, session.epoch = connected["session_id"], connected["epoch"]
                    if session is self.sessions[0]:
                        await _command(client, "channel.create", name=CHANNEL)
                    await _command(client, "channel.join", name=CHANNEL)
            self._kill(served.process)

    async def live_and_die(self) -> None:
        """Serve for a moment, in which everybody comes back and goes on."""
        if self.rng.random() < 0.1:
            await self._die_young()
            return
        with self._serving() as served:
            async with trio.open_nursery() as nursery:
                for witness in self.witnesses:
                    nursery.start_soon(self._attend, witness)
                await trio.sleep(self.rng.choice([self.rng.uniform(0, 0.1), self.rng.uniform(0, 0.8)]))
                served.process.kill()
            self._kill(served.process)

    async def _attend(self, witness: Witness) -> None:
        """Come at once, or later, or in another life, and so with more to be told of."""
        if self.rng.random() < 0.8:
            await trio.sleep(self.rng.choice([0.0, 0.0, self.rng.uniform(0, 0.4)]))
            await witness.attend(self._port)

    async def _die_young(self) -> None:
        process = start("serve", *self._args)
        await trio.sleep(self.rng.uniform(0.1, 0.8))
        self.early_kills += 1
        self._kill(process)

    def _kill(self, process: subprocess.Popen[str]) -> None:
        process.kill()
        _, log = process.communicate()
        assert log == ""
        self.kills += 1
        self.cuts += sum(session.is_running() for session in self.sessions)
        for witness in self.witnesses:
            witness.check()

    def _serving(self) -> AbstractContextManager[Serving]:
        return serving(*self._args)

    # ── the end ──────────────────────────────────────────────────────────────

    async def conclude(self) -> None:
        """Let all that was said be answered, and judge."""
        for witness in self.witnesses:
            witness.is_quiet = True
        with self._serving() as served:
            changed_send, changed = trio.open_memory_channel[None](1)
            async with trio.open_nursery() as nursery:
                for witness in self.witnesses:
                    nursery.start_soon(witness.attend, self._port, changed_send)
                with trio.fail_after(HANG):
                    while not all(each.is_content(each.session.log.newest) for each in self.witnesses):
                        await changed.receive()
                histories = [await self._read_history(session) for session in self.sessions]
                nursery.cancel_scope.cancel()
            assert served.stop()[::2] == (0, "")
        for session, history in zip(self.sessions, histories, strict=True):
            self._judge(session, history)
        self._judge_news()

    async def _read_history(self, session: Session) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        async with dial("127.0.0.1", self._port) as client:
            await client.connect(protocol=2, session_id=session.id)
            before: int | None = None
            while before is None or before > 0:
                page = await _command(client, "session.history", limit=100, before=before)
                messages = page["messages"] + messages
                before = page["first"]
                assert page["has_more"] is (before > 0)
        return messages

    def _judge(self, session: Session, history: list[dict[str, Any]]) -> None:
        log = session.log
        assert log.whole_to == log.newest
        answers = read_answers(log.span(0, log.newest), session.asked)
        assert {answer.chat_id for answer in answers} == set(session.asked)
        for answer in answers:
            answer.check(resumes=self._resumes)
        check_history(history, answers)
        runs = {answer.chat_id: answer.run_id for answer in answers}
        for witness in [each for each in self.witnesses if each.session is session]:
            assert dict(witness.acked_runs()).items() <= runs.items(), witness.name
            witness.own.check_complete(log.newest)
            assert not witness.own.gaps, witness.name

    def _judge_news(self) -> None:
        told = [event["content"] for event in self.news.span(0, self.news.newest)]
        assert sorted(told) == sorted(message for witness in self.witnesses for message in witness.sent)
        for witness in [each for each in self.witnesses if each.protocol > 1]:
            assert not witness.news.gaps, witness.name

    def describe(self) -> str:
        """What has happened, in numbers."""
        answers = [
            answer
            for session in self.sessions
            for answer in read_answers(session.log.span(0, session.log.newest), session.asked)
        ]
        interrupted = sum(answer.is_interrupted for answer in answers)
        assert self.cuts > 0, "no turn was ever cut"
        return (
            f"{self.kills} kills ({self.early_kills} of them while it started; a turn ran {self.cuts} times),"
            f" {len(self.witnesses)} clients,"
            f" {sum(each.resumes for each in self.witnesses)} resumes,"
            f" {sum(each.repeats for each in self.witnesses)} messages said again,"
            f" {len(answers)} chats ({interrupted} answers interrupted),"
            f" {sum(session.log.newest for session in self.sessions)} events in logs,"
            f" {self.news.newest} in a channel,"
            f" {sum(each.own.heard + each.news.heard for each in self.witnesses)} frames heard"
        )


async def _command(client: StreamClient, command: str, **args: object) -> Any:
    await client.say("command", name=command, args=args)
    result = await client.next("command_result")
    assert result["ok"] is True, result
    return result["result"]


@pytest.mark.parametrize("agent", ["forgetful", "steadfast"])
async def test_nothing_is_lost_when_it_is_killed(
    agent: AgentName, tmp_path: Path, report: Callable[[str], None]
) -> None:
    """
    After each SIGKILL every client resumes; nothing acked or seen is lost or repeated.

    Turns that were cut say so and keep what was seen of them, or, of an agent
    that can go on, are said to their end, each step once.
    """
    seed = random.randrange(10**6)
    report(f"kill -9, {agent} agent, seed {seed}")
    trial = Trial(agent, tmp_path / "sessions.db", random.Random(seed))
    await trial.found()
    while trial.kills < KILLS:
        await trial.live_and_die()
    await trial.conclude()
    report(f"kill -9, {agent} agent: {trial.describe()}")
