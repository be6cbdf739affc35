from __future__ import annotations

from bamboo_gateway.protocol.closing import CLOSE_CODES, CloseCode
from bamboo_gateway.protocol.framing import MAX_REASON_BYTES


def test_every_code_has_one_meaning() -> None:
    """The table is complete, says nothing twice, and each meaning is a sentence."""
    assert list(CLOSE_CODES) == list(CloseCode)
    meanings = [row.meaning for row in CLOSE_CODES.values()]
    assert len(set(meanings)) == len(meanings)
    assert all(meaning[0].isupper() and meaning.endswith(".") for meaning in meanings)


def test_codes_are_the_ones_that_clients_know() -> None:
    """The numbers are part of the wire contract: the standard's own, and 4001 to 4006."""
    assert {code.value for code in CloseCode if code >= 4000} == set(range(4001, 4007))
    standard = {1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 1013}
    assert {code.value for code in CloseCode if code < 4000} == standard


def test_reconnecting_is_advised_where_it_can_help() -> None:
    """A client that obeys the table comes back after a restart or a lost line, but not after a refusal."""
    come_back = {code for code, row in CLOSE_CODES.items() if row.reconnect}
    assert come_back == {
        CloseCode.GOING_AWAY,
        CloseCode.ABNORMAL,
        CloseCode.INTERNAL_ERROR,
        CloseCode.SERVICE_RESTART,
        CloseCode.TRY_AGAIN_LATER,
        CloseCode.CONNECT_TIMEOUT,
        CloseCode.HEARTBEAT_LOST,
        CloseCode.SLOW_CONSUMER,
    }


def test_meanings_fit_into_a_close_frame() -> None:
    """A meaning may serve as the reason of a close frame without being cut."""
    assert all(len(row.meaning.encode()) <= MAX_REASON_BYTES for row in CLOSE_CODES.values())
