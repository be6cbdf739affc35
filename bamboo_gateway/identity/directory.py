"""The directory of tokens: those of the tokens file and of the settings, and the one `auth_token`."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import attrs
import structlog

from ..config import GatewayConfig
from ..errors import ConfigError
from ..principal import LOCAL, Credentials, Principal
from ..token_record import TokenRecord
from .one_token import OneToken
from .token import digest_of, find_id
from .tokens_file import TokensFileError, index, read_tokens

log = structlog.get_logger(__name__)

_Stamp: TypeAlias = tuple[int, ...] | None
"""What tells one state of the file from another, without reading it; None: there is none."""

_UNREAD: _Stamp = ()
"""As no file is: have it read at the next look."""

_NOBODY = digest_of("")
"""Compared with where there is no such token, so that this takes no less time."""


class TokenDirectory:
    """
    Who each token belongs to; a `RevocableAuthenticator`.

    Invariant: once anybody has had to say who they are, everybody has to,
    whatever becomes of the tokens and of their file.

    Args:
        config: Its `auth_token` and `principals`.
        path: The tokens file; it may come, change and go while the gateway runs.
        is_required: Ask, even if there is no such file yet.
        clock: Unix seconds.

    Raises:
        TokensFileError: The file is there, and of no use.
        ConfigError: Two tokens have one id.
    """

    def __init__(
        self,
        config: GatewayConfig,
        path: Path | None = None,
        *,
        is_required: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.asks = is_required
        """Does anybody have to say who they are?"""
        self._path = path
        self._clock = clock
        self._stamp: _Stamp = None
        self._from_file: Sequence[TokenRecord] = ()
        self._has_changed = False
        self._complaint = ""
        """What the log was last told of the file: once, and not four times a second."""
        self.configure(config)
        self._look()

    def configure(self, config: GatewayConfig) -> None:
        """
        Take `auth_token` and `principals` from new settings.

        Raises:
            ConfigError: Two tokens have one id; nothing has changed.
        """
        self._index(config.principals, self._from_file)
        token = config.auth_token
        self._one = None if token is None else OneToken(token)
        self._operator = None if token is None else attrs.evolve(LOCAL, token_digest=digest_of(token))
        self.asks = self.asks or token is not None or bool(config.principals)
        self._has_changed = True
        if self._stamp is not None:
            self._stamp = _UNREAD  # it may have been refused for what has just been mended

    async def __call__(self, credentials: Credentials) -> Principal | None:
        """Tell whose token it is; waits for nothing."""
        if not self.asks:
            return LOCAL
        if credentials.token is None:
            return None
        if self._one is not None and await self._one(credentials):
            return self._operator
        record = self._records.get(find_id(credentials.token) or "")
        is_right = hmac.compare_digest(digest_of(credentials.token), record.digest if record else _NOBODY)
        if record is None or not is_right or record.is_over(self._clock()):
            return None
        return record.principal()

    def refresh(self) -> bool:
        """
        Read the file again if it has changed; has anything changed?

        One that has become unreadable withdraws nothing: what was last read
        holds, and the log says so once. One that is gone holds no tokens.
        """
        has_changed, self._has_changed = self._has_changed, False
        try:
            has_changed = self._look() or has_changed
            self._complaint = ""
            return has_changed
        except TokensFileError as error:
            if str(error) != self._complaint:
                log.error("tokens file not read", error=str(error), tokens="as before")
            self._complaint = str(error)
            return has_changed

    def still_holds(self, principal: Principal) -> bool:
        """Is the token that *principal* has shown still there, and still worth the same?"""
        if principal.token_digest is None:
            return not self.asks  # it came in when nobody was asked
        if principal.token_id is None:
            return self._operator is not None and principal.token_digest == self._operator.token_digest
        record = self._records.get(principal.token_id)
        if record is None or record.is_over(self._clock()):
            return False
        return attrs.evolve(record.principal(), quotas=principal.quotas) == principal

    def _look(self) -> bool:
        """
        Read the file if it is another than the one that was last looked at; was it?

        Raises:
            TokensFileError: It is of no use.
        """
        if self._path is None:
            return False
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return False
        if stamp is None:
            log.warning("tokens file is gone: its tokens hold no longer", path=str(self._path))
        self.asks, self._stamp = True, stamp  # also of one that is of no use: it is read once
        try:
            self._index(self._from_config, () if stamp is None else read_tokens(self._path))
        except TokensFileError as error:
            if isinstance(error.__cause__, OSError):  # such as for want of a descriptor: the next look tries
                self._stamp = _UNREAD
            raise
        except ConfigError as error:
            raise TokensFileError(f"{self._path}: {error}") from None
        return True

    def _index(self, from_config: Sequence[TokenRecord], from_file: Sequence[TokenRecord]) -> None:
        self._records: Mapping[str, TokenRecord] = index([*from_config, *from_file])
        self._from_config, self._from_file = from_config, from_file


def _stamp(path: Path) -> _Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 -- a few times a second: half the time
    except FileNotFoundError:
        return None
    except OSError as error:
        return (error.errno or 0,)
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev
