"""A person looks after channels, and reads and speaks in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visits
from tests.browser.console import Console
from tests.browser.gateway_process import GatewayProcess
from tests.browser.pictures import take_picture

pytestmark = [pytest.mark.integration, pytest.mark.browser]


@pytest.fixture
def console(gateway: GatewayProcess, visit: Visits) -> Console:
    """The view of channels."""
    console = Console(visit(gateway.page).open("#/channels"))
    expect(console.heading("Channels")).to_be_visible()
    return console


def test_none_says_what_to_do(own_gateway: Callable[..., GatewayProcess], visit: Visits) -> None:
    """Where there is no channel, one is told what it would be good for."""
    console = Console(visit(own_gateway().page).open("#/channels"))
    expect(console.page.get_by_text("No channels yet")).to_be_visible()
    take_picture(console.page, "channels-empty")


def test_one_is_made_and_deleted(gateway: GatewayProcess, console: Console) -> None:
    """By its name, which has to be free; it goes only if one means it."""
    console.button("New channel").first.click()  # there is another one where there is no channel yet
    console.dialog.get_by_label("Name").fill("made here")
    console.dialog.get_by_role("button", name="Create").click()
    expect(console.channel("made here")).to_be_visible()
    console.button("New channel").click()
    console.dialog.get_by_label("Name").fill("made here")
    console.dialog.get_by_role("button", name="Create").click()
    expect(console.dialog.get_by_role("alert")).to_contain_text("taken")
    console.page.keyboard.press("Escape")
    console.channel("made here").click()
    console.button("Delete channel made here").click()
    console.dialog.get_by_role("button", name="Delete channel").click()
    expect(console.channel("made here")).to_have_count(0)


def test_the_list_is_live(gateway: GatewayProcess, console: Console) -> None:
    """What others make, join and delete is seen without a touch."""
    gateway.command("channel.create", {"name": "made elsewhere"})
    expect(console.channel("made elsewhere")).to_be_visible()
    with gateway.client() as other:
        other.say("command", name="channel.join", args={"name": "made elsewhere"}, id="join")
        other.next("command_result")
        expect(console.channel("made elsewhere")).to_contain_text("1 member")
    gateway.command("channel.delete", {"name": "made elsewhere"})
    expect(console.channel("made elsewhere")).to_have_count(0)


def test_what_is_said_is_heard_on_both_sides(gateway: GatewayProcess, console: Console) -> None:
    """Who joins reads what others say, and is read by them; each message once."""
    gateway.command("channel.create", {"name": "talk"})
    gateway.new_session("mouthpiece")
    console.channel("talk").click()
    console.page.get_by_label("Session that joins").select_option(label="mouthpiece")
    console.button("Join").click()
    with gateway.client() as other:
        other.say("command", name="channel.join", args={"name": "talk"}, id="join")
        other.next("command_result")
        console.page.get_by_label("Message to the channel").fill("hello from the page")
        console.button("Send").click()
        assert other.next("channel_message")["content"] == "hello from the page"
        other.say("command", name="channel.send", args={"name": "talk", "content": "hello back"}, id="send")
        expect(console.page.get_by_role("log").get_by_text("hello back")).to_have_count(1)
        expect(console.page.get_by_role("log").get_by_text("hello from the page")).to_have_count(1)
    take_picture(console.page, "channels-talk")
