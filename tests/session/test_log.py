"""The log: what it keeps, what readers find at their cursors, and the frames of its entries."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.errors import InvalidMessageError
from bamboo_gateway.protocol import codec, framing
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.messages import AgentToken, ChannelMessage, LoggedEvent
from bamboo_gateway.protocol.versions import LATEST, SEED, SEED_EVENTS
from bamboo_gateway.session.log import Entry, Log, LogLimits
from tests.session.dump import dump
from tests.strategies import dialects, logged_events

limits = st.builds(LogLimits, max_events=st.integers(1, 8), max_bytes=st.integers(1, 1500))
tokens = st.lists(st.text("xé竹", max_size=60), max_size=20)


def filled(texts: list[str], limits: LogLimits, *, visible: int | None = None) -> Log:
    """A log of tokens, of which the first *visible* are shown; all, where left out."""
    log = Log("s", "epoch", limits)
    for number, text in enumerate(texts, start=1):
        log.append(AgentToken("s", text), ts=1)
        if visible is None or number <= visible:
            log.show(number)
    return log


@st.composite
def cursors(draw: st.DrawFn) -> tuple[Log, int]:
    """A log of which a part is shown and a part is gone, and a cursor before, in or behind it."""
    texts = draw(st.lists(st.text("xé竹", max_size=60), min_size=1, max_size=20))
    length = st.integers(0, len(texts))
    log = filled(texts, draw(limits), visible=draw(length))
    return log, draw(length | st.just(len(texts) + 1))


def entries(log: Log, after: int = 0) -> list[int]:
    """The `seq` of everything that can be read."""
    return [entry.seq for entry in log.read(after, 10**9).entries]


# ── what it keeps ────────────────────────────────────────────────────────────


@given(texts=tokens, limits=limits)
def test_seq_counts_from_one_without_holes(texts: list[str], limits: LogLimits) -> None:
    """Each event gets the next number, in its frame as in its entry, whatever has been let go."""
    log = Log("s", "epoch", limits)
    for number, text in enumerate(texts, start=1):
        entry = log.append(AgentToken("s", text), ts=number)
        assert (entry.seq, entry.event) == (number, AgentToken("s", text, seq=number, ts=number))
        assert log.last_seq == number
        assert f'"seq":{number},' in entry.body.decode()


@given(texts=tokens, limits=limits)
def test_the_newest_are_kept_within_the_limits(texts: list[str], limits: LogLimits) -> None:
    """It keeps as many of the newest as both limits allow, no fewer, and the newest in any case."""
    log = filled(texts, limits)
    kept = log.read(0, 10**9).entries
    assert [entry.seq for entry in kept] == list(range(log.first_seq, log.last_seq + 1))
    size = sum(len(entry.body) for entry in kept)
    assert log.size_bytes == size
    assert len(kept) <= limits.max_events
    assert size <= limits.max_bytes or len(kept) == 1
    if log.first_seq > 1:
        one_more = len(codec.encode_body(AgentToken("s", texts[-len(kept) - 1], seq=log.first_seq - 1, ts=1)))
        assert len(kept) == limits.max_events or size + one_more > limits.max_bytes


def test_an_empty_log_reaches_from_one_to_nothing() -> None:
    """With no entry the first that could be read is the next one."""
    log = filled([], LogLimits(1, 1))
    assert (log.first_seq, log.last_seq, entries(log)) == (1, 0, [])
    assert repr(log) == "<Log s 1–0>"


@pytest.mark.parametrize("text", ["\ud800", float("nan"), {1}, None])
def test_what_cannot_be_encoded_leaves_no_trace(text: str) -> None:
    """An event that no frame could carry is refused, and the log is as it was."""
    log = filled(["a"], LogLimits(1, 1000))
    before = dump(log)
    with pytest.raises(InvalidMessageError, match=r"AgentToken cannot be encoded: "):
        log.append(AgentToken("s", text), ts=1)
    assert dump(log) == before


def test_the_log_stamps_its_entries() -> None:
    """Number, time and channel are the log's to give: what the event claims is overwritten."""
    claimed = AgentToken("s", "a", seq=99, ts=99, channel="other", run_id="r")
    assert filled([], LogLimits(1, 1)).append(claimed, ts=5).event == AgentToken(
        "s", "a", seq=1, ts=5, run_id="r"
    )
    channel = Log("news", "epoch", LogLimits(1, 1000), channel="news")
    message = ChannelMessage("elsewhere", "hello")
    assert channel.append(message, ts=5).event == ChannelMessage("news", "hello", seq=1, ts=5)


