"""What must be true of a session when all is said: each chat once, each turn whole or honestly cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from tests.integration.numbered_agent import is_tool, token
from tests.plain_wire import Event

_ENDS = ("agent_complete", "error")


@attrs.frozen
class Answer:
    """What the log has of one turn."""

    chat_id: str
    steps: int
    """How many the chat asks for."""
    run_id: str
    events: Sequence[Event]
    """From `agent_start` on."""

    @property
    def is_interrupted(self) -> bool:
        """Did a gateway end in its midst?"""
        return bool(self.events[-1]["type"] == "error")

    @property
    def text(self) -> str:
        """What the agent has said."""
        return "".join(event["token"] for event in self.events if event["type"] == "agent_token")

    @property
    def tools(self) -> list[tuple[int, str | None]]:
        """Each call: the step that it was for, and its result."""
        results = {
            event["tool_call_id"]: event["result"]
            for event in self.events
            if event["type"] == "agent_tool_complete"
        }
        calls = [event for event in self.events if event["type"] == "agent_tool_start"]
        return [(call["args"]["step"], results.get(call["tool_call_id"])) for call in calls]

    def check(self, *, resumes: bool) -> None:
        """Begun once, ended once, each step at most once and in order; if it *resumes*, all of them."""
        kinds = Counter(event["type"] for event in self.events)
        assert self.events[0]["type"] == "agent_start", self
        assert self.events[-1]["type"] in _ENDS, self
        assert kinds["agent_start"] == kinds["agent_complete"] + kinds["error"] == 1, self
        assert not (self.is_interrupted and resumes), self
        if self.is_interrupted:
            assert self.events[-1]["code"] == "AGENT_INTERRUPTED", self
        done = [step for event in self.events for step in self._step_of(event)]
        expected = list(range(self.steps))
        assert done == (expected[: len(done)] if self.is_interrupted else expected), self
        if not resumes:
            started = [step for step, _ in self.tools]
            assert len(set(started)) == len(started), self

    def _step_of(self, event: Event) -> list[int]:
        """The step that *event* ends."""
        if event["type"] == "agent_tool_complete":
            assert (event["tool"], event["ok"], is_tool(int(event["result"]))) == ("count", True, True), event
            return [int(event["result"])]
        if event["type"] == "agent_token":
            step = int(event["token"].split(".")[1])
            assert event["token"] == token(self.chat_id, step), event
            return [step]
        return []


def read_answers(log: Sequence[Event], asked: dict[str, str]) -> list[Answer]:
    """Take a whole log apart: every event belongs to one turn, and turns do not overlap."""
    questions = [event for event in log if event["type"] == "user_message"]
    ids = [event["id"] for event in questions]
    assert len(set(ids)) == len(ids), "a chat stands twice in the log"
    assert all(event["content"] == asked[event["id"]] for event in questions)
    answers: list[Answer] = []
    rest = [event for event in log if event["type"] != "user_message"]
    # A chat that was accepted later is answered later.
    for question in questions:
        count = sum(event["run_id"] == question["run_id"] for event in rest)
        said, rest = rest[:count], rest[count:]
        assert all(event["run_id"] == question["run_id"] for event in said), (question, said)
        answers.append(Answer(question["id"], int(question["content"]), question["run_id"], said))
    assert not rest, "events of no turn"
    return answers


def check_history(history: Sequence[dict[str, Any]], answers: Sequence[Answer]) -> None:
    """The conversation is what the log said, and says which answers are cut."""
    assert len(history) == 2 * len(answers)
    for question, said, answer in zip(history[::2], history[1::2], answers, strict=True):
        assert (question["role"], question["content"]) == ("user", str(answer.steps)), question
        assert question["run_id"] == said["run_id"] == answer.run_id, (question, said)
        status = "interrupted" if answer.is_interrupted else "complete"
        assert (said["role"], said["status"], said["content"]) == ("assistant", status, answer.text), said
        tools = [(call["args"]["step"], call.get("result")) for call in said["tool_calls"]]
        assert tools == answer.tools, said
