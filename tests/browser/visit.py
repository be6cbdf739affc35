"""A person before a page: what they see goes by Playwright, and what must never happen is written down."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError, WebSocket

LOST_CONNECTION = re.compile(
    r"WebSocket connection to|net::ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED|EMPTY)"
)
"""What Chromium itself writes when the network is gone; no page can keep it from doing so."""


class Visit:
    """
    All tabs of one browser profile, which has been to one gateway only.

    Invariant: whatever a page complains of, loses, or asks of a stranger is in `faults`.
    """

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.context = context
        self.home = home
        self.faults: list[str] = []
        self.requested: list[str] = []
        """The address of each request, and of each socket."""
        self._allowed: list[re.Pattern[str]] = []
        self._host = urlsplit(home).netloc
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failed)
        context.on("page", lambda page: page.on("websocket", self._on_socket))

    def allow(self, *patterns: re.Pattern[str]) -> None:
        """Expect faults of these kinds, from here on: the test makes them."""
        self._allowed += patterns

    def open(self, route: str = "") -> Page:
        """Open a tab of its own; *route* is what follows the address."""
        page = self.context.new_page()
        page.goto(self.home + route)
        return page

    def unexpected(self) -> Iterable[str]:
        """Faults that nobody expected."""
        return [fault for fault in self.faults if not any(each.search(fault) for each in self._allowed)]

    def _on_console(self, message: ConsoleMessage) -> None:
        # A violation of the content security policy is an error of the console, too.
        if message.type in {"error", "warning"}:
            self.faults.append(f"console: {message.text} ({message.location.get('url')})")

    def _on_error(self, error: WebError) -> None:
        self.faults.append(f"uncaught: {error.error}")

    def _on_request(self, request: Request) -> None:
        self._check(request.url)

    def _on_failed(self, request: Request) -> None:
        # ERR_ABORTED: the page was left while it still loaded.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.url}: {request.failure}")

    def _on_socket(self, socket: WebSocket) -> None:
        self._check(socket.url)

    def _check(self, url: str) -> None:
        self.requested.append(url)
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != self._host:
            self.faults.append(f"stranger: {url}")
