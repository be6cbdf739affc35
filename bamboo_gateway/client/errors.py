"""What a client can run into; each text is one sentence that a person can be shown."""

from __future__ import annotations

from ..errors import ErrorCode
from ..protocol.closing import CLOSE_CODES, CloseCode


class ClientError(Exception):
    """The root of the client's errors."""


class ConnectError(ClientError):
    """
    No connection came about: a wrong URL, nobody there, no gateway, or no answer in time.

    Args:
        message: Which of these.
        retry_after: Seconds until it is worth while to try again, if the gateway said so.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RefusedError(ClientError):
    """
    The gateway said no to a request: `connect`, a chat or a command. Nothing has changed.

    Args:
        code: The wire's `error.code`; a newer gateway may send codes that `ErrorCode` lacks.
        message: What, where and how to fix it.
        retryable: May the same request succeed later, unchanged?
        retry_after: Seconds to wait before that, if the gateway said so.
    """

    def __init__(
        self, code: str, message: str, *, retryable: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after


class NoReplyError(ClientError):
    """A request was sent and not answered in time; whether it was carried out is unknown."""


class ClosedError(ClientError):
    """
    The connection is over.

    Args:
        code: The close code; 1006 where the connection broke without a word.
        reason: What was said of it; may be empty.
        retry_after: Seconds until it is worth while to come back, if the gateway said so.
        jitter: Seconds behind those over which its clients shall spread, if it said so.
    """

    def __init__(
        self, code: int, reason: str, *, retry_after: float | None = None, jitter: float | None = None
    ) -> None:
        known = CloseCode(code) if code in list(CloseCode) else None
        said = reason or (CLOSE_CODES[known].meaning if known else "no reason was given")
        super().__init__(f"the connection is closed: {code}, {said}")
        self.code = code
        self.reason = reason
        self.retry_after = retry_after
        self.jitter = jitter
        self.reconnect = known is None or CLOSE_CODES[known].reconnect
        """Is it worth to come back, or would the gateway only refuse again?"""

    def again(self) -> ClosedError:
        """Copy it for one more task to raise, with a traceback of its own."""
        return ClosedError(self.code, self.reason, retry_after=self.retry_after, jitter=self.jitter)


def as_closing(error: ClientError) -> ClosedError:
    """
    Say as the end of a connection why one did not come about.

    Nobody there, or a gateway that says "later", is as good as a socket that
    broke: it is worth to try again. Any other refusal would only come again.
    """
    match error:
        case ClosedError():
            return error
        case RefusedError(retryable=True):
            return ClosedError(CloseCode.TRY_AGAIN_LATER, str(error), retry_after=error.retry_after)
        case RefusedError(code=ErrorCode.UNAUTHORIZED):
            return ClosedError(CloseCode.UNAUTHORIZED, str(error))
        case RefusedError():
            return ClosedError(CloseCode.POLICY_VIOLATION, str(error))
        case _:
            retry_after = error.retry_after if isinstance(error, ConnectError) else None
            return ClosedError(CloseCode.ABNORMAL, str(error), retry_after=retry_after)
