"""What bounds the table, and what each principal is held to."""

from __future__ import annotations

import attrs
import pytest

from bamboo_gateway.principal import LOCAL, Principal, Quotas
from tests.session.tables import LIMITS

NAMES = ("max_sessions", "max_channels", "max_queued_chats")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("own", "usual", "expected"),
    [(None, None, None), (None, 5, 5), (7, 5, 7), (7, None, 7), (0, 5, None), (None, 0, None)],
)
def test_a_quota_of_one_s_own_goes_before_the_usual_one(
    name: str, own: int | None, usual: int | None, expected: int | None
) -> None:
    """None is what all have, 0 is no limit; the other quotas are left alone."""
    limits = attrs.evolve(LIMITS, quotas=Quotas(**{name: usual}))
    held = limits.quotas_of(Principal("ann", quotas=Quotas(**{name: own})))
    assert held == Quotas(**{name: expected})


def test_an_operator_is_held_to_nothing() -> None:
    """Neither to what all are held to nor to a quota of its own."""
    all_are_held_to = Quotas(max_sessions=1, max_channels=1, max_queued_chats=1)
    limits = attrs.evolve(LIMITS, quotas=all_are_held_to)
    assert limits.quotas_of(attrs.evolve(LOCAL, quotas=all_are_held_to)) == Quotas()
