"""What may be done to a storage, drawn by Hypothesis: batches of every change, as a gateway makes them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs
from hypothesis import strategies as st

from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.messages import AgentToken, Chat, ChatAccepted, LoggedEvent
from bamboo_gateway.session.effects import (
    Change,
    Deliver,
    DropChannel,
    DropOutcome,
    DropRun,
    DropSession,
    DropShare,
    SaveChannel,
    SaveMessage,
    SaveOutcome,
    SaveRun,
    SaveSession,
    SaveShare,
    Trim,
)
from bamboo_gateway.session.history import HistoryMessage, NumberedMessage
from bamboo_gateway.session.log import Entry, Log, LogLimits
from bamboo_gateway.session.outcomes import Answer, MessageKey, Outcome
from bamboo_gateway.session.session import ConnectionHandle, Session
from tests.contracts.storage_model import StorageModel

WIDE = LogLimits(max_events=10_000, max_bytes=2**30)
"""All there is."""

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

Step: TypeAlias = Callable[["Clock", StorageModel], Sequence[Change]]
"""Makes changes that fit what was committed before."""


@attrs.define
class Clock:
    """Times that grow, so that what is older is never in doubt."""

    now: int = 1_000

    def tick(self) -> int:
        """The next millisecond."""
        self.now += 1
        return self.now


# ── values ───────────────────────────────────────────────────────────────────
# Small and few, so that what is done to one of them meets what was done to it before.

numbers = st.integers(1, 3)
channel_numbers = st.integers(-1, 0)
log_numbers = numbers | channel_numbers

sessions: st.SearchStrategy[Session] = st.builds(
    Session,
    id=st.just(""),
    user_id=st.just(""),
    created_at=st.just(NEW_YEAR),
    last_activity=st.integers(0, 3).map(lambda days: NEW_YEAR + datetime.timedelta(days)),
    name=st.sampled_from([None, "tea"]),
    connections=st.just((ConnectionHandle("c1", "ann"),)),
    state=st.just("running"),
    run_id=st.just("r1"),
    queued=st.just(3),
    last_seq=st.just(77),
    epoch=st.just("another"),
    channels=st.sampled_from([{}, {"channel -1": -1}]),
    shares=st.just({"eve": "chat"}),
)
events = st.builds(AgentToken, st.just("s"), st.sampled_from(["", "longer than that"]))
history_messages = st.builds(
    HistoryMessage,
    st.just("assistant"),
    st.sampled_from(["tea", "rice"]),
    st.just("r1"),
    st.just(0),
    st.sampled_from(["running", "complete"]),
)
chats = st.builds(Chat, st.sampled_from(["hi", "ho"]), st.just("s"))
answers = st.builds(ChatAccepted, st.just("s"), st.sampled_from(["r1", "r2"]))
keys = st.builds(
    MessageKey,
    st.sampled_from(["chat", "command"]),
    st.just("a"),
    st.sampled_from(["one", "other"]),
    st.sampled_from(["", "bob"]),
)
guests = st.sampled_from(["ann", "bob", "cat"])


def session_id(number: int) -> str:
    """The id of a session that the tests make; no two have the same number."""
    return f"s{number}"


def owner_of(number: int) -> str:
    """Whose that session is, for as long as it lives."""
    return "bob" if number == 2 else "ann"


def log_of(number: int) -> Log:
    """A log, which for a storage is its number and its name."""
    name = session_id(number) if number > 0 else f"channel {number}"
    return Log(name, "epoch", WIDE, channel=None if number > 0 else name, number=number)


def entry(seq: int, ts: int, event: LoggedEvent) -> Entry:
    """An entry with the bytes that a log would have given it."""
    return Entry(seq, ts, type(event), codec.encode_body(event))


# ── steps ────────────────────────────────────────────────────────────────────


def _always(change: Change) -> Step:
    return lambda _clock, _model: [change]


def _save_session(number: int, session: Session) -> Step:
    named = attrs.evolve(session, id=session_id(number), number=number, user_id=owner_of(number))
    return _always(SaveSession(named))


def _save_outcome(owner: int, key: MessageKey, answer: Answer, is_open: bool) -> Step:
    return lambda clock, _: [SaveOutcome(owner, Outcome(key, clock.tick(), answer, is_open))]


def _deliver(number: int, events: Sequence[LoggedEvent]) -> Step:
    """A log grows."""

    def changes(clock: Clock, model: StorageModel) -> Sequence[Change]:
        first, log = model.log(number).last_seq + 1, log_of(number)
        return [Deliver(log, entry(first + i, clock.tick(), event)) for i, event in enumerate(events)]

    return changes


def _repeat(number: int, count: int) -> Step:
    """A batch that was not acknowledged comes again."""
    return lambda _, model: [Deliver(log_of(number), old) for old in model.log(number).entries[-count:]]


def _trim(number: int, kept: int) -> Step:
    return lambda _, model: [Trim(log_of(number), model.log(number).last_seq + 1 - kept)]


def _save_message(owner: int, back: int, message: HistoryMessage, seq: int, size: int) -> Step:
    """A message more, or, with *back* above 0, another one in the place of an old one."""

    def changes(_: Clock, model: StorageModel) -> Sequence[Change]:
        count = len(model.sessions[owner].messages) if owner in model.sessions else 0
        return [SaveMessage(owner, NumberedMessage(max(0, count - back), message, seq, size))]

    return changes


changes: st.SearchStrategy[Step] = st.one_of(
    st.builds(_save_session, numbers, sessions),
    st.builds(_deliver, log_numbers, st.lists(events, min_size=1, max_size=3)),
    st.builds(_deliver, log_numbers, st.lists(events, min_size=1, max_size=3)),
    st.builds(_repeat, log_numbers, st.integers(1, 3)),
    st.builds(_trim, log_numbers, st.integers(-1, 4)),
    st.builds(
        _save_message,
        numbers,
        st.integers(0, 1),
        history_messages,
        st.integers(0, 9),
        st.sampled_from([10, 90]),
    ),
    st.builds(
        lambda owner, run_id, chat: _always(SaveRun(owner, run_id, chat)),
        numbers,
        st.sampled_from(["r1", "r2", "r3"]),
        chats,
    ),
    st.builds(lambda owner, run_id: _always(DropRun(owner, run_id)), numbers, st.sampled_from(["r1", "r2"])),
    st.builds(_save_outcome, numbers, keys, answers, st.booleans()),
    st.builds(lambda owner, key: _always(DropOutcome(owner, key)), numbers, keys),
    st.builds(
        lambda number, members, user: _always(SaveChannel(number, f"channel {number}", members, user)),
        channel_numbers,
        st.integers(0, 2),
        st.sampled_from([None, "ann"]),
    ),
    st.builds(lambda number: _always(DropChannel(number)), channel_numbers),
    st.builds(
        lambda owner, user, access: _always(SaveShare(owner, user, access)),
        numbers,
        guests,
        st.sampled_from(["read", "chat"]),
    ),
    st.builds(lambda owner, user: _always(DropShare(owner, user)), numbers, guests),
    st.builds(lambda number: _always(DropSession(session_id(number))), numbers),
)
"""One step of a batch."""

batches = st.lists(changes, min_size=5, max_size=20)


@attrs.frozen
class Expire:
    """`SessionStorage.expire`, with times that lie back from now."""

    age: int
    max_log_bytes: int
    outcome_age: int


@attrs.frozen
class Reopen:
    """The gateway ends, and another one begins."""


expiries = st.builds(Expire, st.integers(-1, 30), st.sampled_from([0, 60, 200, 10**9]), st.integers(-1, 30))
everybody: st.SearchStrategy[Sequence[Step]] = st.tuples(
    *(st.builds(_save_session, st.just(number), sessions) for number in (1, 2, 3))
)
"""A first batch: with nobody there, most changes are none."""

actions: st.SearchStrategy[Sequence[Step] | Expire | Reopen] = (
    batches | batches | expiries | st.builds(Reopen)
)
"""What happens to a storage between two looks at it."""
