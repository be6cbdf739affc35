"""The one place where credentials are judged: over WebSocket, HTTP or a command, and whatever they are."""

from __future__ import annotations

import traceback

import structlog

from ..errors import ErrorCode, GatewayError
from ..ports import Authenticator
from ..principal import LOCAL, Credentials, Principal

log = structlog.get_logger(__name__)


class Gatekeeper:
    """
    Asks the authenticator, and keeps out who has shown too many wrong tokens.

    Args:
        authenticate: Tells whose credentials they are; None: nothing is asked, everybody is the operator.
    """

    def __init__(self, authenticate: Authenticator | None) -> None:
        self._authenticate = authenticate

    @property
    def asks(self) -> bool:
        """Does anybody have to say who they are?"""
        return self._authenticate is not None

    def check_address(self, address: str) -> None:
        """
        Let *address* try.

        Raises:
            GatewayError: `RATE_LIMITED`, with `retry_after`: too many wrong tokens came from there.
        """

    async def admit(self, credentials: Credentials) -> Principal:
        """
        Tell whose *credentials* these are.

        Raises:
            GatewayError: `UNAUTHORIZED`: nobody's; or as `check_address`.
        """
        if self._authenticate is None:
            return LOCAL
        self.check_address(credentials.address)
        try:
            principal = await self._authenticate(credentials)
        except Exception:
            log.exception("authenticator raised", exception=traceback.format_exc())
            principal = None
        if principal is None:
            raise GatewayError(ErrorCode.UNAUTHORIZED, "the token is missing or wrong")
        return principal
