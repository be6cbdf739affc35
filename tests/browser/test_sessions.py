"""A person looks after sessions: the list is live, and all is done by mouse, or by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import WebSocket, expect

from tests.browser.conftest import Visits
from tests.browser.console import Console
from tests.browser.gateway_process import GatewayProcess
from tests.browser.pictures import take_picture

pytestmark = [pytest.mark.integration, pytest.mark.browser]


@pytest.fixture
def console(gateway: GatewayProcess, visit: Visits) -> Console:
    """The list of sessions."""
    console = Console(visit(gateway.page).open("#/sessions"))
    expect(console.heading("Sessions")).to_be_visible()
    return console


def test_an_empty_list_says_what_to_do(own_gateway: Callable[..., GatewayProcess], visit: Visits) -> None:
    """A visit makes no session of its own, and who has none is shown how to begin."""
    console = Console(visit(own_gateway().page).open())
    expect(console.heading("Sessions")).to_be_visible()
    expect(console.page.get_by_text("No sessions yet")).to_be_visible()
    take_picture(console.page, "sessions-empty")


def test_the_list_is_live(gateway: GatewayProcess, console: Console) -> None:
    """What other clients make, run, watch, rename and delete is seen without a touch."""
    session = gateway.new_session("lively one")
    row = console.session("lively one")
    expect(row).to_contain_text("Idle")
    with gateway.client(session_id=session) as other:
        other.say("chat", session_id=session, content="words 3; hold lively; words 3")
        expect(row).to_contain_text("Running")
        expect(row.get_by_title("1 watcher")).to_be_visible()
        gateway.open_gate("lively")
        expect(row).to_contain_text("Idle")
    gateway.command("session.rename", {"session_id": session, "name": "lively two"})
    expect(console.session("lively two")).to_be_visible()
    expect(console.session("lively one")).to_have_count(0)
    gateway.command("session.delete", {"session_id": session})
    expect(console.session("lively two")).to_have_count(0)


def test_one_is_found_by_a_part_of_its_name(gateway: GatewayProcess, console: Console) -> None:
    """Search takes any part, in any case, to the letter; who finds nothing is told so."""
    for name in ("Shipping 100%", "Shipping 1000", "Returns"):
        gateway.new_session(name)
    expect(console.session("Returns")).to_be_visible()
    console.search.fill("shipPING 100%")
    expect(console.session("Shipping 100%")).to_be_visible()
    expect(console.session("Shipping 1000")).to_have_count(0)
    expect(console.session("Returns")).to_have_count(0)
    console.search.fill("nobody is called this")
    expect(console.page.get_by_text("Nothing is found")).to_be_visible()
    take_picture(console.page, "sessions-none-found")
    console.search.fill("")
    expect(console.session("Returns")).to_be_visible()


def test_a_search_is_asked_once(gateway: GatewayProcess, visit: Visits) -> None:
    """It may look through all that the gateway keeps, so it is not repeated as often as the list is read."""
    gateway.new_session("looked for")
    asked: list[str] = []
    coming = visit(gateway.page)
    coming.context.on("page", lambda page: page.on("websocket", lambda socket: _listen(socket, asked)))
    console = Console(coming.open("#/sessions"))
    expect(console.session("looked for")).to_be_visible()
    console.search.fill("looked for")
    expect(console.page.get_by_text("1 session", exact=True)).to_be_visible()
    console.page.wait_for_timeout(5000)
    assert len(asked) == 1, asked
    gateway.new_session("not looked for")
    console.search.fill("")
    expect(console.session("not looked for")).to_be_visible()


def _listen(socket: WebSocket, asked: list[str]) -> None:
    """Write down what is sent with a search."""
    socket.on("framesent", lambda frame: asked.append(str(frame)) if '"search"' in str(frame) else None)


def test_one_is_made_and_talked_to(console: Console) -> None:
    """A new session opens at once, under its name, ready to be written in."""
    console.button("New session").click()
    console.dialog.get_by_label("Name").fill("A new matter")
    take_picture(console.page, "sessions-new")
    console.dialog.get_by_role("button", name="Create").click()
    expect(console.heading("A new matter")).to_be_visible()
    console.say("words 3")
    expect(console.answers.last).to_contain_text("w3")
    console.go("Sessions")
    expect(console.session("A new matter")).to_be_visible()


def test_one_is_renamed(gateway: GatewayProcess, console: Console) -> None:
    """From the list, with the old name to begin with."""
    session = gateway.new_session("misspelt nmae")
    console.button("Rename misspelt nmae").click()
    field = console.dialog.get_by_label("Name")
    expect(field).to_have_value("misspelt nmae")
    field.fill("well spelt name")
    console.dialog.get_by_role("button", name="Rename").click()
    expect(console.session("well spelt name")).to_be_visible()
    assert gateway.command("session.get", {"session_id": session})["name"] == "well spelt name"


def test_one_is_deleted_only_if_one_means_it(gateway: GatewayProcess, console: Console) -> None:
    """It asks first, by the name; no is no."""
    gateway.new_session("doomed")
    row = console.session("doomed")
    console.button("Delete doomed").click()
    expect(console.dialog).to_contain_text("doomed")
    take_picture(console.page, "sessions-delete")
    console.dialog.get_by_role("button", name="Cancel").click()
    expect(console.dialog).to_have_count(0)
    expect(row).to_be_visible()
    console.button("Delete doomed").click()
    console.dialog.get_by_role("button", name="Delete session").click()
    expect(row).to_have_count(0)


def test_many_come_page_by_page(own_gateway: Callable[..., GatewayProcess], visit: Visits) -> None:
    """More sessions than fit on a page are all reached, the newest first."""
    gateway = own_gateway()
    with gateway.client() as other:
        for number in range(130):
            other.say("command", name="session.create", args={"name": f"number {number}."}, id=str(number))
            other.next("command_result")
    console = Console(visit(gateway.page).open())
    expect(console.session("number 129.")).to_be_visible()
    for shown in (50, 100):
        expect(console.page.get_by_role("row")).to_have_count(1 + shown)
        console.button("Show older sessions").click()
    expect(console.session("number 0.")).to_be_attached()
    expect(console.page.get_by_role("row")).to_have_count(1 + 130)
    expect(console.button("Show older sessions")).to_have_count(0)


def test_one_is_made_by_keyboard_alone(gateway: GatewayProcess, console: Console) -> None:
    """A session is begun and written in without a mouse, and a letter is a letter where one types."""
    page = console.page
    gateway.new_session("already there")
    expect(console.session("already there").first).to_be_visible()
    page.keyboard.press("n")
    expect(console.dialog.get_by_label("Name")).to_be_focused()
    page.keyboard.type("n by hand")
    page.keyboard.press("Enter")
    expect(console.heading("n by hand")).to_be_visible()
    expect(console.composer).to_be_focused()
    page.keyboard.type("words 3")
    page.keyboard.press("Enter")
    expect(console.answers.last).to_contain_text("w3")
    console.tab_to(console.button("Rename session"))
    page.keyboard.press("c")
    expect(console.composer).to_be_focused()
    expect(console.composer).to_have_value("")


def test_one_is_found_and_deleted_by_keyboard_alone(gateway: GatewayProcess, visit: Visits) -> None:
    """From another view to the list, to its row, to the button and through the question, and no way back."""
    gateway.new_session("found by hand")
    console = Console(visit(gateway.page).open("#/channels"))
    page = console.page
    expect(console.heading("Channels")).to_be_visible()
    console.tab_to(console.button("New channel").first)
    page.keyboard.press("g")
    page.keyboard.press("s")
    row = console.session("found by hand")
    expect(row).to_be_visible()
    page.keyboard.press("/")
    expect(console.search).to_be_focused()
    page.keyboard.type("by hand")
    console.tab_to(console.button("Delete found by hand"))
    page.keyboard.press("Enter")
    expect(console.dialog).to_contain_text("found by hand")
    console.tab_to(console.dialog.get_by_role("button", name="Delete session"))
    page.keyboard.press("Enter")
    expect(row).to_have_count(0)
