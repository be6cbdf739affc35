from __future__ import annotations

import pytest

from bamboo_gateway.client import ClientError, ClosedError, ConnectError, RefusedError
from bamboo_gateway.client.errors import as_closing
from bamboo_gateway.protocol import CLOSE_CODES


def test_closed_error_says_what_the_gateway_said() -> None:
    """The code and the reason of the close frame are in the text."""
    assert str(ClosedError(4003, "taken over")) == "the connection is closed: 4003, taken over"


def test_closed_error_explains_a_code_without_a_reason() -> None:
    """Where no reason was given, the table of close codes has one."""
    assert "The gateway stops, and waits for nothing." in str(ClosedError(1001, ""))
    assert "no reason was given" in str(ClosedError(3999, ""))


@pytest.mark.parametrize("code", CLOSE_CODES)
def test_closed_error_knows_whether_to_reconnect(code: int) -> None:
    """It says what the table of close codes says."""
    assert ClosedError(code, "").reconnect is CLOSE_CODES[code].reconnect  # type: ignore[index]  # a plain int is what comes off the wire


def test_closed_error_reconnects_after_an_unknown_code() -> None:
    """A code that a newer gateway may have is no reason to stay away."""
    assert ClosedError(4999, "").reconnect


def test_closed_error_again_is_equal_and_another() -> None:
    """Each task that learns of the end raises an error of its own."""
    error = ClosedError(1001, "bye", retry_after=2.0)
    again = error.again()
    assert again is not error
    assert (again.code, again.reason, again.retry_after, str(again)) == (1001, "bye", 2.0, str(error))


def test_refused_error_carries_code_message_and_retryable() -> None:
    """A program can tell refusals apart without reading their text."""
    error = RefusedError("QUEUE_FULL", "try later", retryable=True)
    assert (error.code, error.message, error.retryable) == ("QUEUE_FULL", "try later", True)
    assert str(error) == "QUEUE_FULL: try later"


@pytest.mark.parametrize(
    ("error", "code", "reconnect"),
    [
        (ClosedError(4005, "too slow"), 4005, True),
        (ClosedError(4003, "taken over"), 4003, False),
        (ConnectError("nobody there"), 1006, True),
        (RefusedError("CAPACITY_EXCEEDED", "full", retryable=True), 1013, True),
        (RefusedError("STORAGE_UNAVAILABLE", "later", retryable=True), 1013, True),
        (RefusedError("UNAUTHORIZED", "wrong"), 4001, False),
        (RefusedError("LIMIT_EXCEEDED", "full"), 1008, False),
    ],
)
def test_a_failed_attempt_is_told_as_an_end(error: ClientError, code: int, reconnect: bool) -> None:
    """What may pass is worth another attempt; what the gateway does not want is not."""
    closed = as_closing(error)
    assert (closed.code, closed.reconnect) == (code, reconnect)
    assert closed is error or closed.reason == str(error)


def test_a_failed_attempt_keeps_what_the_gateway_asked_for() -> None:
    """It said when to come back."""
    assert as_closing(RefusedError("X", "later", retryable=True, retry_after=2.0)).retry_after == 2.0
    assert as_closing(ConnectError("later", retry_after=2.0)).retry_after == 2.0
