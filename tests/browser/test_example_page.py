"""`examples/browser.html`, from an origin of its own, does what its first lines say."""

from __future__ import annotations

import http.server
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright")

from playwright.sync_api import Browser, Page, expect

from tests.cli.process import Serving, serving, start
from tests.integration.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.browser]

EXAMPLE = Path(__file__).parents[2] / "examples" / "browser.html"

THERE = "127.0.0.1:18790"
"""Where the example has its gateway."""


@contextmanager
def serving_page(gateway: str) -> Iterator[str]:
    """Serve the example, as it would be for the gateway at this address; where it is."""
    text = EXAMPLE.read_text().replace(THERE, gateway).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/browser.html" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(text if self.path == "/browser.html" else b"")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def address() -> str:
    """Where a gateway can be, and be again."""
    return f"127.0.0.1:{free_port(random.Random())}"


@pytest.fixture
def origin(address: str) -> Iterator[str]:
    """Of the page."""
    with serving_page(address) as there:
        yield there


@pytest.fixture
def page(chromium: Browser, origin: str) -> Iterator[Page]:
    """A tab, which is to go to the page."""
    context = chromium.new_context(base_url=origin)
    yield context.new_page()
    context.close()


def say(page: Page, text: str) -> None:
    """Type it, and send it."""
    page.get_by_label("Your message").fill(text)
    page.get_by_role("button", name="Send").click()


def test_it_chats_and_goes_on_after_a_reload_and_a_restart(
    page: Page, address: str, origin: str, tmp_path: Path
) -> None:
    """In mid-answer: no word is lost or doubled, and what was said before is there."""
    options = ["--bind", address, "--allowed-origin", origin, "--agent", "echo"]
    options += ["--storage", f"sqlite:{tmp_path / 'kept.sqlite3'}", "--log-level", "error"]
    words = " ".join(str(number) for number in range(60))
    lines = page.locator("#talk p")
    gateway = Serving(start("serve", *options))
    page.goto("/browser.html")
    expect(page.get_by_role("status")).to_have_text("connected")
    say(page, words)
    expect(lines.nth(1)).to_contain_text("5 6")
    page.reload()
    expect(lines.nth(1)).to_have_text(words)
    expect(lines).to_have_text([words, words])

    gateway.process.kill()
    gateway.process.communicate()
    expect(page.get_by_role("status")).to_contain_text("the connection is lost")
    gateway = Serving(start("serve", *options))
    expect(page.get_by_role("status")).to_have_text("connected again, and up to date")
    say(page, "still there?")
    expect(lines).to_have_text([words, words, "still there?", "still there?"])
    assert gateway.stop()[0] == 0


def test_it_asks_for_the_token_that_the_gateway_asks_for(page: Page, address: str, origin: str) -> None:
    """Once, for it is kept; a wrong one is asked for again."""
    tokens = iter(["wrong", "sesame"])
    page.on("dialog", lambda dialog: dialog.accept(next(tokens)))
    with serving(
        "--bind", address, "--allowed-origin", origin, "--auth-token", "sesame", "--log-level", "error"
    ):
        page.goto("/browser.html")
        expect(page.get_by_role("status")).to_have_text("connected")
        page.reload()
        expect(page.get_by_role("status")).to_have_text("connected")
        assert next(tokens, None) is None


def test_a_page_that_is_not_listed_is_told_what_to_do(page: Page, address: str, origin: str) -> None:
    """A browser hides why; the client finds it out, as far as it can be."""
    with serving("--bind", address, "--log-level", "error"):
        page.goto("/browser.html")
        expect(page.get_by_role("status")).to_contain_text(
            f"allowed_origins does not list this page's origin, {origin}"
        )
