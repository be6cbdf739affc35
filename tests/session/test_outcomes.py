"""What became of messages that carry an id: recalled, bounded, and never forgotten while it is open."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.messages import Chat, ChatAccepted, Command, CommandResult
from bamboo_gateway.session.outcomes import (
    OUTCOME_BYTES,
    Answer,
    MessageKey,
    Outcome,
    OutcomeLimits,
    Outcomes,
)
from tests.session.dump import dump
from tests.strategies import client_messages

ROOMY = OutcomeLimits(max_age=10.0, max_count=100, max_bytes=1_000_000)


def key(name: str, says: str = "it") -> MessageKey:
    """A command of this id."""
    return MessageKey("command", name, says)


def answer(text: str = "") -> CommandResult:
    """What it was answered."""
    return CommandResult("rename", ok=True, result=text)


def size(outcome: Outcome) -> int:
    """What it takes."""
    return OUTCOME_BYTES + len(codec.encode_body(outcome.answer))


# ── keys ─────────────────────────────────────────────────────────────────────


@given(message=client_messages)
def test_the_same_message_has_the_same_key(message: Chat | Command) -> None:
    """Said again, whatever the connection or the dialect, it is known by its id and all that it says."""
    if isinstance(message, Chat | Command):
        again = codec.structure(codec.unstructure(message), type(message))
        assert MessageKey.of(again) == MessageKey.of(message)
        assert (MessageKey.of(message) is None) == (message.id is None)


def test_another_message_has_another_key() -> None:
    """Each field counts; chats and commands of one id are two messages."""
    messages: list[Chat | Command] = [
        Chat("hi", "s", id="a"),
        Chat("ho", "s", id="a"),
        Chat("hi", "t", id="a"),
        Chat("hi", "s", id="a", metadata={}),
        Chat("hi", "s", id="b"),
        Command("hi", None, id="a"),
        Command("hi", {}, id="a"),
        Command("hi", None, id="a", session_id="s"),
    ]
    keys = [MessageKey.of(message) for message in messages]
    assert len(set(keys)) == len(messages)
    assert [each.kind for each in keys if each] == ["chat"] * 5 + ["command"] * 3


def test_a_message_without_an_id_has_none() -> None:
    """Each counts as a new one."""
    assert MessageKey.of(Chat("hi", "s")) is None


# ── recall ───────────────────────────────────────────────────────────────────


def test_what_was_remembered_is_recalled() -> None:
    """The outcome itself; nothing of what was never heard."""
    outcomes = Outcomes(ROOMY)
    outcome, forgotten = outcomes.remember(key("a"), answer("one"), 5)
    assert (outcome, forgotten) == (Outcome(key("a"), 5, answer("one")), [])
    assert outcomes.recall(key("a"), 6) == outcome
    assert outcomes.recall(key("b"), 6) is None
    assert outcomes.recall(attrs.evolve(key("a"), kind="chat"), 6) is None


def test_an_id_means_one_message() -> None:
    """Another message of the same id is refused, and a long id is not repeated whole."""
    outcomes = Outcomes(ROOMY)
    outcomes.remember(key("a" * 256), answer(), 5)
    before = dump(outcomes)
    with pytest.raises(GatewayError, match="another command") as caught:
        outcomes.recall(key("a" * 256, "something else"), 6)
    assert caught.value.code is ErrorCode.ID_REUSED
    assert len(caught.value.message) < 200
    assert dump(outcomes) == before


def test_an_id_is_free_again_when_it_is_old() -> None:
    """At the age of the limit, to the millisecond, a message is a new one, whatever it says."""
    outcomes = Outcomes(ROOMY)
    outcomes.remember(key("a"), answer("one"), 0)
    assert outcomes.recall(key("a"), 9_999)
    assert outcomes.recall(key("a"), 10_000) is None
    assert outcomes.recall(key("a", "something else"), 10_000) is None
    outcomes.remember(key("a", "something else"), answer("two"), 10_000)
    assert [each.answer for each in outcomes] == [answer("two")]


def test_what_is_being_carried_out_is_never_old() -> None:
    """A repeat would run it twice, however long it takes."""
    outcomes = Outcomes(ROOMY)
    outcomes.remember(key("a"), answer("interrupted"), 0, claimant="c1")
    outcomes.remember(key("b"), answer(), 10**9)
    assert outcomes.recall(key("a"), 10**9)
    were_settled = outcomes.are_settled
    outcomes.remember(key("a"), answer("done"), 10**9)
    assert (were_settled, outcomes.are_settled) == (False, True)
    assert [(each.key.id, each.answer) for each in outcomes] == [("b", answer()), ("a", answer("done"))]


# ── bounds ───────────────────────────────────────────────────────────────────

steps = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),  # the id
        st.integers(0, 4),  # seconds since the step before
        st.booleans(),  # is it open?
        st.text("x", max_size=2000),
    ),
    max_size=20,
)


@given(
    steps=steps,
    limits=st.builds(OutcomeLimits, st.integers(1, 9), st.integers(1, 4), st.integers(1, 4_000)),
)
def test_the_oldest_are_forgotten_first(
    steps: list[tuple[str, int, bool, str]], limits: OutcomeLimits
) -> None:
    """Within all limits but for the newest and what is open; no more is forgotten than must be."""
    outcomes, known, now = Outcomes(limits), list[Outcome](), 0
    for name, seconds, is_open, text in steps:
        now += seconds * 1000
        outcome, forgotten = outcomes.remember(
            key(name), answer(text), now, claimant="c1" if is_open else None
        )
        known = [*(each for each in known if each.key != key(name)), outcome]
        gone = [each for each in known if each.key in forgotten]
        assert [each.key for each in gone] == list(forgotten), "oldest first"
        assert not any(each.is_open or each is outcome for each in gone)
        known = [each for each in known if each not in gone]
        assert list(outcomes) == known
        closed = [each for each in known[:-1] if not each.is_open]
        for each in closed:
            assert each.ts > now - limits.max_age * 1000
            assert len(known) <= limits.max_count
            assert sum(map(size, known)) <= limits.max_bytes
        if gone and gone[-1].ts > now - limits.max_age * 1000:
            count, size_bytes = len(known) + 1, sum(map(size, known)) + size(gone[-1])
            assert count > limits.max_count or size_bytes > limits.max_bytes


def test_the_newest_is_remembered_whatever_is_open() -> None:
    """What is being carried out may take all the room: it takes none from what was heard last."""
    outcomes = Outcomes(attrs.evolve(ROOMY, max_count=1))
    outcomes.remember(key("a"), answer(), 1, claimant="c1")
    _, forgotten = outcomes.remember(key("b"), answer("b"), 2)
    assert forgotten == []
    assert outcomes.recall(key("b"), 3)
    _, forgotten = outcomes.remember(key("c"), answer("c"), 3)
    assert forgotten == [key("b")]


# ── waiting ──────────────────────────────────────────────────────────────────


def test_who_waits_is_told_once() -> None:
    """In the order in which they asked, each once, however often: nobody fills the memory with repeats."""
    outcomes = Outcomes(ROOMY)
    for _ in range(1000):
        outcomes.wait(key("a"), "c2")
    outcomes.wait(key("a"), "c1")
    outcomes.wait(key("b"), "c3")
    assert outcomes.settle(key("a")) == ["c2", "c1"]
    assert outcomes.settle(key("a")) == []


# ── the storage ──────────────────────────────────────────────────────────────


def test_what_was_open_is_answered_after_a_restart() -> None:
    """Nobody carries it out any more: a repeat is told so, at once; all else is as it was."""
    accepted: Answer = ChatAccepted("s", "r1")
    stored = [
        Outcome(attrs.evolve(key("a"), kind="chat"), 1, accepted),
        Outcome(key("a"), 2, answer("interrupted"), is_open=True),
    ]
    outcomes = Outcomes(ROOMY, stored)
    assert outcomes.are_settled
    assert list(outcomes) == [stored[0], attrs.evolve(stored[1], is_open=False)]
    tight = Outcomes(attrs.evolve(ROOMY, max_bytes=sum(map(size, stored)) - 1), stored)
    _, forgotten = tight.remember(key("b"), answer(), 3)
    assert forgotten == [stored[0].key]
