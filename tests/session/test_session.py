"""The values that the registry shows: sessions, and whom they belong to."""

from __future__ import annotations

import datetime

import attrs
import pytest

from bamboo_gateway.principal import Principal, Scope
from bamboo_gateway.session.session import Session
from tests.session.tables import handle

BORN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("principal", "may"),
    [
        (Principal("ann"), True),
        (Principal("bob"), False),
        (Principal("bob", frozenset(Scope)), True),
    ],
)
def test_a_session_belongs_to_its_maker(principal: Principal, *, may: bool) -> None:
    """Only who made it may see it, and the operator."""
    assert principal.owns("ann") is may


def test_the_seed_s_connection_is_the_newest() -> None:
    """The seed's session has one connection: of several, the one that came last; of none, none."""
    session = Session("s1", "ann", BORN, BORN)
    assert session.connection is None
    watched = attrs.evolve(session, connections=(handle("c1"), handle("c2")))
    assert watched.connection == handle("c2")
