"""The errors that clients and embedders are told of: one table of codes, one exception that carries them."""

from __future__ import annotations

import enum

import attrs


class ErrorCode(enum.StrEnum):
    """Every `error.code` on the wire; `ERROR_CODES` says what each means."""

    INVALID_MESSAGE = "INVALID_MESSAGE"
    NOT_CONNECTED = "NOT_CONNECTED"
    UNAUTHORIZED = "UNAUTHORIZED"
    CAPACITY_EXCEEDED = "CAPACITY_EXCEEDED"
    CONNECT_TIMEOUT = "CONNECT_TIMEOUT"
    SUPERSEDED = "SUPERSEDED"
    MESSAGE_TOO_BIG = "MESSAGE_TOO_BIG"
    SESSION_NOT_FOUND = "SESSION_NOT_FOUND"
    SESSION_EXISTS = "SESSION_EXISTS"
    SESSION_ENDED = "SESSION_ENDED"
    SESSION_MISMATCH = "SESSION_MISMATCH"
    QUEUE_FULL = "QUEUE_FULL"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    GAP = "GAP"
    AGENT_ERROR = "AGENT_ERROR"
    AGENT_ABORTED = "AGENT_ABORTED"
    INVALID_ARGUMENTS = "INVALID_ARGUMENTS"
    UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
    COMMAND_FAILED = "COMMAND_FAILED"
    CHANNEL_NOT_FOUND = "CHANNEL_NOT_FOUND"
    CHANNEL_EXISTS = "CHANNEL_EXISTS"
    NOT_A_MEMBER = "NOT_A_MEMBER"
    CHANNEL_ERROR = "CHANNEL_ERROR"
    INVALID_EVENT = "INVALID_EVENT"
    STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"
    ID_REUSED = "ID_REUSED"
    AGENT_INTERRUPTED = "AGENT_INTERRUPTED"
    COMMAND_INTERRUPTED = "COMMAND_INTERRUPTED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    STOPPING = "STOPPING"
    IDENTITY_UNAVAILABLE = "IDENTITY_UNAVAILABLE"


@attrs.frozen
class ErrorMeaning:
    """One row of the table of error codes."""

    meaning: str
    retryable: bool = False
    """May the same request succeed later, unchanged?"""


