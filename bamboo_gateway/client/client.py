"""One connection to a gateway, as a program uses it: requests that are answered, and a stream of events."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from ssl import SSLContext

import trio

from ..errors import InvalidMessageError
from ..protocol.closing import CloseCode
from ..protocol.codec import decode_event, encode
from ..protocol.messages import (
    Chat,
    ChatAccepted,
    ClientInfo,
    ClientMessage,
    Command,
    CommandResult,
    Connect,
    Connected,
    Error,
    GatewayEvent,
    Json,
)
from ..protocol.versions import LATEST
from .buffer import EventBuffer
from .endpoint import Endpoint
from .errors import ClosedError, ConnectError, NoReplyError, RefusedError
from .limits import ClientLimits
from .nursery import open_background_nursery
from .replies import AnswerT, Replies
from .websocket import WebSocket, open_websocket


class Client:
    """
    A connected client; `connect` makes it. Iterate over it for the events of its session.

    Any number of tasks may use it at once; each event goes to one of those that
    iterate. What nobody reads stays in a bounded buffer. When that is full, the
    client stops reading: answers wait behind the events, and in the end the
    gateway lets go of it (4005). So who sends requests should iterate as well.
    """

    def __init__(self, websocket: WebSocket, connected: Connected, limits: ClientLimits) -> None:
        self._websocket = websocket
        self._connected = connected
        self._limits = limits
        self._events = EventBuffer(limits.max_buffered_bytes)
        self._replies = Replies()

    @property
    def connected(self) -> Connected:
        """What the gateway answered to `connect`."""
        return self._connected

    @property
    def session_id(self) -> str:
        """The session that this client speaks in."""
        return self._connected.session_id

    async def chat(
        self, content: str, *, chat_id: str | None = None, metadata: dict[str, Json] | None = None
    ) -> ChatAccepted:
        """
        Send a chat; return when the gateway has taken it. What the agent says to it comes as events.

        Cancellation takes nothing back. *chat_id* is the chat's key in those
        events, by default a new one.

        Raises:
            RefusedError: The gateway did not take it.
            NoReplyError: No word came within the reply timeout.
            ClosedError: The connection is over.
            InvalidMessageError: *metadata* is no JSON.
        """
        chat = Chat(content, self.session_id, id=chat_id or uuid.uuid4().hex, metadata=metadata)
        return await self._ask(chat, ChatAccepted)

    async def command(self, name: str, args: Json = None, *, session_id: str | None = None) -> Json:
        """
        Run a command, for this session or for *session_id*; return its result.

        Cancellation takes nothing back.

        Raises:
            RefusedError: The command failed; `code` says how.
            NoReplyError: No word came within the reply timeout.
            ClosedError: The connection is over.
            InvalidMessageError: *args* are no JSON.
        """
        command = Command(name, args, id=uuid.uuid4().hex, session_id=session_id)
        answer = await self._ask(command, CommandResult)
        if answer.error is not None:
            error = answer.error
            raise RefusedError(error.code, error.message, retryable=bool(error.retryable))
        return answer.result

    def __aiter__(self) -> Client:
        return self

    async def __anext__(self) -> GatewayEvent:
        """
        Wait for the next event. Cancelled, none is lost.

        Raises:
            ClosedError: The connection is over, and all that came has been read.
        """
        return await self._events.get()

    async def run_receiver(self) -> None:
        """Sort what comes in until the connection is over; `connect` runs it."""
        try:
            while True:
                event, size_bytes = await _receive(self._websocket)
                if not self._replies.settle(event):
                    await self._events.put(event, size_bytes)
        except ClosedError as error:
            self._replies.close(error)
            self._events.close(error)

    async def _ask(self, request: Chat | Command, kind: type[AnswerT]) -> AnswerT:
        assert request.id is not None, "answers are told apart by it"
        seconds = self._limits.reply_timeout
        with self._replies.expect(request.id, kind) as reply, trio.move_on_after(seconds):
            await _send(self._websocket, request)
            return await reply.wait()
        unread = f"; {len(self._events)} events wait to be read before it" if len(self._events) else ""
        raise NoReplyError(f"the gateway gave no answer within {seconds:g} seconds{unread}")


@asynccontextmanager
async def connect(
    url: str,
    *,
    token: str | None = None,
    session_id: str | None = None,
    exclusive: bool = False,
    client: ClientInfo | None = None,
    ssl_context: SSLContext | None = None,
    limits: ClientLimits = ClientLimits(),  # noqa: B008 – it is frozen
) -> AsyncIterator[Client]:
    """
    Connect to the gateway at *url*; the connection closes when the block is left.

    Args:
        url: `ws://HOST:PORT`, or `wss:`.
        token: What the gateway asks for, if it does.
        session_id: The session to come back to; unknown, a new one opens (see `connected.resumed`).
        exclusive: Close all other connections of the session.
        client: What to say of oneself.
        ssl_context: How to check a `wss:` gateway; by default, by the authorities that the system trusts.
        limits: How long to wait, and how much to hold.

    Raises:
        ConnectError: There is no gateway that could be reached in time.
        RefusedError: The gateway does not want this client; `UNAUTHORIZED`, say.
        ClosedError: The connection ended before the gateway's answer.
        InvalidMessageError: A text holds what no message can.
    """
    hello = Connect(session_id, token, protocol=LATEST, exclusive=exclusive or None, client=client)
    endpoint = Endpoint.parse(url)
    async with AsyncExitStack() as stack:
        with _deadline(limits.connect_timeout, url):
            websocket = await stack.enter_async_context(
                open_websocket(endpoint, ssl_context, limits.max_message_bytes)
            )
            connected = await _greet(websocket, hello)
        nursery = await stack.enter_async_context(open_background_nursery())
        connection = Client(websocket, connected, limits)
        nursery.start_soon(connection.run_receiver)
        yield connection


@contextmanager
def _deadline(seconds: float, url: str) -> Iterator[None]:
    try:
        with trio.fail_after(seconds):
            yield
    except trio.TooSlowError:
        raise ConnectError(f"no answer from {url} within {seconds:g} seconds") from None


async def _greet(websocket: WebSocket, hello: Connect) -> Connected:
    await _send(websocket, hello)
    while True:
        event, _ = await _receive(websocket)
        match event:
            case Connected(protocol=protocol):
                if protocol != hello.protocol:
                    raise ConnectError(
                        f"the gateway speaks protocol {protocol or 1}, this client {hello.protocol}"
                    )
                return event
            case Error(code=code, message=message, retryable=retryable):
                raise RefusedError(code, message, retryable=bool(retryable))
            case _:
                pass


async def _send(websocket: WebSocket, message: ClientMessage) -> None:
    """Send one message; where that fails, whoever receives learns from the peer why."""
    text = encode(message).decode()
    with suppress(ClosedError):
        await websocket.send(text)


async def _receive(websocket: WebSocket) -> tuple[GatewayEvent, int]:
    """Wait for one event; return it and the size of its text."""
    text = await websocket.receive()
    try:
        return decode_event(text), len(text)
    except InvalidMessageError as error:
        raise ClosedError(CloseCode.PROTOCOL_ERROR, f"the peer sent what is no event: {error}") from None
