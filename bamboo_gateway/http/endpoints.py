"""What the gateway's port answers to plain HTTP: is it well and ready, metrics, its version, its pages."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Protocol

import attrs

from ..errors import ErrorCode, GatewayError
from ..identity.gatekeeper import Gatekeeper
from ..principal import Credentials, Principal, Scope
from ..refusals import HandshakeFailure
from .messages import RefusedError, Reply, Request, bearer_token, json_reply, refusal, retry_after
from .pages import Page, Pages

_NO_CONSOLE = "this gateway was installed without the files of its web console"

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The text format that every collector of metrics reads."""

_FORWARDED = re.compile(r"forwarded|via|x-real-ip|x-forwarded-.*")


class Site(Protocol):
    """What is shown of the gateway."""

    @property
    def version(self) -> str:
        """Of the package."""
        ...

    @property
    def has_console(self) -> bool:
        """Are the web console and the client module served?"""
        ...

    def why_not_ready(self) -> str | None:
        """Why no client should be sent here now; None: it may."""
        ...

    def metrics(self) -> bytes:
        """All metrics, as `METRICS_TYPE`."""
        ...


@attrs.frozen
class Visitor:
    """Who asks."""

    address: str
    """An IP address, `unix`, or nothing where a stream has none."""
    is_local: bool
    """Did the request come from this machine, to an address that only this machine reaches?"""


@attrs.frozen
class Endpoints:
    """Answers requests by their path."""

    site: Site
    gatekeeper: Gatekeeper
    pages: Pages = attrs.field(factory=Pages)

    async def answer(self, request: Request, visitor: Visitor) -> Reply:
        """
        Answer *request*.

        Raises:
            RefusedError: With an answer that says why not.
            OSError: The pages cannot be read.
        """
        handle = _HANDLERS.get(request.path)
        if handle is not None:
            _refuse_all_but_reading(request)
            return await handle(self, request, visitor)
        page = await self._page(request.path)
        _refuse_all_but_reading(request)
        return page.answer(request)

    async def _page(self, path: str) -> Page:
        missing = "there is nothing here"
        if self.site.has_console:
            page = await self.pages.find(path)
            if page is not None:
                return page
            missing = _NO_CONSOLE if path == "/" else missing
        text = f"{missing}; a WebSocket is opened with ws://, and may be at any path"
        raise RefusedError(refusal(HTTPStatus.NOT_FOUND, text), HandshakeFailure.HTTP)

    async def _health(self, request: Request, visitor: Visitor) -> Reply:
        return json_reply(HTTPStatus.OK, {"status": "alive"})

    async def _readiness(self, request: Request, visitor: Visitor) -> Reply:
        reason = self.site.why_not_ready()
        if reason is not None:
            return json_reply(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "not ready", "reason": reason})
        return json_reply(HTTPStatus.OK, {"status": "ready"})

    async def _version(self, request: Request, visitor: Visitor) -> Reply:
        return json_reply(HTTPStatus.OK, {"name": "bamboo-gateway", "version": self.site.version})

    async def _metrics(self, request: Request, visitor: Visitor) -> Reply:
        if not (visitor.is_local and _is_direct(request)):
            if visitor.is_local and not self.gatekeeper.asks:
                text = "no token is asked for here, so metrics are for this machine alone: ask by its address"
                raise RefusedError(refusal(HTTPStatus.FORBIDDEN, text), HandshakeFailure.FORBIDDEN)
            credentials = Credentials(bearer_token(request.headers), visitor.address, request.headers)
            principal = await admit(self.gatekeeper, credentials)
            if not principal.may(frozenset({Scope.METRICS})):
                raise RefusedError(
                    refusal(HTTPStatus.FORBIDDEN, "the token has not the scope `metrics`"),
                    HandshakeFailure.FORBIDDEN,
                )
        return Reply(HTTPStatus.OK, self.site.metrics(), METRICS_TYPE)


def _refuse_all_but_reading(request: Request) -> None:
    if request.method not in ("GET", "HEAD"):
        text = f"{request.path} can be read, and nothing else"
        raise RefusedError(
            refusal(HTTPStatus.METHOD_NOT_ALLOWED, text, [("Allow", "GET, HEAD")]), HandshakeFailure.HTTP
        )


async def admit(gatekeeper: Gatekeeper, credentials: Credentials) -> Principal:
    """
    Have *credentials* judged.

    Raises:
        RefusedError: They are no good (401, 403), too many were not (429), or nobody can tell (503).
    """
    try:
        return await gatekeeper.admit(credentials)
    except GatewayError as error:
        raise refused(error) from None


def refused(error: GatewayError) -> RefusedError:
    """What the gatekeeper says, over HTTP."""
    status, reason = _REFUSALS[error.code]
    headers = [("WWW-Authenticate", "Bearer")] if status is HTTPStatus.UNAUTHORIZED else []
    if error.retry_after is not None:
        headers.append(retry_after(error.retry_after))
    return RefusedError(refusal(status, error.message, headers), reason, error.message)


_REFUSALS: Mapping[ErrorCode, tuple[HTTPStatus, HandshakeFailure]] = {
    ErrorCode.UNAUTHORIZED: (HTTPStatus.UNAUTHORIZED, HandshakeFailure.UNAUTHORIZED),
    ErrorCode.FORBIDDEN: (HTTPStatus.FORBIDDEN, HandshakeFailure.FORBIDDEN),
    ErrorCode.RATE_LIMITED: (HTTPStatus.TOO_MANY_REQUESTS, HandshakeFailure.RATE_LIMITED),
    ErrorCode.IDENTITY_UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, HandshakeFailure.FAILED),
}


def _is_direct(request: Request) -> bool:
    """
    Is it from a program on this machine itself?

    Not where a proxy has passed it on, and not where a web page has sent it to a
    name that it has bound to this address (DNS rebinding).
    """
    return is_address(request.headers.get("host", "")) and not any(map(_FORWARDED.fullmatch, request.headers))


def is_address(host: str) -> bool:
    """Is the host of `HOST[:PORT]` an address, or `localhost`, and no name that somebody may have bound?"""
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost"
    return True


_HANDLERS: Mapping[str, Callable[[Endpoints, Request, Visitor], Awaitable[Reply]]] = {
    "/healthz": Endpoints._health,
    "/readyz": Endpoints._readiness,
    "/metrics": Endpoints._metrics,
    "/version": Endpoints._version,
}