ERROR_CODES: dict[ErrorCode, ErrorMeaning] = {
    ErrorCode.INVALID_MESSAGE: ErrorMeaning("The frame is no message of this protocol; the text says where."),
    ErrorCode.NOT_CONNECTED: ErrorMeaning("`connect` must come first; the socket stays open."),
    ErrorCode.UNAUTHORIZED: ErrorMeaning(
        "The token is missing or wrong: the socket closes with 4001. Or it was revoked or has expired "
        "meanwhile: with 4006."
    ),
    ErrorCode.CAPACITY_EXCEEDED: ErrorMeaning(
        "The gateway holds `max_connections` already; the socket closes with 1013.", retryable=True
    ),
    ErrorCode.CONNECT_TIMEOUT: ErrorMeaning("No `connect` came in time; the socket closes with 4002."),
    ErrorCode.SUPERSEDED: ErrorMeaning(
        "A newer connection took the session for itself; the socket closes with 4003."
    ),
    ErrorCode.MESSAGE_TOO_BIG: ErrorMeaning("A message exceeds the byte limit; the socket closes with 1009."),
    ErrorCode.SESSION_NOT_FOUND: ErrorMeaning("No such session, or it belongs to somebody else."),
    ErrorCode.SESSION_EXISTS: ErrorMeaning("A session with this id exists already."),
    ErrorCode.SESSION_ENDED: ErrorMeaning("The watched session was deleted or cleaned up; `connect` again."),
    ErrorCode.SESSION_MISMATCH: ErrorMeaning("`chat.session_id` is not the session of this connection."),
    ErrorCode.QUEUE_FULL: ErrorMeaning(
        "A turn runs and the session's queue of chats is full; or too many run or wait in all sessions of "
        "who owns it.",
        retryable=True,
    ),
    ErrorCode.LIMIT_EXCEEDED: ErrorMeaning(
        "A limit of the gateway, or of one principal, on what is stored is reached."
    ),
    ErrorCode.GAP: ErrorMeaning("The log no longer reaches back to the cursor (protocol 1's `gap`)."),
    ErrorCode.AGENT_ERROR: ErrorMeaning("The agent failed; the turn is over, the session lives on."),
    ErrorCode.AGENT_ABORTED: ErrorMeaning("The turn was aborted by `session.abort`."),
    ErrorCode.INVALID_ARGUMENTS: ErrorMeaning("The arguments of a command do not fit its schema."),
    ErrorCode.UNKNOWN_COMMAND: ErrorMeaning("Neither the gateway nor the agent knows this command."),
    ErrorCode.COMMAND_FAILED: ErrorMeaning(
        "A command offered to the agent as a tool raised or took too long."
    ),
    ErrorCode.CHANNEL_NOT_FOUND: ErrorMeaning("No channel has this name."),
    ErrorCode.CHANNEL_EXISTS: ErrorMeaning("A channel with this name exists already."),
    ErrorCode.NOT_A_MEMBER: ErrorMeaning("The session has not joined this channel."),
    ErrorCode.CHANNEL_ERROR: ErrorMeaning(
        "The adapter of an outside channel failed; the message is in the channel, and nowhere outside."
    ),
    ErrorCode.INVALID_EVENT: ErrorMeaning("An embedder's event cannot be sent: its kind, session or JSON."),
    ErrorCode.STORAGE_UNAVAILABLE: ErrorMeaning(
        "The storage fails at the moment. Ask again, with the same `id`: what was on its way may yet be "
        "carried out.",
        retryable=True,
    ),
    ErrorCode.ID_REUSED: ErrorMeaning(
        "The `id` was that of another chat or command of this session; nothing was run."
    ),
    ErrorCode.AGENT_INTERRUPTED: ErrorMeaning(
        "The gateway ended in the midst of the turn; what the agent had said is in the history."
    ),
    ErrorCode.COMMAND_INTERRUPTED: ErrorMeaning(
        "The gateway ended while it carried out the command of this `id`; whether it did is not known."
    ),
    ErrorCode.FORBIDDEN: ErrorMeaning(
        "The token has not the scope that this needs, or you may read what is not yours to change; the text "
        "names what is missing."
    ),
    ErrorCode.RATE_LIMITED: ErrorMeaning(
        "Too much in too short a time; nothing was done. Ask again after `retry_after` seconds. In answer to "
        "`connect`: too many wrong tokens came from this address, and the socket closes with 1013.",
        retryable=True,
    ),
    ErrorCode.STOPPING: ErrorMeaning(
        "The gateway is about to stop and takes in nothing new. Say it again, with the same `id`, to the one "
        "that comes after it.",
        retryable=True,
    ),
    ErrorCode.IDENTITY_UNAVAILABLE: ErrorMeaning(
        "What the gateway asks for who you are fails at the moment. The socket closes with 1013.",
        retryable=True,
    ),
}


class GatewayError(Exception):
    """
    A request was refused and nothing has changed.

    Args:
        code: The row of `ERROR_CODES`, which also goes out as `error.code`.
        message: What, where and how to fix it, in one sentence.
        retry_after: Seconds after which it is worth to ask again.
    """

    def __init__(self, code: ErrorCode, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """May the same request succeed later, unchanged?"""
        return ERROR_CODES[self.code].retryable

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ConfigError(ValueError):
    """A setting is unusable; the text names the setting and the remedy."""


class StorageError(Exception):
    """The storage failed: the disk is full, say. The text says what and where; it may be well again later."""


class StorageInUseError(StorageError):
    """Another process uses the storage; the text names both."""


class InvalidMessageError(ValueError):
    """A frame, or a value inside one, is not what the protocol allows; the text says what and where."""


class AgentError(Exception):
    """An agent failed in a way that its client may read about; the text becomes `error.message`."""


class UnknownToolError(LookupError):
    """An agent was asked for a tool that it does not have."""


def origin(error: BaseException) -> BaseException:
    """Find the first error inside the groups that nurseries put around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def explain(error: BaseException, who: str) -> str:
    """
    Say what a client may read of *error*, which foreign code raised: the text of an `AgentError`.

    That of any other may hold anything: it is for the operator, who finds it in
    the log. A lone surrogate is replaced, because no frame could carry it.
    """
    error = origin(error)
    if isinstance(error, AgentError):
        return str(error).encode(errors="replace").decode()
    return f"{who} failed with {type(error).__name__}"
