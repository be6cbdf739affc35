"""The effects: plain values, every one of which somebody carries out."""

from __future__ import annotations

import inspect
from typing import get_args

import attrs
import pytest

from bamboo_gateway.protocol.messages import AgentToken
from bamboo_gateway.session import effects
from bamboo_gateway.session.effects import (
    CancelTurn,
    Change,
    Close,
    Deliver,
    Dismiss,
    Effect,
    Follow,
    Send,
    StartTurn,
    Unfollow,
    Watch,
)
from bamboo_gateway.session.log import Log
from tests.session.tables import EPOCH, SESSION_LIMITS

CLASSES = [
    cls for _, cls in inspect.getmembers(effects, inspect.isclass) if cls.__module__ == effects.__name__
]


def test_the_union_names_them_all() -> None:
    """Whoever matches on `Effect` exhaustively has forgotten none."""
    assert set(get_args(Effect)) == set(CLASSES)


def test_what_outlives_the_process_is_for_the_storage() -> None:
    """The journal commits exactly these before it lets anything out; the others are spoken."""
    others = {effect for effect in CLASSES if effect not in get_args(Change)}
    assert others == {Send, Watch, Follow, Unfollow, Dismiss, Close, StartTurn, CancelTurn}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_they_are_frozen(cls: type) -> None:
    """What the table has decided, nobody changes on the way."""
    assert attrs.has(cls)
    assert cls.__setattr__ is not object.__setattr__


def test_they_are_compared_by_value() -> None:
    """Tests may write down what they expect; two logs of one name are two."""
    log = Log("s", EPOCH, SESSION_LIMITS.log)
    entry = log.append(AgentToken("s", "a"), 1)
    assert Dismiss("c") == Dismiss("c") != Dismiss("d")
    assert Deliver(log, entry) == Deliver(log, entry) != Deliver(Log("s", EPOCH, SESSION_LIMITS.log), entry)
