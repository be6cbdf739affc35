"""What a principal may do with a session."""

from __future__ import annotations

from bamboo_gateway.principal import Principal, Scope
from bamboo_gateway.session.access import SHARED, Access, SharedAccess, access_of

SHARES: dict[str, SharedAccess] = {"bob": "read", "cat": "chat"}


def test_who_owns_it_may_do_all_and_others_what_is_granted() -> None:
    """To whom nothing is granted, its id is unknown; an operator owns everything."""
    found = {user: access_of(Principal(user), "ann", SHARES) for user in ("ann", "bob", "cat", "eve")}
    assert found == {"ann": Access.OWN, "bob": Access.READ, "cat": Access.CHAT, "eve": None}
    assert access_of(Principal("eve", frozenset({Scope.ADMIN})), "ann", {}) is Access.OWN
    assert access_of(Principal("bob", frozenset(Scope) - {Scope.ADMIN}), "ann", SHARES) is Access.READ


def test_each_includes_those_before_it_and_to_own_cannot_be_granted() -> None:
    """The order is what `TableState.find` compares by."""
    assert Access.READ < Access.CHAT < Access.OWN
    assert set(SHARED.values()) == {Access.READ, Access.CHAT}