# ── reading ──────────────────────────────────────────────────────────────────


@given(cursor=cursors())
def test_readers_find_what_is_visible_after_their_cursor(cursor: tuple[Log, int]) -> None:
    """Neither what has not been shown nor what was read before is found."""
    log, after = cursor
    expected = [seq for seq in range(log.first_seq, log.last_seq + 1) if after < seq <= log.visible_seq]
    assert entries(log, after) == expected


@given(cursor=cursors())
def test_missing_names_exactly_what_was_cut(cursor: tuple[Log, int]) -> None:
    """A reader that wants entries which are gone is told all of them; one that wants none is told nothing."""
    log, after = cursor
    missing = log.read(after, 10**9).missing
    wanted_and_gone = [seq for seq in range(1, log.first_seq) if seq > after]
    if after >= log.visible_seq or not wanted_and_gone:
        assert missing is None
    else:
        assert missing == (wanted_and_gone[0], wanted_and_gone[-1])


@given(texts=tokens, limits=limits, max_bytes=st.integers(1, 500))
def test_pages_join_to_all_that_is_visible(texts: list[str], limits: LogLimits, max_bytes: int) -> None:
    """Page after page finds each visible entry once; a page keeps to its size, unless one entry is larger."""
    log = filled(texts, limits)
    read: list[int] = []
    after = 0
    while chunk := log.read(after, max_bytes).entries:
        assert sum(len(entry.body) for entry in chunk) <= max_bytes or len(chunk) == 1
        read += [entry.seq for entry in chunk]
        after = read[-1]
    assert read == entries(log)


def test_nothing_is_hidden_again() -> None:
    """Showing less than is visible changes nothing."""
    log = filled(["a", "b"], LogLimits(9, 1000))
    log.show(1)
    assert entries(log) == [1, 2]


# ── frames ───────────────────────────────────────────────────────────────────


def entry_of(event: LoggedEvent) -> Entry:
    """*event* in the log of a channel, which takes every kind."""
    return Log("news", "epoch", LogLimits(1, 1), channel="news").append(event, ts=1)


@given(event=logged_events, dialect=dialects)
def test_a_frame_says_the_event(event: LoggedEvent, dialect: Dialect) -> None:
    """A frame of the latest protocol is the event as the codec writes it, in either dialect."""
    entry = entry_of(event)
    assert entry.frame(dialect, LATEST) == framing.text_frame(codec.encode(entry.event, dialect))


@given(event=logged_events, dialect=dialects)
def test_protocol_1_is_sent_the_seed_s_events_alone(event: LoggedEvent, dialect: Dialect) -> None:
    """A kind that a strict enum of the seed does not know has no frame there; the others are the same."""
    entry = entry_of(event)
    is_seed = type(event) in SEED_EVENTS
    assert entry.frame(dialect, SEED) == (entry.frame(dialect, LATEST) if is_seed else b"")


@given(event=logged_events)
def test_a_frame_is_made_once(event: LoggedEvent) -> None:
    """Everybody who speaks alike is sent the same object; who speaks otherwise another one."""
    entry = entry_of(event)
    ways = [(dialect, protocol) for dialect in Dialect for protocol in (SEED, LATEST)]
    first = {way: entry.frame(*way) for way in ways}
    assert all(entry.frame(*way) is frame for way, frame in first.items())
    assert first[Dialect.TAGGED, LATEST] != first[Dialect.SERDE, LATEST]
