"""The network goes and comes back in mid-answer: no word is lost or doubled, and the page says so."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import Visits
from tests.browser.console import Console, words
from tests.browser.gateway_process import GatewayProcess
from tests.browser.network import Network, network
from tests.browser.pictures import take_picture
from tests.browser.visit import LOST_CONNECTION

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_a_cut_line_in_mid_answer(gateway: GatewayProcess, line: Network, visit: Visits) -> None:
    """What is said meanwhile comes when the line is back, once; the page says that it has resumed."""
    coming = visit(line.page)
    coming.allow(LOST_CONNECTION)
    console = Console(coming.open(f"#/chat/{gateway.new_session('cut')}"))
    console.say("words 15; hold cut-1; words 15; hold cut-2; words 15")
    expect(console.answers.last).to_contain_text("w15")
    line.cut()
    expect(console.offline).to_be_visible()
    take_picture(console.page, "chat-offline")
    gateway.open_gate("cut-1")  # it goes on although nobody listens
    line.mend()
    expect(console.answers.last).to_contain_text("w30")
    expect(console.resumed).to_be_visible()
    take_picture(console.page, "chat-resumed")
    gateway.open_gate("cut-2")
    expect(console.abort).to_be_hidden()
    assert words(console.answers.last) == [*range(1, 46)]
    expect(console.answers).to_have_count(1)
    expect(console.questions).to_have_count(1)


def test_a_line_that_is_cut_again_and_again(gateway: GatewayProcess, line: Network, visit: Visits) -> None:
    """Each time the same, while the agent speaks on."""
    coming = visit(line.page)
    coming.allow(LOST_CONNECTION)
    console = Console(coming.open(f"#/chat/{gateway.new_session('again')}"))
    console.say("; ".join(f"hold again-{number}; words 10" for number in range(4)))
    for number in range(4):
        accepted = line.accepted
        line.cut()
        gateway.open_gate(f"again-{number}")
        line.mend()
        expect(console.answers.last).to_contain_text(f"w{10 * number + 10}")
        assert line.accepted > accepted
    expect(console.abort).to_be_hidden()
    assert words(console.answers.last) == [*range(1, 41)]


def test_a_browser_that_is_offline(gateway: GatewayProcess, visit: Visits) -> None:
    """The page says so, and comes back by itself when the browser does."""
    coming = visit(gateway.page)
    coming.allow(LOST_CONNECTION)
    console = Console(coming.open(f"#/chat/{gateway.new_session('offline')}"))
    expect(console.composer).to_be_editable()
    coming.context.set_offline(True)
    expect(console.offline).to_be_visible()
    coming.context.set_offline(False)
    expect(console.offline).to_have_count(0)
    console.say("words 3")
    expect(console.answers.last).to_contain_text("w3")


def test_a_message_sent_while_the_line_is_cut(gateway: GatewayProcess, line: Network, visit: Visits) -> None:
    """It is shown as not yet sent, goes out when the line is back, and arrives once."""
    coming = visit(line.page)
    coming.allow(LOST_CONNECTION)
    session = gateway.new_session("sent while away")
    console = Console(coming.open(f"#/chat/{session}"))
    expect(console.composer).to_be_editable()
    line.cut()
    expect(console.offline).to_be_visible()
    console.say("words 4")
    expect(console.questions.last).to_contain_text("Waits for the connection")
    line.mend()
    expect(console.answers.last).to_contain_text("w4")
    expect(console.questions).to_have_count(1)
    expect(console.questions.last).not_to_contain_text("Waits")
    messages = gateway.command("session.history", {"session_id": session})["messages"]
    assert [each["role"] for each in messages] == ["user", "assistant"]


def test_a_reload_in_mid_answer(gateway: GatewayProcess, visit: Visits) -> None:
    """The page goes on where the answer is, and shows all of it once."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('reload')}"))
    console.say("words 10; tool in.between {}; words 10; hold reload; words 20")
    expect(console.answers.last).to_contain_text("w20")
    console.page.reload()
    expect(console.answers.last).to_contain_text("w20")
    expect(console.abort).to_be_visible()
    gateway.open_gate("reload")
    expect(console.abort).to_be_hidden()
    assert words(console.answers.last) == [*range(1, 41)]
    expect(console.answers).to_have_count(1)
    expect(console.tool("in.between")).to_have_count(1)


