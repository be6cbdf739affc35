"""Why connections end: the one table of close codes."""

from __future__ import annotations

import enum

import attrs


class CloseCode(enum.IntEnum):
    """Every code of the gateway's close frames; `CLOSE_CODES` says what each means."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    NO_STATUS = 1005
    ABNORMAL = 1006
    INVALID_PAYLOAD = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    UNAUTHORIZED = 4001
    CONNECT_TIMEOUT = 4002
    SUPERSEDED = 4003
    HEARTBEAT_LOST = 4004
    SLOW_CONSUMER = 4005
    REVOKED = 4006


@attrs.frozen
class CloseMeaning:
    """One row of the table of close codes."""

    meaning: str
    reconnect: bool
    """Shall the client come back by itself (with jitter), or would it only be refused again?"""


CLOSE_CODES: dict[CloseCode, CloseMeaning] = {
    CloseCode.NORMAL: CloseMeaning("The client closed, and the gateway agreed.", reconnect=False),
    CloseCode.GOING_AWAY: CloseMeaning("The gateway stops, and waits for nothing.", reconnect=True),
    CloseCode.PROTOCOL_ERROR: CloseMeaning("A frame breaks RFC 6455.", reconnect=False),
    CloseCode.NO_STATUS: CloseMeaning(
        "The client closed without a code (never sent, only counted).", reconnect=False
    ),
    CloseCode.ABNORMAL: CloseMeaning(
        "The socket went away without a close frame (never sent, only counted).", reconnect=True
    ),
    CloseCode.INVALID_PAYLOAD: CloseMeaning("A text frame is not UTF-8.", reconnect=False),
    CloseCode.POLICY_VIOLATION: CloseMeaning(
        "The client broke a rule that the reason names.", reconnect=False
    ),
    CloseCode.MESSAGE_TOO_BIG: CloseMeaning("A message exceeds the byte limit.", reconnect=False),
    CloseCode.INTERNAL_ERROR: CloseMeaning(
        "The gateway failed on this connection; its log knows more.", reconnect=True
    ),
    CloseCode.SERVICE_RESTART: CloseMeaning(
        "The gateway restarts, after what ran has come to its end.", reconnect=True
    ),
    CloseCode.TRY_AGAIN_LATER: CloseMeaning(
        "The gateway is full, or too many wrong tokens came from this address.", reconnect=True
    ),
    CloseCode.UNAUTHORIZED: CloseMeaning("The token is missing or wrong.", reconnect=False),
    CloseCode.CONNECT_TIMEOUT: CloseMeaning("No `connect` came in time.", reconnect=True),
    CloseCode.SUPERSEDED: CloseMeaning(
        "A newer connection took the session for itself (`connect.exclusive`).", reconnect=False
    ),
    CloseCode.HEARTBEAT_LOST: CloseMeaning("The client answered no ping in time.", reconnect=True),
    CloseCode.SLOW_CONSUMER: CloseMeaning("The client took no data for too long.", reconnect=True),
    CloseCode.REVOKED: CloseMeaning(
        "The right to be connected was withdrawn: the token was revoked, or has expired.", reconnect=False
    ),
}


@attrs.frozen
class Closing:
    """The end of one connection, as it is said to the client."""

    code: CloseCode
    reason: str
