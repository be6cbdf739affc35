"""Who a client is: so far whoever knows the gateway's one token, or anybody where there is none."""

from __future__ import annotations

import hmac

from ..session.session import Principal

OPERATOR = Principal("local", is_operator=True)


def authenticate(auth: str | None, expected: str | None) -> Principal | None:
    """Tell who presents *auth*; None if it is not the *expected* token. Takes the same time however wrong it is."""
    if expected is None or hmac.compare_digest((auth or "").encode(), expected.encode()):
        return OPERATOR
    return None
