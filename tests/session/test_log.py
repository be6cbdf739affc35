"""The log: what it keeps, what readers find at their cursors, and the frames of its entries."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.errors import InvalidMessageError
from bamboo_gateway.protocol import codec, framing
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentStart,
    AgentToken,
    AgentToolStart,
    ChannelMessage,
    Error,
    LoggedEvent,
    TokenUsage,
    UserMessage,
)
from bamboo_gateway.protocol.versions import LATEST, SEED, SEED_EVENTS
from bamboo_gateway.session.log import Entry, Log, LogLimits, merge_tokens
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


@given(texts=tokens, limits=limits, visible=st.integers(0, 20))
def test_nothing_is_cut_that_is_not_visible(texts: list[str], limits: LogLimits, visible: int) -> None:
    """A gap would tell clients of numbers that a crash gives to other events; once shown, it can go."""
    log = filled(texts, limits, visible=visible)
    assert log.first_seq <= min(visible, len(texts)) + 1
    assert [entry.seq for entry in log] == list(range(log.first_seq, len(texts) + 1))
    log.show(log.last_seq)
    log.append(AgentToken("s", "more"), ts=1)
    assert len(log) <= max(limits.max_events, 1)
    assert log.size_bytes <= limits.max_bytes or len(log) == 1


@given(
    pauses=st.lists(st.integers(0, 4), max_size=12),
    max_age=st.integers(1, 6),
    later=st.integers(0, 8),
)
def test_what_is_too_old_goes(pauses: list[int], max_age: int, later: int) -> None:
    """As of an append or of a look: every entry of that age, the newest as well, and no younger one."""
    log, now = Log("s", "epoch", LogLimits(99, 99_999, max_age=max_age)), 0
    times: list[int] = []
    for pause in pauses:
        now += pause
        times.append(now)
        log.append(AgentToken("s", "a"), ts=now * 1000)
        log.show(log.last_seq)
        assert [entry.ts for entry in log] == [each * 1000 for each in times if each > now - max_age]
    now += later
    log.expire(now * 1000)
    assert [entry.ts for entry in log] == [each * 1000 for each in times if each > now - max_age]
    assert (log.last_seq, log.newest_ts) == (len(times), list(log)[-1].ts if len(log) else 0)


def test_without_an_age_nothing_is_too_old() -> None:
    """The limit is optional."""
    log = filled(["a"], LogLimits(9, 999))
    log.expire(10**15)
    assert len(log) == 1


# ── what the storage is told ─────────────────────────────────────────────────


@given(texts=tokens, limits=limits | st.builds(LogLimits, st.integers(16, 40), st.just(10**6)))
def test_the_storage_cuts_in_strides(texts: list[str], limits: LogLimits) -> None:
    """It is told the truth, each time further on, never of each entry, and lags by no more than a stride."""
    log, told = Log("s", "epoch", limits), 1
    for text in texts * 3:
        log.append(AgentToken("s", text), ts=1)
        log.show(log.last_seq)
        cut = log.cut()
        if cut is not None:
            assert cut == log.first_seq > told
            told = cut
        assert log.first_seq - told < limits.slack
        assert log.cut() is None
    assert log.cut(at_once=True) == (log.first_seq if log.first_seq > told else None)
    assert log.cut(at_once=True) is None


@given(texts=tokens, limits=limits, visible=st.integers(0, 20))
def test_a_log_goes_on_where_it_was_stored(texts: list[str], limits: LogLimits, visible: int) -> None:
    """Of what was committed a new one is made that reads, counts and cuts as the old one."""
    log = filled(texts, limits, visible=visible)
    committed = [entry for entry in log if entry.seq <= log.visible_seq]
    again = Log("s", "epoch", limits, last_seq=log.visible_seq, entries=committed)
    assert (again.first_seq, again.last_seq, again.visible_seq) == (
        log.first_seq,
        log.visible_seq,
        log.visible_seq,
    )
    for after in range(len(texts) + 1):
        assert again.read(after, 200) == log.read(after, 200)
    assert again.size_bytes == sum(len(entry.body) for entry in committed)
    assert again.cut(at_once=True) is None
    assert again.append(AgentToken("s", "next"), ts=2).seq == log.visible_seq + 1


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
def test_an_entry_is_its_event(event: LoggedEvent) -> None:
    """From its bytes comes back what was appended, with the stamp of the log, whatever the kind."""
    entry = entry_of(event)
    stamp: dict[str, Any] = {"seq": 1, "ts": 1, "channel": "news"}
    assert entry.event == attrs.evolve(event, **stamp)
    assert entry.kind is type(event)
    assert codec.encode_body(entry.event) == entry.body


@pytest.mark.parametrize(
    "event",
    [
        AgentComplete("s", TokenUsage(0, 0, True)),
        AgentComplete("s", TokenUsage(0, 0, 2**63 - 1)),
        AgentToolStart("s", "t", args=2**63),
        AgentToolStart("s", "t", args={"a": [2**64]}),
        AgentToolStart("s", "t", args=()),
        AgentToolStart("s", "t", args=1e308),
        AgentToken("s", "a" * 10_000),
        Error("", "", retry_after=-1.0),
        Error("CODE", "text", retry_after=5),
        UserMessage("s", "a", metadata={"": None}),
    ],
    ids=repr,
)
def test_what_a_log_takes_it_can_tell(event: LoggedEvent) -> None:
    """An entry that no reader could make sense of would keep its session from ever being restored."""
    log = Log("s", "epoch", LogLimits(1, 1))
    with suppress(InvalidMessageError):
        assert codec.encode_body(log.append(event, ts=1).event)


# ── merging ──────────────────────────────────────────────────────────────────

said = st.builds(
    AgentToken,
    st.sampled_from(["s", "t"]),
    st.text("xé", max_size=3),
    run_id=st.sampled_from([None, "r", "q"]),
)
talk = st.lists(said | st.just(AgentStart("s", run_id="r")), max_size=12)


def logged(events: list[LoggedEvent]) -> list[Entry]:
    """*events* as entries."""
    log = Log("s", "epoch", LogLimits(99, 99_999))
    return [log.append(event, ts=10 * number) for number, event in enumerate(events)]


def speeches(entries: Iterable[Entry]) -> list[tuple[type, str, str | None, str]]:
    """What was said, by whom, in order; how it was cut into tokens does not matter."""
    spoken: list[tuple[type, str, str | None, str]] = []
    for entry in entries:
        event = entry.event
        text = event.token if isinstance(event, AgentToken) else ""
        speaker = (entry.kind, event.session_id or "", event.run_id)
        if spoken and entry.kind is AgentToken and spoken[-1][:3] == speaker:
            text = spoken.pop()[3] + text
        spoken.append((*speaker, text))
    return spoken


@given(events=talk)
def test_merging_keeps_the_text_and_the_order(events: list[LoggedEvent]) -> None:
    """As many entries are left as there are speeches; each carries the last number and time of its own."""
    entries = logged(events)
    merged = list(merge_tokens(entries))
    assert speeches(merged) == speeches(entries)
    assert len(merged) == len(speeches(entries))
    by_seq = {entry.seq: entry for entry in entries}
    assert [entry.seq for entry in merged] == sorted({entry.seq for entry in merged})
    assert [entry.seq for entry in merged][-1:] == [entry.seq for entry in entries][-1:]
    for entry in merged:
        last = by_seq[entry.seq]
        stamped = [(each.ts, each.kind, each.event.seq, each.event.ts) for each in (entry, last)]
        assert stamped[0] == stamped[1]
        assert entry.body == codec.encode_body(entry.event)


@given(events=talk)
def test_what_has_nothing_to_be_merged_with_is_left_alone(events: list[LoggedEvent]) -> None:
    """Its frames, once made, are the same bytes for everybody; so merging twice is merging once."""
    entries = logged(events)
    merged = list(merge_tokens(entries))
    assert [entry for entry in entries if entry.kind is not AgentToken] == [
        entry for entry in merged if entry.kind is not AgentToken
    ]
    assert list(merge_tokens(merged)) == merged


@given(events=talk, cut=st.integers(0, 12))
def test_who_reads_in_parts_reads_the_same(events: list[LoggedEvent], cut: int) -> None:
    """Wherever a replay is cut in two, by a cursor or by the size of a chunk, the text is whole."""
    entries = logged(events)
    parts = [*merge_tokens(entries[:cut]), *merge_tokens(entries[cut:])]
    assert speeches(parts) == speeches(entries)
    for after in range(len(entries) + 1):
        assert speeches(merge_tokens(entries[after:])) == speeches(entries[after:])
