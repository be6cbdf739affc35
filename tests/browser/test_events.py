"""A developer reads the raw frames: what comes and goes, in order, with its numbers, and never a token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visits
from tests.browser.console import Console
from tests.browser.gateway_process import GatewayProcess, create_token
from tests.browser.pictures import take_picture

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_frames_are_shown_with_their_seq(gateway: GatewayProcess, visit: Visits) -> None:
    """Each event of a log with its number, and the message as it came."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('raw')}"))
    console.say("words 3")
    expect(console.answers.last).to_contain_text("w3")
    expect(console.abort).to_be_hidden()
    console.go("Events")
    for kind, seq in (("user_message", "1"), ("agent_start", "2"), ("agent_token", "3")):
        expect(console.frame(kind).last).to_contain_text(f"#{seq}")
    console.frame("agent_complete").get_by_role("button").click()
    expect(console.page.get_by_text('"type": "agent_complete"')).to_be_visible()
    take_picture(console.page, "events-one")


def test_they_can_be_filtered(gateway: GatewayProcess, visit: Visits) -> None:
    """By what they say, at once; and all are back when the filter is gone."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('filtered')}"))
    console.say("words 3; tool needle {}")
    expect(console.abort).to_be_hidden()
    console.go("Events")
    expect(console.frame("agent_token").first).to_be_visible()
    console.page.get_by_label("Filter by text").fill("needle")
    expect(console.frame("agent_token")).to_have_count(0)
    expect(console.frame("agent_tool_start")).to_have_count(1)
    console.page.get_by_label("Filter by text").fill("")
    expect(console.frame("agent_token").first).to_be_visible()


def test_they_can_be_held(gateway: GatewayProcess, visit: Visits) -> None:
    """A session is watched without a chat; paused, nothing moves, and one is told how much passes by."""
    session = gateway.new_session("held")
    console = Console(visit(gateway.page).open("#/events"))
    console.page.get_by_label("Session", exact=True).select_option(label="held")
    console.button("Watch").click()
    expect(console.page.get_by_text("Watching held")).to_be_visible()
    gateway.say(session, "words 3")
    expect(console.frame("agent_complete")).to_have_count(1)
    console.button("Pause").click()
    gateway.say(session, "words 3")
    expect(console.page.get_by_text("passed by meanwhile")).to_be_visible()
    expect(console.frame("agent_complete")).to_have_count(1)
    console.button("Go on").click()
    gateway.say(session, "words 3")
    expect(console.frame("agent_complete")).to_have_count(2)


def test_one_that_is_deleted_meanwhile_is_not_watched(gateway: GatewayProcess, visit: Visits) -> None:
    """It still stands among those to choose: one is told, and no other session is watched in its place."""
    session = gateway.new_session("deleted meanwhile")
    console = Console(visit(gateway.page).open("#/events"))
    console.page.get_by_label("Session", exact=True).select_option(label="deleted meanwhile")
    gateway.command("session.delete", {"session_id": session})
    console.button("Watch").click()
    expect(console.page.get_by_text("The session could not be watched")).to_be_visible()
    expect(console.page.get_by_text("Watching deleted meanwhile")).to_have_count(0)


def test_who_leaves_while_a_watch_is_opened_watches_nothing(gateway: GatewayProcess, visit: Visits) -> None:
    """Asked twice and left at once: no connection stays behind with the session."""
    session = gateway.new_session("left")
    console = Console(visit(gateway.page).open("#/events"))
    console.page.get_by_label("Session", exact=True).select_option(label="left")
    console.button("Watch").evaluate(
        "button => { button.click(); button.click(); location.hash = '#/channels'; }"
    )
    expect(console.heading("Channels")).to_be_visible()
    console.go("Sessions")
    expect(console.session("left")).to_be_visible()
    console.page.wait_for_timeout(500)
    assert gateway.command("session.get", {"session_id": session})["watchers"] == 0


def test_no_token_is_shown(own_gateway: Callable[..., GatewayProcess], visit: Visits, tmp_path: Path) -> None:
    """What is sent to come in is shown, but for the token, which is struck out."""
    tokens = tmp_path / "tokens.json"
    token = create_token(tokens, "olga", "admin")
    gateway = own_gateway("--tokens", str(tokens))
    console = Console(visit(gateway.page).open("#/events"))
    console.sign_in(token)
    frame = console.frame("connect").last
    frame.get_by_role("button").click()
    expect(frame.get_by_role("code").get_by_text('"auth"')).to_be_visible()
    assert token.split("_")[-1] not in console.page.content()


def test_they_are_bounded(gateway: GatewayProcess, visit: Visits) -> None:
    """The newest 2,000 are kept: a page that is left open does not fill the memory."""
    session = gateway.new_session("flood")
    console = Console(visit(gateway.page).open(f"#/chat/{session}"))
    expect(console.composer).to_be_editable()
    gateway.say(session, "flood 2500")
    console.go("Events")
    expect(console.page.get_by_text("the newest 2,000 frames")).to_be_visible()
    assert console.frames.count() < 200  # no more are drawn than are read
