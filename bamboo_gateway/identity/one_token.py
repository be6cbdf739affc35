"""The gateway's one token: who knows it may do everything."""

from __future__ import annotations

import hmac

from ..principal import LOCAL, Credentials, Principal


class OneToken:
    """Lets in who shows *token*, as the operator; an `Authenticator`."""

    def __init__(self, token: str) -> None:
        self._token = _bytes(token)

    async def __call__(self, credentials: Credentials) -> Principal | None:
        """Tell who it is: nobody if it is not the token, however little of it is wrong."""
        return LOCAL if hmac.compare_digest(_bytes(credentials.token or ""), self._token) else None


def _bytes(text: str) -> bytes:
    """A token from an environment may hold what is no character; that is wrong, but no reason to fail."""
    return text.encode(errors="surrogatepass")
