from __future__ import annotations

from bamboo_gateway.refusals import HANDSHAKE_FAILURES, HandshakeFailure, Refusals


def test_every_reason_has_its_number_from_the_start() -> None:
    """So that a curve begins at 0, and not with the first failure."""
    refusals = Refusals()
    refusals.count_handshake(HandshakeFailure.ORIGIN)
    refusals.count_rate_limited()
    assert refusals.handshakes == dict.fromkeys(HandshakeFailure, 0) | {HandshakeFailure.ORIGIN: 1}
    assert refusals.rate_limited == 1


def test_every_reason_is_explained() -> None:
    """In the table that the documents are made from."""
    assert list(HANDSHAKE_FAILURES) == list(HandshakeFailure)
