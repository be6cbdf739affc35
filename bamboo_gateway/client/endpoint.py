"""Where a gateway is: a WebSocket URL taken apart, and the way to a byte stream that leads there."""

from __future__ import annotations

import os
import ssl
from typing import TypeAlias
from urllib.parse import quote, urlsplit

import attrs
import trio

from .errors import ConnectError

Stream: TypeAlias = trio.SocketStream | trio.SSLStream[trio.SocketStream]

_DEFAULT_PORTS = {"ws": 80, "wss": 443}

_UNIX = "unix:"

_NOT_TO_QUOTE = "%/:=&?~+!$,;'@()*[]"
"""What may stand in a path and query as it is; the `%` of what is quoted already, too."""


@attrs.frozen
class Endpoint:
    """The parts of a `ws:` or `wss:` URL, or of a `unix:PATH`."""

    url: str
    is_secure: bool
    host: str
    port: int
    host_header: str
    resource: str
    """Path and query."""
    socket_path: str | None = None
    """Of a socket in the file system, in place of host and port."""

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """
        Take *url* apart.

        Raises:
            ConnectError: It is no WebSocket URL.
        """
        if url.startswith(_UNIX) and len(url) > len(_UNIX):
            path = url.removeprefix(_UNIX)
            return cls(
                url, is_secure=False, host="", port=0, host_header="localhost", resource="/", socket_path=path
            )
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConnectError(f"{url!r} is no URL: {error}") from None
        if parts.scheme not in _DEFAULT_PORTS or not host:
            raise ConnectError(
                f"{url!r} is no WebSocket URL, such as ws://127.0.0.1:18790, and no {_UNIX}PATH"
            )
        resource = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        return cls(
            url=url,
            is_secure=parts.scheme == "wss",
            host=host,
            port=_DEFAULT_PORTS[parts.scheme] if port is None else port,
            host_header=parts.netloc.rpartition("@")[2],
            resource=quote(resource, safe=_NOT_TO_QUOTE),
        )

    async def open_stream(self, ssl_context: ssl.SSLContext | None = None) -> Stream:
        """
        Connect; for `wss:` check who answers by *ssl_context*, or by the authorities that the system trusts.

        Raises:
            ConnectError: Nobody listens there, or TLS failed.
        """
        try:
            if self.socket_path is not None:
                return await trio.open_unix_socket(self.socket_path)
            stream = await trio.open_tcp_stream(self.host, self.port)
        except (OSError, ValueError) as error:  # ValueError: a host that cannot even be looked up
            raise ConnectError(f"cannot reach {self.url}: {_reason(error)}") from error
        if not self.is_secure:
            return stream
        try:
            return await self._secure(stream, ssl_context or ssl.create_default_context())
        except trio.BrokenResourceError as error:
            cause = error.__cause__
            # Who has shown a certificate does speak TLS.
            hint = "" if isinstance(cause, ssl.SSLCertVerificationError) else f"; {self.hint}"
            raise ConnectError(f"no TLS with {self.url}: {cause or 'the peer hung up'}{hint}") from error

    @property
    def hint(self) -> str:
        """What to try where somebody answers who does not understand."""
        if self.socket_path is not None:
            return "see whether it is a gateway's socket"
        other = "ws" if self.is_secure else "wss"
        kind = "without TLS" if self.is_secure else "with TLS"
        return f"a gateway {kind} is dialled {other}://{self.host_header}"

    async def _secure(
        self, stream: trio.SocketStream, ssl_context: ssl.SSLContext
    ) -> trio.SSLStream[trio.SocketStream]:
        secure = trio.SSLStream(stream, ssl_context, server_hostname=self.host, https_compatible=True)
        try:
            await secure.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return secure


def _reason(error: BaseException) -> str:
    """What the system said; trio tells it of each address that it tried."""
    if isinstance(error.__cause__, BaseExceptionGroup):
        error = error.__cause__.exceptions[0]
    # Negative ones come from the resolver, which has texts of its own.
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error)
