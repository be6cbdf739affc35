"""Which family each event belongs to: the whole table, and what is in none of its rows."""

from __future__ import annotations

from typing import Any, cast, get_args

import attrs
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.principal import Family
from bamboo_gateway.protocol.messages import (
    AgentToken,
    ChannelMessage,
    Error,
    Gap,
    GatewayEvent,
    LoggedEvent,
    Presence,
)
from bamboo_gateway.session.audience import EVENT_FAMILIES, family_of_log, may_be_sent, may_follow
from bamboo_gateway.session.log import BROADCAST, Log
from tests.session.tables import EPOCH, SESSION_LIMITS, handle
from tests.strategies import events

DEAF = handle(hears=frozenset())

OF_LOGS = {*get_args(LoggedEvent), Gap, Presence}
"""What stands in a log or tells of who reads one; all else answers, or tells a connection of itself."""


def test_every_event_has_a_row() -> None:
    """A new kind of event is sent to nobody until somebody has thought about who may hear it."""
    assert EVENT_FAMILIES.keys() == set(get_args(GatewayEvent))


@given(event=events, hears=st.frozensets(st.sampled_from(Family)))
def test_what_is_of_a_log_is_heard_by_who_may_hear_that_log(
    event: GatewayEvent, hears: frozenset[Family]
) -> None:
    """Law: an answer may be sent to anybody; what is of a log, to who hears its family and nobody else."""
    is_answer = type(event) not in OF_LOGS or (isinstance(event, Error) and event.seq is None)
    channel = getattr(event, "channel", None)
    allowed = is_answer or family_of_log(channel) in hears
    assert may_be_sent(event, handle(hears=hears)) is allowed


@pytest.mark.parametrize(
    ("event", "family"),
    [
        (AgentToken("s1", "a", seq=1), Family.SESSION),
        (AgentToken("s1", "a", seq=1, channel="*"), Family.BROADCAST),
        (ChannelMessage("news", "a", seq=1), Family.CHANNEL),
        (Error("AGENT_ERROR", "failed", seq=1), Family.SESSION),
        (Gap(requested=1, earliest=2, latest=3, epoch="e", channel="news"), Family.CHANNEL),
    ],
)
def test_the_log_decides_and_not_the_kind(event: GatewayEvent, family: Family) -> None:
    """A token that is broadcast is no session's."""
    assert not may_be_sent(event, DEAF)
    assert may_be_sent(event, handle(hears=frozenset({family})))
    assert not may_be_sent(event, handle(hears=frozenset(Family) - {family}))


def test_a_kind_that_is_in_no_row_is_sent_to_nobody() -> None:
    """However much they may hear."""

    @attrs.frozen
    class Rumour:
        """An event that nobody has thought about."""

    assert not may_be_sent(cast(Any, Rumour()), handle())


@pytest.mark.parametrize(
    ("channel", "family"),
    [(None, Family.SESSION), ("news", Family.CHANNEL), (BROADCAST, Family.BROADCAST)],
)
def test_a_log_is_followed_by_who_hears_its_family(channel: str | None, family: Family) -> None:
    """A session's, a channel's, or that of broadcasts."""
    log = Log(channel or "s1", EPOCH, SESSION_LIMITS.log, channel=channel)
    assert may_follow(log, handle(hears=frozenset({family})))
    assert not may_follow(log, handle(hears=frozenset(Family) - {family}))
