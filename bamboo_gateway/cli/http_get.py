"""What a gateway answers to plain HTTP, for commands that ask whether it is well."""

from __future__ import annotations

import h11
import trio

from ..client import ConnectError
from ..client.endpoint import Endpoint, Stream

MAX_BYTES = 64 * 1024
"""Of an answer's body: more than a gateway says, and a bound on what anything else does."""

_RECEIVE_BYTES = 16 * 1024


async def get(endpoint: Endpoint, path: str) -> tuple[int, bytes]:
    """
    Ask for *path*, and return the status and the body.

    Raises:
        ConnectError: Nobody listens there, or what answers speaks no HTTP.
    """
    stream = await endpoint.open_stream()
    try:
        return await _exchange(stream, endpoint, path)
    except (trio.BrokenResourceError, h11.RemoteProtocolError) as error:
        raise ConnectError(f"{endpoint.url} speaks no HTTP: {error.__cause__ or error}") from error
    finally:
        await trio.aclose_forcefully(stream)


async def _exchange(stream: Stream, endpoint: Endpoint, path: str) -> tuple[int, bytes]:
    http = h11.Connection(h11.CLIENT)
    headers = [("Host", endpoint.host_header), ("Connection", "close")]
    asked = http.send(h11.Request(method="GET", target=path, headers=headers))
    await stream.send_all((asked or b"") + (http.send(h11.EndOfMessage()) or b""))
    status, body = 0, bytearray()
    while True:
        match event := http.next_event():
            case h11.Response():
                status = event.status_code
            case h11.Data():
                body += event.data
                if len(body) > MAX_BYTES:
                    return status, b""
            case h11.EndOfMessage():
                return status, bytes(body)
            case h11.NEED_DATA:
                http.receive_data(bytes(await stream.receive_some(_RECEIVE_BYTES)))
            case _:  # a status that is only on the way to another
                continue