def test_a_reload_while_words_come(gateway: GatewayProcess, visit: Visits) -> None:
    """The same when no moment is quiet: history and stream fit together without a seam."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('seam')}"))
    console.say("words 400")
    for word in ("w20", "w90", "w160"):
        expect(console.answers.last).to_contain_text(word)
        console.page.reload()
    expect(console.answers.last).to_contain_text("w400")
    expect(console.abort).to_be_hidden()
    assert words(console.answers.last) == [*range(1, 401)]


def test_more_missed_than_the_log_keeps(own_gateway: Callable[..., GatewayProcess], visit: Visits) -> None:
    """The page says that events are gone, has all of the text from the history, and hears what comes next."""
    gateway = own_gateway("--log-max-events", "60")
    session = gateway.new_session("gap")
    with network(gateway.url) as line:
        coming = visit(line.page)
        coming.allow(LOST_CONNECTION)
        console = Console(coming.open(f"#/chat/{session}"))
        console.say("words 10; hold gap; words 200; tool all.said {}; hold after; words 10")
        expect(console.answers.last).to_contain_text("w10")
        line.cut()
        expect(console.offline).to_be_visible()
        with gateway.client(session_id=session) as other:
            gateway.open_gate("gap")
            other.next("agent_tool_complete")
        line.mend()
        expect(console.gap).to_contain_text(re.compile(r"^\s*1\d\d events had left"))
        take_picture(console.page, "chat-gap")
        expect(console.resumed).to_have_count(0)
        assert words(console.answers.last) == [*range(1, 211)]
        gateway.open_gate("after")
        expect(console.answers.last).to_contain_text("w220")
        expect(console.abort).to_be_hidden()
        assert words(console.answers.last) == [*range(1, 221)]
        expect(console.answers).to_have_count(1)
        expect(console.questions).to_have_count(1)
        expect(console.tool("all.said")).to_have_count(1)
        console.say("words 3")
        expect(console.answers).to_have_count(2)
        expect(console.answers.last).to_contain_text("w3")
        expect(console.gap).to_have_count(1)


def test_a_history_that_is_refused_after_a_gap(
    own_gateway: Callable[..., GatewayProcess], visit: Visits
) -> None:
    """The page says so rather than show a conversation with a hole; the next try has all of it."""
    gateway = own_gateway("--log-max-events", "60")
    session = gateway.new_session("refused")
    with network(gateway.url) as line:
        coming = visit(line.page)
        coming.allow(LOST_CONNECTION)
        refusal: list[str] = []
        coming.context.route_web_socket(re.compile(""), lambda socket: _refuse_history(socket, refusal))
        console = Console(coming.open(f"#/chat/{session}"))
        console.say("words 10; hold refused; words 200; tool all.said {}; hold after; words 10")
        expect(console.answers.last).to_contain_text("w10")
        line.cut()
        expect(console.offline).to_be_visible()
        with gateway.client(session_id=session) as other:
            gateway.open_gate("refused")
            other.next("agent_tool_complete")
        refusal.append("too many commands at once")
        line.mend()
        expect(console.page.get_by_text(refusal[0])).to_be_visible()
        expect(console.composer).to_have_count(0)
        refusal.clear()
        console.button("Try again").click()
        expect(console.answers.last).to_contain_text("w210")
        gateway.open_gate("after")
        expect(console.abort).to_be_hidden()
        assert words(console.answers.last) == [*range(1, 221)]


def test_a_gateway_that_is_killed_in_mid_answer(
    own_gateway: Callable[..., GatewayProcess], visit: Visits, tmp_path: Path
) -> None:
    """The next one at the same address goes on with the answer, and so does the page."""
    gateway = own_gateway("--storage", f"sqlite:{tmp_path / 'kept.sqlite3'}")
    coming = visit(gateway.page)
    coming.allow(LOST_CONNECTION)
    console = Console(coming.open(f"#/chat/{gateway.new_session('killed')}"))
    console.say("words 20; hold killed; words 20")
    expect(console.answers.last).to_contain_text("w20")
    gateway.kill()
    expect(console.offline).to_be_visible()
    gateway.start()
    expect(console.resumed).to_be_visible()
    gateway.open_gate("killed")
    expect(console.answers.last).to_contain_text("w40")
    expect(console.abort).to_be_hidden()
    assert words(console.answers.last) == [*range(1, 41)]
    expect(console.questions).to_have_count(1)


def test_a_gateway_that_may_have_lost_the_end(
    own_gateway: Callable[..., GatewayProcess], visit: Visits, tmp_path: Path
) -> None:
    """What it says from then on is counted anew: the page says so, and passes over none of it."""
    kept = tmp_path / "kept.sqlite3"
    gateway = own_gateway("--storage", f"sqlite:{kept}")
    coming = visit(gateway.page)
    coming.allow(LOST_CONNECTION)
    console = Console(coming.open(f"#/chat/{gateway.new_session('counted anew')}"))
    console.say("words 20; hold anew; words 20")
    expect(console.answers.last).to_contain_text("w20")
    gateway.kill()
    expect(console.offline).to_be_visible()
    with closing(sqlite3.connect(kept)) as store, store:
        store.execute("UPDATE store SET is_at_risk = 1")  # as after a power failure, or for a copy put back
    gateway.start()
    expect(console.page.get_by_text("The gateway's log begins anew here")).to_be_visible()
    expect(console.resumed).to_have_count(0)
    gateway.open_gate("anew")
    expect(console.answers.last).to_contain_text("w40")
    expect(console.abort).to_be_hidden()
    assert words(console.answers.last) == [*range(1, 41)]
    expect(console.answers).to_have_count(1)
    expect(console.questions).to_have_count(1)


def test_a_gateway_that_has_lost_everything(
    own_gateway: Callable[..., GatewayProcess], visit: Visits
) -> None:
    """A gateway that kept sessions in memory knows none after a restart: the page says so."""
    gateway = own_gateway("--storage", "memory:")
    coming = visit(gateway.page)
    coming.allow(LOST_CONNECTION)
    console = Console(coming.open(f"#/chat/{gateway.new_session('lost')}"))
    console.say("words 3")
    expect(console.answers.last).to_contain_text("w3")
    gateway.kill()
    gateway.start()
    expect(console.alert).to_contain_text("The session has ended")
    expect(console.alert).to_contain_text("no longer has it")


def test_a_gateway_that_is_restarted_in_peace(
    own_gateway: Callable[..., GatewayProcess], visit: Visits, tmp_path: Path
) -> None:
    """A turn comes to its end before the gateway stops, and the page is there again when the next one is."""
    gateway = own_gateway("--storage", f"sqlite:{tmp_path / 'kept.sqlite3'}")
    coming = visit(gateway.page)
    coming.allow(LOST_CONNECTION)
    console = Console(coming.open(f"#/chat/{gateway.new_session('stopping')}"))
    console.say("words 5; hold stopping; words 5")
    expect(console.answers.last).to_contain_text("w5")
    gateway.ask_to_stop()
    gateway.open_gate("stopping")
    expect(console.answers.last).to_contain_text("w10")
    expect(console.offline).to_be_visible()
    assert gateway.wait() == 0
    gateway.start()
    expect(console.offline).to_have_count(0)
    console.say("words 2")
    expect(console.answers).to_have_count(2)
    expect(console.answers.last).to_contain_text("w2")


def test_a_gateway_that_is_about_to_stop(
    own_gateway: Callable[..., GatewayProcess], visit: Visits, tmp_path: Path
) -> None:
    """Who is there is told, and whose page comes only now is told why it is not let in."""
    gateway = own_gateway("--storage", f"sqlite:{tmp_path / 'kept.sqlite3'}")
    coming = visit(gateway.page)
    coming.allow(LOST_CONNECTION)
    console = Console(coming.open(f"#/chat/{gateway.new_session('drained')}"))
    console.say("words 5; hold drained; words 5")
    expect(console.answers.last).to_contain_text("w5")
    gateway.ask_to_stop()
    expect(console.page.get_by_text("It waits a while for this answer to end")).to_be_visible()
    late = visit(gateway.page)
    late.allow(LOST_CONNECTION, re.compile(r"503 \(Service Unavailable\)"))
    page = late.open("#/sessions")
    expect(page.get_by_role("heading", name="The gateway lets nobody in just now")).to_be_visible()
    take_picture(page, "away-unready")
    gateway.open_gate("drained")
    expect(console.answers.last).to_contain_text("w10")
    assert gateway.wait() == 0


def test_a_tab_that_is_put_away(gateway: GatewayProcess, line: Network, visit: Visits) -> None:
    """A phone takes the line from a hidden page, which has all that was said when it is looked at again."""
    coming = visit(line.page, width=360, height=740)
    coming.allow(LOST_CONNECTION)
    session = gateway.new_session("background")
    console = Console(coming.open(f"#/chat/{session}"))
    console.say("words 10; hold background; words 30")
    expect(console.answers.last).to_contain_text("w10")
    with gateway.client(session_id=session) as other:
        _put_away(console.page, "hidden")
        line.cut()
        gateway.open_gate("background")
        other.next("agent_complete")
    line.mend()
    _put_away(console.page, "visible")
    expect(console.abort).to_be_hidden()
    assert words(console.answers.last) == [*range(1, 41)]


def _refuse_history(socket: WebSocketRoute, refusal: list[str]) -> None:
    """Stand between a page and its gateway: while there is a *refusal*, the history is refused with it."""
    gateway = socket.connect_to_server()

    def pass_on(text: str | bytes) -> None:
        message = json.loads(text)
        if refusal and message.get("name") == "session.history":
            error = {"type": "error", "code": "RATE_LIMITED", "message": refusal[0], "retryable": True}
            socket.send(json.dumps({**error, "id": message["id"]}))
        else:
            gateway.send(text)

    socket.on_message(pass_on)


def _put_away(page: Page, state: str) -> None:
    """Have the page think that it is `hidden`, or `visible` again: Playwright's pages are always in sight."""
    page.evaluate(
        """
        (state) => {
            Object.defineProperty(document, "visibilityState", {configurable: true, get: () => state});
            Object.defineProperty(document, "hidden", {configurable: true, get: () => state === "hidden"});
            document.dispatchEvent(new Event("visibilitychange"));
        }
        """,
        state,
    )
