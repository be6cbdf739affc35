"""
What became of the chats and commands that carry an id of their client's: a repeat is told, and runs nothing.

A client whose connection broke does not know whether it was heard. So it says
the same again, with the same id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal, TypeAlias

import attrs

from ..errors import ErrorCode, GatewayError
from ..protocol import codec
from ..protocol.messages import Chat, ChatAccepted, Command, CommandResult, Error

Answer: TypeAlias = ChatAccepted | CommandResult | Error
"""How the gateway answers a chat or a command that carries an id."""

OUTCOME_BYTES = 512
"""What an outcome takes beside its answer: nobody may fill the memory with small ones."""


@attrs.frozen
class MessageKey:
    """What a client calls one of its messages; chats and commands are counted apart."""

    kind: Literal["chat", "command"]
    id: str
    fingerprint: str
    """Of all that the message says, so that another one of this id is noticed."""
    user_id: str = ""
    """Whose message it is; empty: of whoever owns the session. Two people count apart."""

    @classmethod
    def of(cls, message: Chat | Command) -> MessageKey | None:
        """The key of *message*; None where it carries no id, so that each counts as a new one."""
        if message.id is None:
            return None
        digest = hashlib.blake2b(codec.encode_body(message), digest_size=16).hexdigest()
        return cls("chat" if isinstance(message, Chat) else "command", message.id, digest)

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells it from all others of its session."""
        return self.kind, self.id, self.user_id


@attrs.frozen
class Outcome:
    """What became of one message."""

    key: MessageKey
    ts: int
    """Unix milliseconds when it was heard, or when it was settled."""
    answer: Answer
    """What a repeat is told; while `is_open`, what it is told should the gateway fail meanwhile."""
    is_open: bool = False
    """It is still being carried out."""
    claimant: str | None = attrs.field(default=None, eq=False)
    """The connection that carries it out."""
    size_bytes: int = attrs.field(default=0, eq=False)


@attrs.frozen
class OutcomeLimits:
    """How much is remembered in one session."""

    max_age: float
    """Seconds."""
    max_count: int
    max_bytes: int
    """Of the answers, encoded; the newest is kept whatever its size."""


class Outcomes:
    """
    The newest outcomes of one session.

    Invariant: within the limits, as of the newest; oldest first. What is still
    being carried out is never forgotten: a repeat would run it twice.
    """

    def __init__(self, limits: OutcomeLimits, outcomes: Sequence[Outcome] = ()) -> None:
        self._limits = limits
        self._outcomes: dict[tuple[str, str, str], Outcome] = {}
        self._bytes = 0
        self._waiting: dict[tuple[str, str, str], dict[str, None]] = {}
        """Connections that have repeated what is still being carried out, each once, in order."""
        for outcome in outcomes:
            self._put(attrs.evolve(outcome, is_open=False))

    def __len__(self) -> int:
        return len(self._outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self._outcomes.values())

    @property
    def are_settled(self) -> bool:
        """Is nothing still being carried out?"""
        return not any(outcome.is_open for outcome in self._outcomes.values())

    def recall(self, key: MessageKey, now: int) -> Outcome | None:
        """
        What is known of the message; None: it is new.

        Raises:
            GatewayError: `ID_REUSED`: the id was that of another message.
        """
        outcome = self._outcomes.get(key.place)
        if outcome is None or (self._is_old(outcome, now) and not outcome.is_open):
            return None
        if outcome.key != key:
            raise GatewayError(
                ErrorCode.ID_REUSED,
                f"the id {key.id!r:.80} was that of another {key.kind}; give each one an id of its own",
            )
        return outcome

    def remember(
        self, key: MessageKey, answer: Answer, now: int, *, claimant: str | None = None
    ) -> tuple[Outcome, Sequence[MessageKey]]:
        """
        Remember what became of a message; returns that, and the keys that are forgotten for it.

        Args:
            key: The message.
            answer: What a repeat is told.
            now: Unix milliseconds.
            claimant: The connection that is still carrying it out; None: nobody is any more.
        """
        outcome = self._put(Outcome(key, now, answer, claimant is not None, claimant))
        forgotten = list(self._find_old(now))
        for each in forgotten:
            self._bytes -= self._outcomes.pop(each.place).size_bytes
        return outcome, forgotten

    def forget(self, key: MessageKey) -> None:
        """The message, which is known, counts as new."""
        self._bytes -= self._outcomes.pop(key.place).size_bytes

    def is_claimed(self, key: MessageKey, connection_id: str | None) -> bool:
        """Is the message being carried out by this connection?"""
        outcome = self._outcomes.get(key.place)
        return (
            outcome is not None
            and outcome.is_open
            and (outcome.key, outcome.claimant) == (key, connection_id)
        )

    def wait(self, key: MessageKey, connection_id: str) -> None:
        """Have the connection told by `settle`; once, however often it asks."""
        self._waiting.setdefault(key.place, {})[connection_id] = None

    def settle(self, key: MessageKey) -> Sequence[str]:
        """Take off the list who waits for this answer."""
        return list(self._waiting.pop(key.place, {}))

    def _is_old(self, outcome: Outcome, now: int) -> bool:
        return outcome.ts <= now - self._limits.max_age * 1000

    def _put(self, outcome: Outcome) -> Outcome:
        place = outcome.key.place
        if known := self._outcomes.pop(place, None):
            self._bytes -= known.size_bytes
        outcome = attrs.evolve(outcome, size_bytes=OUTCOME_BYTES + len(codec.encode_body(outcome.answer)))
        self._outcomes[place] = outcome
        self._bytes += outcome.size_bytes
        return outcome

    def _find_old(self, now: int) -> Iterator[MessageKey]:
        """The newest stays, whatever its size and however many of those before it have to."""
        count, size_bytes = len(self._outcomes), self._bytes
        for outcome in islice(self._outcomes.values(), count - 1):
            is_over = count > self._limits.max_count or size_bytes > self._limits.max_bytes
            if not (is_over or self._is_old(outcome, now)):
                break
            if not outcome.is_open:
                count -= 1
                size_bytes -= outcome.size_bytes
                yield outcome.key
