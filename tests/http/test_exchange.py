from __future__ import annotations

from http import HTTPStatus

import h11
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.http.exchange import Exchange, answer_unread
from bamboo_gateway.http.messages import (
    RefusedError,
    Reply,
    bearer_token,
    json_reply,
    refusal,
    retry_after,
)


def head(line: str = "GET /a?b=c HTTP/1.1", *fields: str) -> bytes:
    """A request."""
    return "\r\n".join([line, "Host: x", *fields, "", ""]).encode()


def read(answer: bytes, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """What a client of h11's makes of an answer."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(answer)
    response = client.next_event()
    assert isinstance(response, h11.Response)
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    return response.status_code, {name.decode(): value.decode() for name, value in response.headers}, body


def test_a_request_is_understood() -> None:
    """Method, path without the query, and headers, joined where one comes twice."""
    request = Exchange(head("GET /a?b=c HTTP/1.1", "X-One: 1", "x-one: 2")).request
    assert (request.method, request.path) == ("GET", "/a")
    assert request.headers == {"host": "x", "x-one": "1, 2"}
    assert "2" not in repr(request), "headers may hold secrets"


@pytest.mark.parametrize(
    ("line", "fields", "follows"),
    [
        ("GET / HTTP/1.1", [], True),
        ("GET / HTTP/1.1", ["Connection: close"], False),
        ("GET / HTTP/1.0", [], False),
        ("POST / HTTP/1.1", ["Content-Length: 5"], False),
        ("POST / HTTP/1.1", ["Transfer-Encoding: chunked"], False),
        ("POST / HTTP/1.1", ["Content-Length: 0"], True),
    ],
)
def test_what_may_follow(line: str, fields: list[str], *, follows: bool) -> None:
    """Another request, unless the client wants none, or has a body that nobody reads."""
    exchange = Exchange(head(line, *fields))
    assert exchange.may_be_followed() is follows
    _, headers, _ = read(exchange.answer(refusal(HTTPStatus.NOT_FOUND, "no"), is_last=not follows))
    assert (headers.get("connection") == "close") is not follows


def test_what_comes_behind_a_head_is_no_error_here() -> None:
    """A body that makes no sense is not read, and nothing of it is said."""
    exchange = Exchange(head("POST / HTTP/1.1", "Transfer-Encoding: chunked") + b"no chunk\r\n")
    assert not exchange.may_be_followed()


def test_an_answer_is_never_taken_for_anything_else() -> None:
    """Its type and length are said; nobody keeps it, nobody guesses at it."""
    status, headers, body = read(Exchange(head()).answer(json_reply(HTTPStatus.OK, {"a": 1}), is_last=False))
    assert (status, body) == (200, b'{"a": 1}\n')
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "date" in headers


def test_a_head_is_answered_without_a_body() -> None:
    """`HEAD` learns how long the body would be."""
    answer = Exchange(head("HEAD / HTTP/1.1")).answer(Reply(HTTPStatus.OK, b"12345"), is_last=False)
    status, headers, body = read(answer, "HEAD")
    assert (status, headers["content-length"], body) == (200, "5", b"")


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer s3cret\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused(request_head: bytes, status: int) -> None:
    """The error says so, and repeats nothing that might be a secret."""
    with pytest.raises(RefusedError) as caught:
        Exchange(request_head)
    assert caught.value.reply.status == status
    assert b"s3cret" not in caught.value.reply.body
    assert "s3cret" not in str(caught.value)
    assert read(answer_unread(caught.value.reply))[1]["connection"] == "close"


@given(request_head=st.binary(max_size=200).map(lambda junk: junk + b"\r\n\r\n"))
def test_any_bytes_are_a_request_or_none(request_head: bytes) -> None:
    """Whatever comes, there is an answer to it."""
    try:
        answer = Exchange(request_head).answer(Reply(HTTPStatus.OK), is_last=True)
    except RefusedError as error:
        answer = answer_unread(error.reply)
    assert answer.startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize(
    ("value", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("abc", None), ("Bearer", "")],
)
def test_a_token_in_the_header(value: str, token: str | None) -> None:
    """RFC 6750: the scheme has no case."""
    assert bearer_token({"authorization": value}) == token
    assert bearer_token({}) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "1"), (0.2, "1"), (1.0, "1"), (1.1, "2"), (300.0, "300")]
)
def test_a_time_to_come_back_at_is_whole_seconds(seconds: float, text: str) -> None:
    """Never earlier than meant."""
    assert retry_after(seconds) == ("Retry-After", text)


def test_what_a_client_has_is_not_sent_again() -> None:
    """304 has no body, and says neither a type nor a length; what caches may do, the answer itself says."""
    reply = Reply(HTTPStatus.NOT_MODIFIED, b"", "text/css", [("ETag", '"1"')], "no-cache")
    exchange = Exchange(head())
    status, headers, body = read(exchange.answer(reply, is_last=not exchange.may_be_followed()))
    assert (status, body) == (304, b"")
    assert (headers["etag"], headers["cache-control"]) == ('"1"', "no-cache")
    assert not {"content-type", "content-length", "transfer-encoding"} & headers.keys()
