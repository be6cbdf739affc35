"""The heads of requests, read from a stream within bounds."""

from __future__ import annotations

import re
from http import HTTPStatus

import trio

from ..refusals import HandshakeFailure
from .messages import RefusedError, refusal

RECEIVE_BYTES = 16 * 1024

_END = b"\r\n\r\n"
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*\bwebsocket\b", re.IGNORECASE)


class HeadReader:
    """
    Reads one head after the other, and keeps what came behind.

    Invariant: no more is held than the largest head and one packet.
    """

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._received = bytearray()

    @property
    def has_begun(self) -> bool:
        """Has anything come of a head that is not complete?"""
        return bool(self._received)

    async def read(self, max_bytes: int, max_fields: int) -> bytes | None:
        """
        Read up to the end of the next head; None: the client has ended the stream in place of one.

        Args:
            max_bytes: Of the head; 0: any number.
            max_fields: Lines of it behind the first; 0: any number.

        Raises:
            RefusedError: It is too large, or ends in the midst.
            trio.BrokenResourceError: The socket is gone.
        """
        received = self._received
        limit = max_bytes or len(received) + 2**62
        searched = 0
        while (end := received.find(_END, searched, limit)) < 0:
            if len(received) >= limit:
                raise _too_large(f"more than {max_bytes} bytes; the limit is max_head_bytes")
            searched = max(0, len(received) - len(_END) + 1)
            data = await self._stream.receive_some(RECEIVE_BYTES)
            if not data and not received:
                return None
            if not data:
                raise RefusedError(
                    _BROKEN_OFF, HandshakeFailure.GONE, "the stream ended within the request's head"
                )
            received += data
        end += len(_END)
        head = bytes(received[:end])
        del received[:end]
        if head.count(b"\n") != head.count(b"\r\n"):
            # h11 takes a bare one for the end of a line, so two readers would part requests differently.
            raise RefusedError(_BARE, HandshakeFailure.HEAD, "a bare line feed in the request's head")
        if max_fields and head.count(b"\r\n") - 2 > max_fields:
            raise _too_large(f"more than {max_fields} fields; the limit is max_head_fields")
        return head

    def take_rest(self) -> bytes:
        """Give away what came behind the last head."""
        rest, self._received = bytes(self._received), bytearray()
        return rest


_BARE = refusal(HTTPStatus.BAD_REQUEST, "lines end with CR LF, and with nothing else")
_BROKEN_OFF = refusal(HTTPStatus.BAD_REQUEST, "the request broke off")


def _too_large(detail: str) -> RefusedError:
    reply = refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the request's head is too large: {detail}")
    return RefusedError(reply, HandshakeFailure.HEAD, "the request's head is too large")


def asks_for_websocket(head: bytes) -> bool:
    """Is it (meant as) an upgrade? It is then parsed by wsproto, and by nobody else: that takes 0.1 ms."""
    return _UPGRADE.search(head) is not None
