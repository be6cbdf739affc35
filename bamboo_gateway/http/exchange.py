"""One request and its answer, by h11."""

from __future__ import annotations

from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus

import h11

from ..refusals import HandshakeFailure
from .messages import RefusedError, Reply, Request, join_headers, refusal


class Exchange:
    """
    A request that waits for its answer.

    Args:
        head: The whole head of the request.

    Raises:
        RefusedError: It is no request of HTTP/1.
    """

    def __init__(self, head: bytes) -> None:
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=len(head) + 1)
        self._connection.receive_data(head)
        try:
            event = self._connection.next_event()
        except h11.RemoteProtocolError as error:
            # Behind the colon h11 quotes what came, which may be a secret.
            raise _no_request(HTTPStatus(error.error_status_hint), str(error).partition(":")[0]) from None
        if not isinstance(event, h11.Request):
            raise _no_request(HTTPStatus.BAD_REQUEST, "it is empty")
        if not event.http_version.startswith(b"1."):
            raise _no_request(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "it is of another version")
        method, target = event.method.decode("ascii"), event.target.decode("latin-1")
        self.request = Request(method, target, join_headers(event.headers))

    def may_be_followed(self) -> bool:
        """May another request follow on the same socket? Behind a body none may: nobody here reads it."""
        with suppress(h11.RemoteProtocolError):
            self._connection.next_event()
        return self._connection.their_state is h11.DONE

    def answer(self, reply: Reply, *, is_last: bool) -> bytes:
        """Write *reply*, which the socket is closed behind, if it *is_last*."""
        return _write(self._connection, reply, is_last=is_last, with_body=self.request.method != "HEAD")


def answer_unread(reply: Reply) -> bytes:
    """Write the answer to what was not understood, or not read; it is the last one."""
    return _write(h11.Connection(h11.SERVER), reply, is_last=True, with_body=True)


def _write(connection: h11.Connection, reply: Reply, *, is_last: bool, with_body: bool) -> bytes:
    is_modified = reply.status is not HTTPStatus.NOT_MODIFIED
    headers = [
        # Those that say that we failed need none (RFC 9110 §6.6.1), and may so be made beforehand.
        *([] if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR else [("Date", formatdate(usegmt=True))]),
        # A length would be that of what the client has (§8.6).
        *([("Content-Type", reply.content_type), _length(reply)] if is_modified else []),
        ("Cache-Control", reply.cache_control),
        ("X-Content-Type-Options", "nosniff"),
        *reply.headers,
        *([("Connection", "close")] if is_last else []),
    ]
    events: list[h11.Event] = [
        h11.Response(status_code=reply.status, headers=headers, reason=reply.status.phrase.encode())
    ]
    if with_body and is_modified:
        events.append(h11.Data(data=reply.body))
    return b"".join(connection.send(event) or b"" for event in [*events, h11.EndOfMessage()])


def _length(reply: Reply) -> tuple[str, str]:
    return "Content-Length", str(len(reply.body))


def _no_request(status: HTTPStatus, detail: str) -> RefusedError:
    return RefusedError(
        refusal(status, f"this is no request of HTTP/1.1: {detail}"), HandshakeFailure.HEAD, detail
    )
