from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.http.endpoints import METRICS_TYPE, Endpoints, Visitor, is_address, refused
from bamboo_gateway.http.messages import RefusedError, Reply, Request
from bamboo_gateway.http.pages import Pages
from bamboo_gateway.identity.directory import TokenDirectory
from bamboo_gateway.identity.gatekeeper import Gatekeeper
from bamboo_gateway.principal import Credentials, Principal, Scope

HERE = Visitor("127.0.0.1", is_local=True)
ELSEWHERE = Visitor("192.0.2.1", is_local=False)


@attrs.define
class Site:
    """A gateway as HTTP sees it."""

    version: str = "1.2.3"
    reason: str | None = None
    has_console: bool = False

    def why_not_ready(self) -> str | None:
        """What is wrong."""
        return self.reason

    def metrics(self) -> bytes:
        """Something to count."""
        return b"bamboo_up 1\n"


async def scoped(credentials: Credentials) -> Principal | None:
    """A token is the one scope that it has; an unknown one is nobody's."""
    scope = credentials.token
    return Principal("ann", frozenset({Scope(scope)})) if scope in list(Scope) else None


OPEN, ASKING = (
    Endpoints(Site(), Gatekeeper(TokenDirectory(GatewayConfig()), GatewayConfig)),
    Endpoints(Site(), Gatekeeper(scoped, GatewayConfig)),
)


