"""Sessions as they should be: how far each turn has come, who waits, and how long each log is."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs

from tests.machines.clients.record import Chosen, Record
from tests.plain_wire import Event

Signature: TypeAlias = tuple[Any, ...]
"""What of an event the model foretells."""

LOG_EVENTS = 12
MAX_QUEUED = 2

LONG = "x" * 12_000
"""In a token, enough of it fills a socket."""


class Run:
    """
    A turn.

    Its chat is a script for the agent, a letter for each step: `t` a token, `l` a
    long one, `T` a tool call, `h` wait to be released, `H` the same within a tool
    call, `x` fail.
    """

    def __init__(self, chat_id: str, script: str) -> None:
        self.chat_id = chat_id
        self.script = script
        self.run_id = Chosen()
        self.events: list[Signature] = []
        """What it has put into the log."""
        self.position = 0

    def __repr__(self) -> str:
        return f"<{self.chat_id} {self.script!r} at {self.position}>"


def token(step: str, chat_id: str, position: int) -> str:
    """The text of a token: no two are the same."""
    return f"{chat_id}.{position} " + (LONG if step == "l" else "")


@attrs.frozen
class Command:
    """One that a client gave."""

    id: str
    name: str
    args: Mapping[str, object]


class SessionModel:
    """
    One session.

    Invariant: between two rules, a turn that runs is held; chats wait only
    behind it.
    """

    def __init__(self) -> None:
        self.id = Chosen()
        self.run: Run | None = None
        self.queue: deque[Run] = deque()
        self.channels: set[str] = set()
        self.record = Record("session", LOG_EVENTS, self.id)
        self.runs: list[Run] = []
        """Of the chats that it has accepted."""
        self.commands: list[Command] = []
        """Those that were carried out for who watched it."""
        self._told: list[str] = []

    def __repr__(self) -> str:
        return f"<session {self.id.value} to {self.record.last_seq}, runs {self.run}>"

    @property
    def waiting(self) -> int:
        """Turns that run or wait."""
        return len(self.queue) + (self.run is not None)

    def tell(self) -> str:
        """The embedder sends a token; this is its text."""
        self._told.append(f"told {self.record.last_seq}")
        self.record.grow()
        return self._told[-1]

    def submit(self, run: Run) -> None:
        """Accept a chat."""
        self.runs.append(run)
        self._say(run, "user_message", run.chat_id, run.script)
        self.queue.append(run)
        if self.run is None:
            self._go_on()

    def release(self) -> None:
        """Let the turn that is held go on."""
        assert self.run is not None
        if self.run.script[self.run.position] == "H":
            self._say(self.run, "agent_tool_complete", "tool", "null", True)
        self.run.position += 1
        self._go_on()

    def abort(self) -> None:
        """End all turns."""
        runs = [run for run in (self.run, *self.queue) if run is not None]
        self.run = None
        self.queue.clear()
        for run in runs:
            self._say(run, "error", "AGENT_ABORTED")

    def _go_on(self) -> None:
        while self.run is not None or self.queue:
            if self.run is None:
                self.run = self.queue.popleft()
                self._say(self.run, "agent_start")
            if not self._play(self.run):
                return
            self.run = None

    def _play(self, run: Run) -> bool:
        """Go on with a script, to where it is held (False) or to its end."""
        for step in run.script[run.position :]:
            match step:
                case "h":
                    return False
                case "H":
                    self._say(run, "agent_tool_start", "tool")
                    return False
                case "x":
                    self._say(run, "error", "AGENT_ERROR")
                    return True
                case "T":
                    self._say(run, "agent_tool_start", "tool")
                    self._say(run, "agent_tool_complete", "tool", "null", True)
                case _:
                    self._say(run, "agent_token", token(step, run.chat_id, run.position))
            run.position += 1
        self._say(run, "agent_complete")
        return True

    def _say(self, run: Run, *signature: Any) -> None:
        run.events.append(signature)
        self.record.grow()

    # ── what clients were told, held against it ──────────────────────────────

    def check(self) -> None:
        """Check the log, as far as anybody was told of it: each turn says its part, in order."""
        known = [event for _, event in sorted(self.record.events.items())]
        is_whole = len(known) == self.record.last_seq
        assert _fits([event["token"] for event in known if "run_id" not in event], self._told, is_whole)
        for run in self.runs:
            events = [event for event in known if self._is_of(event, run)]
            assert _fits([signature(event) for event in events], run.events, is_whole), (run, events)

    def _is_of(self, event: Event, run: Run) -> bool:
        names_it = event.get("id") == run.chat_id or event.get("token", "").startswith(f"{run.chat_id}.")
        assert not names_it or run.run_id.matches(event["run_id"]), (run, event)
        return run.run_id.value is not None and event.get("run_id") == run.run_id.value


def signature(event: Event) -> Signature:
    """What of *event* the model foretells."""
    names = {
        "user_message": ("id", "content"),
        "agent_token": ("token",),
        "agent_tool_start": ("tool",),
        "agent_tool_complete": ("tool", "result", "ok"),
        "error": ("code",),
    }
    return (event["type"], *(event[name] for name in names.get(event["type"], ())))


def _fits(told: list[Any], expected: list[Any], is_whole: bool) -> bool:
    """Are these all, or at least some of them, in order?"""
    if is_whole:
        return told == expected
    rest = iter(expected)
    return all(each in rest for each in told)
