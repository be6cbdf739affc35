"""What a client can run into; each text is one sentence that a person can be shown."""

from __future__ import annotations

from ..protocol.closing import CLOSE_CODES, CloseCode


class ClientError(Exception):
    """The root of the client's errors."""


class ConnectError(ClientError):
    """No connection came about: a wrong URL, nobody there, no gateway, or no answer in time."""


class RefusedError(ClientError):
    """
    The gateway said no to a request: `connect`, a chat or a command. Nothing has changed.

    Args:
        code: The wire's `error.code`; a newer gateway may send codes that `ErrorCode` lacks.
        message: What, where and how to fix it.
        retryable: May the same request succeed later, unchanged?
    """

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retryable = retryable


class NoReplyError(ClientError):
    """A request was sent and not answered in time; whether it was carried out is unknown."""


class ClosedError(ClientError):
    """
    The connection is over.

    Args:
        code: The close code; 1006 where the connection broke without a word.
        reason: What was said of it; may be empty.
    """

    def __init__(self, code: int, reason: str) -> None:
        known = CloseCode(code) if code in list(CloseCode) else None
        said = reason or (CLOSE_CODES[known].meaning if known else "no reason was given")
        super().__init__(f"the connection is closed: {code}, {said}")
        self.code = code
        self.reason = reason
        self.reconnect = known is None or CLOSE_CODES[known].reconnect
        """Is it worth to come back, or would the gateway only refuse again?"""

    def again(self) -> ClosedError:
        """Copy it for one more task to raise, with a traceback of its own."""
        return ClosedError(self.code, self.reason)
