from __future__ import annotations

from bamboo_gateway.refusals import HANDSHAKE_FAILURES, HandshakeFailure


def test_every_reason_is_explained() -> None:
    """In the table that the documents are made from."""
    assert list(HANDSHAKE_FAILURES) == list(HandshakeFailure)
