"""
The way in: accept, TLS, the head of a request, and then HTTP or a WebSocket.

Until a client has said who it is, everything about it is bounded: how many there
are, how long it takes all in all, and how much it says.
"""

from __future__ import annotations

import math
import socket
import ssl
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus

import structlog
import trio

from ..config import Address
from ..connection.admission import Entrant, Stage, full
from ..connection.handshake import judge_upgrade
from ..connection.host import Host
from ..connection.nursery import Arrival, Read, read_messages, serve_websocket
from ..http.endpoints import Endpoints, Visitor
from ..http.exchange import Exchange, answer_unread
from ..http.head import HeadReader, asks_for_websocket
from ..http.messages import RefusedError, Reply, Request, refusal
from ..identity.address import address_key
from ..refusals import HandshakeFailure
from . import tls
from .forwarded import UNIX, client_address, is_trusted

log = structlog.get_logger(__name__)

MAX_REFUSALS = 64
"""Sockets that are told at the same time that there is no room; more are dropped unheard."""

LINGER_BYTES = 64 * 1024
"""Read at a time of what a client still says that has been answered for good."""


class FrontDoor:
    """
    Serves one socket after the other, each in a task of its own.

    Args:
        host: What connections need.
        endpoints: What plain HTTP is answered.
        read: What becomes of the messages of a WebSocket.

    Raises:
        ConfigError: The certificate cannot be used.
    """

    def __init__(self, host: Host, endpoints: Endpoints, *, read: Read = read_messages) -> None:
        self._host = host
        self._endpoints = endpoints
        self._read = read
        self._context = tls.make_context(host.config)
        self._refusals = 0

    def show(self, context: ssl.SSLContext | None) -> None:
        """Whoever comes next is met with *context*, made by `tls.make_context`."""
        self._context = context

    async def serve_socket(self, stream: trio.abc.Stream) -> None:
        """Serve a client of our own listener, over TLS if there is a certificate, and close its stream."""
        await self._serve(stream, self._context)

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serve a client that was accepted elsewhere, and close its stream."""
        await self._serve(stream, None)

    async def _serve(self, stream: trio.abc.Stream, context: ssl.SSLContext | None) -> None:
        """Whatever goes wrong in here ends this client alone: it would stop `trio.serve_listeners`."""
        address = _peer_address(stream)
        try:
            with self._boundary(address):
                await self._let_in(stream, context, address)
        finally:
            await trio.aclose_forcefully(stream)

    @contextmanager
    def _boundary(self, address: str) -> Iterator[None]:
        admission = self._host.pool.admission
        try:
            yield
        except RefusedError as error:
            admission.count_refusal(error.reason)
            # A flood shall not fill the log as well; the statistics count it.
            say = log.debug if error.reason is HandshakeFailure.CAPACITY else log.info
            say("client refused", address=address, reason=error.reason, detail=str(error))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            admission.count_refusal(HandshakeFailure.GONE)
        except Exception:  # noqa: BLE001 -- logged, without the local variables that structlog would add
            admission.count_refusal(HandshakeFailure.FAILED)
            log.error("client failed", address=address, exception=traceback.format_exc())

    async def _let_in(self, stream: trio.abc.Stream, context: ssl.SSLContext | None, address: str) -> None:
        config, admission = self._host.config, self._host.pool.admission
        # One address for all who come by a trusted proxy would be no bound on any of them.
        counted = "" if is_trusted(address, config.trusted_proxies) else address_key(address)
        try:
            entrant = admission.enter(
                counted, config.max_unauthenticated_connections, config.max_unauthenticated_per_address
            )
        except RefusedError as error:
            if context is None:
                await self._turn_away(stream, error)
            raise
        self._give_time(entrant)
        try:
            await self._receive(stream, context, entrant, address)
        finally:
            admission.leave(entrant)

    def _give_time(self, entrant: Entrant) -> None:
        entrant.scope.deadline = trio.current_time() + (self._host.config.connect_timeout or math.inf)

    async def _turn_away(self, stream: trio.abc.Stream, error: RefusedError) -> None:
        """Say that there is no room, to some at a time."""
        if self._refusals < MAX_REFUSALS:
            self._refusals += 1
            try:
                await self._answer_last(stream, answer_unread(error.reply))
            finally:
                self._refusals -= 1

    async def _receive(
        self, stream: trio.abc.Stream, context: ssl.SSLContext | None, entrant: Entrant, address: str
    ) -> None:
        """See what the client wants, and do it."""
        arrival, reader = None, None
        with entrant.scope:
            if context is not None:
                stream = await _encrypt(stream, context)
            reader = HeadReader(stream)
            try:
                arrival = await self._converse(stream, reader, entrant, address)
            except RefusedError as error:
                entrant.stage = Stage.READING
                await self._answer_last(stream, answer_unread(error.reply))
                raise
        if arrival is not None:
            await serve_websocket(self._host, arrival, self._read)
        elif entrant.has_given_way or entrant.scope.cancelled_caught:
            await self._let_go(stream, reader, entrant)

    async def _let_go(self, stream: trio.abc.Stream, reader: HeadReader | None, entrant: Entrant) -> None:
        """
        End what had no time or no place left, and say why where that can be heard.

        Browsers keep sockets open after an answer, in case. Such a one ends without
        a word, which a browser could take for the answer to its next request.

        Raises:
            RefusedError: Why, unless it was only kept.
        """
        has_begun = reader is not None and reader.has_begun
        if entrant.stage is Stage.KEPT and (entrant.has_given_way or not has_begun):
            return
        if entrant.stage is Stage.READING and not entrant.has_given_way:
            raise _too_slow("the answer took too long to be taken")
        failure = full() if entrant.has_given_way else _too_slow()
        if reader is not None and entrant.stage is not Stage.READING:
            if entrant.has_given_way:
                await self._dismiss(stream)
            elif has_begun:
                await self._answer_last(stream, answer_unread(failure.reply))
        raise failure

    async def _dismiss(self, stream: trio.abc.Stream) -> None:
        """Tell who gives way, and do not wait for it to go: in a flood, those would be without number."""
        with trio.move_on_after(self._host.config.close_timeout):
            await stream.send_all(_NO_ROOM)

    async def _converse(
        self, stream: trio.abc.Stream, reader: HeadReader, entrant: Entrant, peer: str
    ) -> Arrival | None:
        """Answer plain HTTP until the client wants a WebSocket; None: it wants nothing more."""
        while True:
            head = await self._read_head(reader, entrant)
            if head is None:
                return None
            if entrant.has_given_way:  # and its bytes came in the same moment, before the cancel was felt
                return None
            entrant.stage = Stage.ASKING
            config, address = self._host.config, peer
            if is_trusted(peer, config.trusted_proxies):  # whose sockets many clients may share, in turns
                address = client_address(peer, _forwarded_for(head), config.trusted_proxies)
                self._host.pool.admission.move(
                    entrant, address_key(address), config.max_unauthenticated_per_address
                )
            if asks_for_websocket(head):
                upgrade = await judge_upgrade(self._host, head, address)
                return Arrival(stream, upgrade, entrant, address, reader.take_rest())
            exchange = Exchange(head)
            reply = await self._answer(exchange.request, self._visitor(peer, address))
            is_last = not exchange.may_be_followed()
            entrant.stage = Stage.READING
            await stream.send_all(exchange.answer(reply, is_last=is_last))
            entrant.stage = Stage.KEPT
            if is_last:
                await self._see_off(stream)
                return None
            self._give_time(entrant)

    async def _read_head(self, reader: HeadReader, entrant: Entrant) -> bytes | None:
        config = self._host.config
        try:
            with trio.move_on_after(config.head_timeout or math.inf):
                return await reader.read(config.max_head_bytes, config.max_head_fields)
        except trio.BrokenResourceError:
            if entrant.stage is Stage.NEW or reader.has_begun:
                raise
            return None  # who was answered need say no goodbye
        if reader.has_begun:
            raise _too_slow()
        return None

    async def _answer(self, request: Request, visitor: Visitor) -> Reply:
        try:
            return await self._endpoints.answer(request, visitor)
        except RefusedError as error:
            self._host.pool.admission.count_refusal(error.reason)
            return error.reply

    def _visitor(self, peer: str, address: str) -> Visitor:
        config = self._host.config
        is_local = config.address.is_loopback and _is_loopback(peer)
        return Visitor(address, is_local and not is_trusted(peer, config.trusted_proxies))

    async def _answer_last(self, stream: trio.abc.Stream, answer: bytes) -> None:
        """Say *answer*, and see the client go, within `close_timeout`."""
        with trio.move_on_after(self._host.config.close_timeout):
            await stream.send_all(answer)
            await self._see_off(stream)

    async def _see_off(self, stream: trio.abc.Stream) -> None:
        """
        See the client go that was answered for good, within `close_timeout`.

        Reading on is what keeps the answer alive: a socket closed over unread
        bytes is reset, and the client never reads it.
        """
        with trio.move_on_after(self._host.config.close_timeout), suppress(trio.BrokenResourceError):
            if isinstance(stream, trio.abc.HalfCloseableStream):
                await stream.send_eof()
            while await stream.receive_some(LINGER_BYTES):
                pass


async def _encrypt(stream: trio.abc.Stream, context: ssl.SSLContext) -> trio.abc.Stream:
    # Most clients hang up without TLS's own goodbye, as HTTP allows.
    encrypted = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
    try:
        await encrypted.do_handshake()
    except trio.BrokenResourceError as error:
        raise RefusedError(_NO_TLS, HandshakeFailure.TLS, f"no TLS: {error.__cause__ or error}") from None
    return encrypted


_NO_ROOM = answer_unread(full().reply)
"""Made once: a flood shall cost no more than it has to."""

_NO_TLS = refusal(HTTPStatus.BAD_REQUEST, "this port speaks TLS")


def _too_slow(text: str = "the request took too long to come") -> RefusedError:
    return RefusedError(refusal(HTTPStatus.REQUEST_TIMEOUT, text), HandshakeFailure.TIMEOUT, text)


def _forwarded_for(head: bytes) -> str:
    return Exchange(head).request.headers.get("x-forwarded-for", "")


def _peer_address(stream: trio.abc.Stream) -> str:
    """Whence a stream comes; of one that is no socket, or whose client is gone, nobody can tell."""
    if not isinstance(stream, trio.SocketStream):
        return ""
    if stream.socket.family == socket.AF_UNIX:
        return UNIX
    try:
        host: str = stream.socket.getpeername()[0]
    except OSError:
        return ""
    return host.removeprefix("::ffff:") if "." in host else host


def _is_loopback(address: str) -> bool:
    return address == UNIX or Address(address, 0).is_loopback
