"""The one place where credentials are judged: over WebSocket, HTTP or a command, and whatever they are."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable

import attrs
import structlog

from ..config import GatewayConfig
from ..errors import ErrorCode, GatewayError
from ..ports import Authenticator, RevocableAuthenticator, asks_who
from ..principal import LOCAL, Credentials, Principal
from .address import address_key
from .directory import TokenDirectory
from .failures import FailedTokens

log = structlog.get_logger(__name__)

RETRY_AFTER = 1.0
"""Seconds after which it is worth while to ask again, where an authenticator fails."""


@attrs.frozen
class GatekeeperStatistics:
    """Who has asked to come in; counts since the start."""

    admitted: int
    unauthorized: int
    """Credentials that were nobody's, or missing."""
    rate_limited: int
    """Turned away unread, for the wrong tokens that came from their address before."""
    blocks: int
    """Times that an address was blocked."""


class Gatekeeper:
    """
    Asks the authenticator, and keeps out who has shown too many wrong tokens.

    Args:
        authenticate: Tells whose credentials they are.
        config: The settings as they are now: the limits are read at each use.
        clock: Seconds; never goes back.
    """

    def __init__(
        self,
        authenticate: Authenticator,
        config: Callable[[], GatewayConfig],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._authenticate = authenticate
        self._config = config
        self._clock = clock
        self.revocations = 0
        """Times that a program has withdrawn somebody's right to be here."""
        self._failed = FailedTokens()
        self._admitted = self._unauthorized = self._rate_limited = self._blocks = 0

    @property
    def asks(self) -> bool:
        """Does anybody have to say who they are?"""
        return asks_who(self._authenticate)

    def statistics(self) -> GatekeeperStatistics:
        """Count who has asked to come in."""
        return GatekeeperStatistics(self._admitted, self._unauthorized, self._rate_limited, self._blocks)

    def check_address(self, address: str) -> None:
        """
        Let *address* try.

        Raises:
            GatewayError: `RATE_LIMITED`, with `retry_after`: too many wrong tokens came from there.
        """
        config = self._config()
        if not (config.max_failed_tokens and config.failed_tokens_block):
            return
        left = self._failed.blocked_for(address_key(address), self._clock(), config.failed_tokens_block)
        if left:
            self._rate_limited += 1
            raise GatewayError(
                ErrorCode.RATE_LIMITED,
                "too many wrong tokens came from this address; wait, whatever the token",
                retry_after=math.ceil(left),
            )

    async def admit(self, credentials: Credentials, *, user_id: str | None = None) -> Principal:
        """
        Tell whose *credentials* these are.

        Args:
            credentials: What was shown.
            user_id: Nobody but this one will do.

        Raises:
            GatewayError: `UNAUTHORIZED`: nobody's; `IDENTITY_UNAVAILABLE`: the authenticator fails; or as
                `check_address`.
        """
        if not self.asks:
            self._admitted += 1
            return LOCAL
        while True:
            revocations = self.revocations
            principal = await self._judge(credentials, user_id)
            # Otherwise it may have been looked up before, and withdrawn since.
            if revocations == self.revocations:
                return principal

    async def _judge(self, credentials: Credentials, user_id: str | None) -> Principal:
        self.check_address(credentials.address)
        try:
            principal = _checked(await self._authenticate(credentials))
        except Exception:  # noqa: BLE001 -- foreign code; logged without what it may have put into its text
            log.error("authenticator raised", exception=_without_token(traceback.format_exc(), credentials))
            # A failure of ours is no guess of theirs, and no reason not to come back.
            raise GatewayError(
                ErrorCode.IDENTITY_UNAVAILABLE,
                "who you are cannot be found out at the moment; try again",
                retry_after=RETRY_AFTER,
            ) from None
        # Again: others may have guessed from there while this one was looked up.
        self.check_address(credentials.address)
        if principal is None or user_id not in (None, principal.user_id) or not self.still_holds(principal):
            self._count_failure(credentials)
            raise _unauthorized()
        if not principal.scopes:
            raise GatewayError(ErrorCode.FORBIDDEN, "the token has no scope: there is nothing that it allows")
        self._admitted += 1
        return principal

    def configure(self, config: GatewayConfig) -> None:
        """
        Take the tokens from new settings, unless a program has brought an authenticator of its own.

        Raises:
            ConfigError: They will not do; nothing has changed.
        """
        if isinstance(self._authenticate, TokenDirectory):
            self._authenticate.configure(config)

    def refresh(self) -> bool:
        """May somebody who was let in be let in no longer? A look that waits for nothing."""
        return isinstance(self._authenticate, RevocableAuthenticator) and self._authenticate.refresh()

    def still_holds(self, principal: Principal) -> bool:
        """Would *principal* be let in now with what it has shown?"""
        if not isinstance(self._authenticate, RevocableAuthenticator):
            return True
        return self._authenticate.still_holds(principal)

    def _count_failure(self, credentials: Credentials) -> None:
        """Who shows no token has not guessed: a page without one, reloaded, must not lock out its office."""
        self._unauthorized += 1
        config, key = self._config(), address_key(credentials.address)
        most, block = config.max_failed_tokens, config.failed_tokens_block
        if credentials.token is None or not (most and block):
            return
        if self._failed.count(key, self._clock(), most):
            self._blocks += 1
            log.warning("address blocked", address=key, failures=most, seconds=block)


def _checked(principal: object) -> Principal | None:
    if principal is not None and not isinstance(principal, Principal):
        raise TypeError(f"authenticate returns a Principal or None, not {type(principal).__name__}")
    return principal


def _unauthorized() -> GatewayError:
    return GatewayError(ErrorCode.UNAUTHORIZED, "the token is missing or wrong")


def _without_token(text: str, credentials: Credentials) -> str:
    """The errors of many libraries repeat what they were given."""
    return text.replace(credentials.token, "[token]") if credentials.token else text