def get(path: str, method: str = "GET", **headers: str) -> Request:
    """A request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, {"host": "127.0.0.1:18790"} | named)


async def refused_with(endpoints: Endpoints, request: Request, visitor: Visitor) -> Reply:
    """The answer that says no."""
    with pytest.raises(RefusedError) as caught:
        await endpoints.answer(request, visitor)
    body = json.loads(caught.value.reply.body)
    assert body.keys() == {"code", "message"}
    return caught.value.reply


@pytest.mark.parametrize("visitor", [HERE, ELSEWHERE])
@pytest.mark.parametrize("endpoints", [OPEN, ASKING])
async def test_everybody_may_ask_whether_it_is_well(endpoints: Endpoints, visitor: Visitor) -> None:
    """Health, readiness and version need no token: probes have none."""
    for path, body in {
        "/healthz": {"status": "alive"},
        "/readyz": {"status": "ready"},
        "/version": {"name": "bamboo-gateway", "version": "1.2.3"},
        "/healthz?x=1": {"status": "alive"},
    }.items():
        reply = await endpoints.answer(get(path), visitor)
        assert (reply.status, json.loads(reply.body)) == (200, body)


async def test_what_is_not_ready_says_why() -> None:
    """503, for whoever sends clients here; it is alive all the same."""
    endpoints = Endpoints(Site(reason="draining"), Gatekeeper(TokenDirectory(GatewayConfig()), GatewayConfig))
    reply = await endpoints.answer(get("/readyz"), HERE)
    assert (reply.status, json.loads(reply.body)) == (503, {"status": "not ready", "reason": "draining"})
    assert (await endpoints.answer(get("/healthz"), HERE)).status == 200


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/healthz/", "/HEALTHZ", "//healthz", "*", "http://x/healthz"]
)
async def test_there_is_nothing_else(path: str) -> None:
    """404, with a hint for who wanted a WebSocket."""
    reply = await refused_with(OPEN, get(path), HERE)
    assert reply.status == 404
    assert b"ws://" in reply.body


def with_pages(folder: Path, *, has_console: bool = True) -> Endpoints:
    """One that asks for tokens, and has a page."""
    (folder / "index.html").write_text("hello")
    return Endpoints(Site(has_console=has_console), Gatekeeper(scoped, GatewayConfig), Pages(folder))


@pytest.mark.parametrize("visitor", [HERE, ELSEWHERE])
async def test_everybody_may_have_the_pages(tmp_path: Path, visitor: Visitor) -> None:
    """They hold nothing; whatever stands behind the path is not looked at."""
    endpoints = with_pages(tmp_path)
    for path in ("/", "/?token=secret"):
        reply = await endpoints.answer(get(path), visitor)
        assert (reply.status, reply.body) == (200, b"hello")
    assert (await refused_with(endpoints, get("/", "POST"), visitor)).status == 405
    reply = await refused_with(endpoints, get("/console/nothing.js"), visitor)
    assert (reply.status, b"there is nothing here" in reply.body) == (404, True)
    assert (await endpoints.answer(get("/healthz"), visitor)).status == 200


async def test_without_a_console_there_is_no_page(tmp_path: Path) -> None:
    """404, with the same hint as ever."""
    reply = await refused_with(with_pages(tmp_path, has_console=False), get("/"), HERE)
    assert reply.status == 404
    assert b"there is nothing here; a WebSocket is opened with ws://" in reply.body


async def test_a_package_without_pages_says_so(tmp_path: Path) -> None:
    """404, and why: whoever looks for the console shall not look for a mistake of their own."""
    endpoints = Endpoints(
        Site(has_console=True), Gatekeeper(scoped, GatewayConfig), Pages(tmp_path / "nothing")
    )
    reply = await refused_with(endpoints, get("/"), HERE)
    assert reply.status == 404
    assert b"without the files of its web console" in reply.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
async def test_nothing_can_be_done_but_read(method: str) -> None:
    """405, and what is allowed."""
    reply = await refused_with(OPEN, get("/healthz", method), HERE)
    assert reply.status == 405
    assert list(reply.headers) == [("Allow", "GET, HEAD")]


@pytest.mark.parametrize("endpoints", [OPEN, ASKING])
async def test_metrics_are_open_to_this_machine(endpoints: Endpoints) -> None:
    """A collector beside the gateway needs no token."""
    reply = await endpoints.answer(get("/metrics"), HERE)
    assert (reply.status, reply.content_type, reply.body) == (200, METRICS_TYPE, b"bamboo_up 1\n")


@pytest.mark.parametrize(
    "headers",
    [{"host": "rebound.example"}, {"x_forwarded_for": "192.0.2.1"}, {"forwarded": "for=1"}, {"host": ""}],
)
async def test_what_only_seems_to_come_from_this_machine(headers: dict[str, str]) -> None:
    """A page that has bound its name to this address, or who comes by a proxy, has to show a token."""
    request = get("/metrics", **headers)
    assert (await refused_with(OPEN, request, HERE)).status == 403
    assert (await refused_with(ASKING, request, HERE)).status == 401
    with_token = get("/metrics", authorization="Bearer metrics", **headers)
    assert (await ASKING.answer(with_token, HERE)).status == 200


async def test_metrics_need_their_scope_from_elsewhere() -> None:
    """401 without a token, 403 with one that is for something else."""
    reply = await refused_with(ASKING, get("/metrics"), ELSEWHERE)
    assert (reply.status, list(reply.headers)) == (401, [("WWW-Authenticate", "Bearer")])
    for scope in Scope:
        request = get("/metrics", authorization=f"Bearer {scope}")
        if scope in (Scope.METRICS, Scope.ADMIN):
            assert (await ASKING.answer(request, ELSEWHERE)).status == 200
        else:
            assert (await refused_with(ASKING, request, ELSEWHERE)).status == 403
    assert (await OPEN.answer(get("/metrics"), ELSEWHERE)).status == 200, "nothing is asked of anybody"


def test_who_has_guessed_too_often_is_told_when_to_come_back() -> None:
    """429 and `Retry-After`."""
    reply = refused(GatewayError(ErrorCode.RATE_LIMITED, "too many", retry_after=12.5)).reply
    assert (reply.status, list(reply.headers)) == (429, [("Retry-After", "13")])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:80", True),
        ("[::1]", True),
        ("[::1]:80", True),
        ("localhost", True),
        ("localhost:80", True),
        ("localhost.evil.example", False),
        ("evil.example:80", False),
        ("", False),
        ("[", False),
        (":80", False),
    ],
)
def test_which_hosts_are_addresses(host: str, *, expected: bool) -> None:
    """A name may have been bound to any address by whoever owns it."""
    assert is_address(host) is expected
