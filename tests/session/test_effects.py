"""The effects: plain values, every one of which somebody carries out."""

from __future__ import annotations

import inspect
from typing import get_args

import attrs
import pytest

from bamboo_gateway.session import effects
from bamboo_gateway.session.effects import Change, Deliver, Dismiss, DropSession, Effect, SaveSession
from bamboo_gateway.session.log import Log
from tests.session.tables import EPOCH, LIMITS

CLASSES = [
    cls for _, cls in inspect.getmembers(effects, inspect.isclass) if cls.__module__ == effects.__name__
]


def test_the_union_names_them_all() -> None:
    """Whoever matches on `Effect` exhaustively has forgotten none."""
    assert set(get_args(Effect)) == set(CLASSES)


def test_only_sessions_are_for_the_storage() -> None:
    """The journal commits exactly these before it lets anything out."""
    assert set(get_args(Change)) == {SaveSession, DropSession}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_they_are_frozen(cls: type) -> None:
    """What the table has decided, nobody changes on the way."""
    assert attrs.has(cls)
    assert cls.__setattr__ is not object.__setattr__


def test_they_are_compared_by_value() -> None:
    """Tests may write down what they expect; two logs of one name are two."""
    log = Log("s", EPOCH, LIMITS.log)
    assert Dismiss("c") == Dismiss("c") != Dismiss("d")
    assert Deliver(log, 1) == Deliver(log, 1) != Deliver(Log("s", EPOCH, LIMITS.log), 1)
