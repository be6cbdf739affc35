"""
An echo server on the gateway's own stack, for suites that judge how a server keeps to RFC 6455.

Listener, front door, handshake, transport, frames, outbox, writer and heartbeat
are those of a gateway; only what becomes of a message is not:

    python -m tests.compliance.echo_server --bind 127.0.0.1:9001
"""

from __future__ import annotations

import math

import attrs
import structlog
import trio
from trio_websocket import WebSocketConnection

from bamboo_gateway.config import Address, GatewayConfig
from bamboo_gateway.connection.connection import Connection
from bamboo_gateway.connection.host import Host
from bamboo_gateway.connection.reader import Reader, run_reader
from bamboo_gateway.gateway import Gateway
from bamboo_gateway.http.endpoints import Endpoints
from bamboo_gateway.listener.front_door import FrontDoor
from bamboo_gateway.listener.listening import bound_address, open_listeners
from bamboo_gateway.principal import LOCAL
from bamboo_gateway.protocol import framing
from tests.compliance.binding import MAX_MESSAGE_BYTES, parse_bind
from tests.connection.stage import stage

_BINARY = b"\x82"
"""The first byte of a binary frame: the one that a gateway never sends."""


@attrs.define
class EchoReader(Reader):
    """Says what was said."""

    async def receive(self, text: str | bytes) -> None:
        """Send a message back, as the kind that it was."""
        outbox = self.connection.outbox
        if isinstance(text, str):
            outbox.push(framing.text_frame(text.encode()))
        else:
            outbox.push(_BINARY + framing.text_frame(bytes(text))[1:])
        outbox.flush()


async def read_echo(
    host: Host, connection: Connection, websocket: WebSocketConnection, connect_deadline: float
) -> None:
    """Echo until the client closes; who comes to be echoed need not say who it is."""
    connection.principal = LOCAL
    host.pool.seat(connection, LOCAL, host.config)
    await run_reader(EchoReader(connection, host), websocket, math.inf)


async def serve(
    host: str, port: int, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled; the status is the port."""
    config = GatewayConfig(bind=f"{host}:{port}", max_message_bytes=MAX_MESSAGE_BYTES)
    async with stage(config) as gateway:
        endpoints = Endpoints(Gateway(config), gateway.host.gatekeeper)
        door = FrontDoor(gateway.host, endpoints, read=read_echo)
        listeners = await open_listeners(config.address)
        bound = bound_address(listeners[0])
        assert isinstance(bound, Address)
        task_status.started(bound.port)
        await trio.serve_listeners(door.serve_socket, list(listeners))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("warning"))
    trio.run(serve, *parse_bind(__doc__))
