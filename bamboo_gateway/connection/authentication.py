"""Who a client is: so far whoever knows the gateway's one token, or anybody where there is none."""

from __future__ import annotations

import hmac

from ..session.requests import OPERATOR
from ..session.session import Principal


def authenticate(auth: str | None, expected: str | None) -> Principal | None:
    """Tell who presents *auth*: nobody if it is not the *expected* token, however little of it is wrong."""
    if expected is None or hmac.compare_digest(_bytes(auth or ""), _bytes(expected)):
        return OPERATOR.principal
    return None


def _bytes(text: str) -> bytes:
    """A token from an environment may hold what is no character; that is wrong, but no reason to fail."""
    return text.encode(errors="surrogatepass")
