"""The states that one comes to seldom, in which nobody is shut out either: refused, away, offline, ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import violations
from tests.browser.conftest import Visits
from tests.browser.console import Console
from tests.browser.gateway_process import GatewayProcess, create_token
from tests.browser.network import Network
from tests.browser.pictures import take_picture
from tests.browser.test_looks import overflow
from tests.browser.visit import LOST_CONNECTION

pytestmark = [pytest.mark.integration, pytest.mark.browser, pytest.mark.usefixtures("axe")]

LOOKS = {"wide": (1280, 800, False), "phone": (360, 740, False), "wide-dark": (1280, 800, True)}


class Sight:
    """Looks at one page in each state that it comes to."""

    def __init__(self, console: Console, look: str) -> None:
        self.console = console
        self.found: list[str] = []
        self._look = look

    def look(self, state: str) -> None:
        """Write down what is wrong with the page as it is now."""
        take_picture(self.console.page, f"{state}-{self._look}")
        faults = violations(self.console.page) + overflow(self.console.page)
        self.found += [f"{state}: {fault}" for fault in faults]


@pytest.fixture(params=LOOKS)
def come(request: pytest.FixtureRequest, visit: Visits) -> Callable[..., Sight]:
    """Come to an address, by a window of each kind."""
    width, height, dark = LOOKS[request.param]

    def open_page(home: str, route: str = "", *expected: re.Pattern[str]) -> Sight:
        coming = visit(home, width=width, height=height, dark=dark, still=True)
        coming.allow(LOST_CONNECTION, *expected)
        return Sight(Console(coming.open(route)), str(request.param))

    return open_page


def test_who_is_asked_for_a_token(
    own_gateway: Callable[..., GatewayProcess], come: Callable[..., Sight], tmp_path: Path
) -> None:
    """The form, its reproach, and the views that a token of few scopes does not open."""
    tokens = tmp_path / "tokens.json"
    token = create_token(tokens, "rolf", "channels")
    gateway = own_gateway("--tokens", str(tokens))
    sight = come(gateway.page, "#/sessions")
    console = sight.console
    expect(console.token).to_be_focused()
    sight.look("sign-in")
    console.sign_in("wrong")
    expect(console.alert).to_contain_text("not accepted")
    sight.look("sign-in-refused")
    console.sign_in(token)
    for view in ("Sessions", "Overview", "Events"):
        console.go(view)
        expect(console.page.get_by_text("Your token lacks the scope").first).to_be_visible()
        sight.look(f"withheld-{view.lower()}")
    console.page.goto(f"{gateway.page}#/chat/no-such-session")
    expect(console.heading("Chat")).to_be_attached()
    expect(console.page.get_by_text("Not allowed")).to_be_visible()
    sight.look("withheld-chat")
    assert sight.found == []


def test_a_gateway_that_goes(
    own_gateway: Callable[..., GatewayProcess], come: Callable[..., Sight], tmp_path: Path
) -> None:
    """It is about to stop, is gone, and is not there for who comes only now."""
    gateway = own_gateway("--storage", f"sqlite:{tmp_path / 'kept.sqlite3'}")
    sight = come(gateway.page, f"#/chat/{gateway.new_session('stopping')}", re.compile("503"))
    console = sight.console
    console.say("words 5; hold stopping; words 5")
    expect(console.answers.last).to_contain_text("w5")
    gateway.ask_to_stop()
    expect(console.page.get_by_text("It waits a while for this answer to end")).to_be_visible()
    sight.look("stopping")
    late = come(gateway.page, "#/sessions", re.compile("503"))
    expect(late.console.heading("The gateway lets nobody in just now")).to_be_visible()
    late.look("away-unready")
    gateway.open_gate("stopping")
    assert gateway.wait() == 0
    expect(console.offline).to_be_visible()
    sight.look("offline")
    late.console.button("Try again").click()
    expect(late.console.heading("The gateway does not answer")).to_be_visible()
    late.look("away")
    gateway.start()
    expect(console.offline).to_have_count(0)
    assert sight.found + late.found == []


def test_a_line_that_is_cut(gateway: GatewayProcess, line: Network, come: Callable[..., Sight]) -> None:
    """What is said meanwhile waits; then all is resumed."""
    sight = come(line.page, f"#/chat/{gateway.new_session('cut, and seen')}")
    console = sight.console
    console.say("words 5; hold seen; words 5")
    expect(console.answers.last).to_contain_text("w5")
    line.cut()
    expect(console.offline).to_be_visible()
    console.say("words 2")
    expect(console.questions.last).to_contain_text("Waits for the connection")
    sight.look("offline-waiting")
    line.mend()
    expect(console.resumed).to_be_visible()
    sight.look("resumed")
    gateway.open_gate("seen")
    expect(console.answers).to_have_count(2)
    assert sight.found == []


def test_a_session_that_comes_to_its_end(
    own_gateway: Callable[..., GatewayProcess], come: Callable[..., Sight]
) -> None:
    """It has ended for who is there, and is not to be found by who comes; a message was refused."""
    gateway = own_gateway("--max-queued-chats", "1")
    session = gateway.new_session("ended, and seen")
    sight = come(gateway.page, f"#/chat/{session}")
    console = sight.console
    console.say("fail The model is out of office")
    expect(console.page.get_by_text("out of office").last).to_be_visible()
    sight.look("answer-failed")
    for _ in range(3):
        console.say("hold ended")
    expect(console.button("Discard").first).to_be_visible()
    sight.look("message-refused")
    gateway.command("session.delete", {"session_id": session})
    expect(console.alert.filter(has_text="The session has ended")).to_be_visible()
    sight.look("ended")
    console.page.reload()
    expect(console.page.get_by_text("No such session")).to_be_visible()
    sight.look("failed")
    assert sight.found == []


def test_what_asks_first(gateway: GatewayProcess, come: Callable[..., Sight]) -> None:
    """The dialogs that change a session, and what one of them says when it cannot."""
    session = gateway.new_session("asked about")
    gateway.command("session.share", {"session_id": session, "user_id": "bob", "access": "read"})
    sight = come(gateway.page, f"#/chat/{session}")
    console = sight.console
    expect(console.composer).to_be_editable()
    for name in ("Share", "Rename", "Delete"):
        console.button(f"{name} session").click()
        expect(console.dialog).to_be_visible()
        sight.look(f"dialog-{name.lower()}")
        console.page.keyboard.press("Escape")
        expect(console.dialog).to_have_count(0)
    console.button("Share session").click()
    gateway.command("session.delete", {"session_id": session})
    console.dialog.get_by_label("User id").fill("bob")
    console.dialog.get_by_role("button", name="Share", exact=True).click()
    expect(console.dialog.get_by_role("alert")).to_be_visible()
    sight.look("dialog-failed")
    assert sight.found == []
