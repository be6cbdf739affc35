"""The console in every light and size: nobody is shut out, nothing hangs over the edge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations
from tests.browser.conftest import Visits
from tests.browser.console import Console
from tests.browser.gateway_process import GatewayProcess, gateway_process
from tests.browser.pictures import take_picture
from tests.browser.scenes import SCENES

pytestmark = [pytest.mark.integration, pytest.mark.browser]

WINDOWS = {"wide": (1280, 800), "phone": (360, 740)}


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway with something to see in every view, and a turn that runs."""
    with gateway_process(tmp_path_factory.mktemp("lively")) as gateway:
        long = gateway.new_session(
            "A session with a name that is far too long for a phone to show it on one line"
        )
        gateway.say(long, "say markdown", "say attack", "fail The model is out of office")
        gateway.command("channel.create", {"name": "announcements-of-a-rather-long-name"})
        talk = gateway.new_session("Trains to Nara")
        *answered, running = SCENES
        gateway.say(talk, *answered)
        with gateway.client(session_id=talk, temporary=None) as client:
            client.say("chat", session_id=talk, content=running)
            client.next("agent_tool_start")
            yield gateway
            gateway.open_gate("reminder")
            client.next("agent_complete")


@pytest.fixture(params=["light", "dark"])
def is_dark(request: pytest.FixtureRequest) -> bool:
    """What the system is set to."""
    return bool(request.param == "dark")


def rooms(gateway: GatewayProcess) -> dict[str, str]:
    """Every view by what it is called in pictures, and its route."""
    sessions = gateway.command("session.list")["sessions"]
    talk, long = (
        next(each["session_id"] for each in sessions if each["name"].startswith(name))
        for name in ("Trains", "A session")
    )
    return {
        "sessions": "#/sessions",
        "chat": f"#/chat/{talk}",
        "chat-long": f"#/chat/{long}",
        "chat-none": "#/chat",
        "channels": "#/channels",
        "overview": "#/overview",
        "events": "#/events",
    }


@pytest.mark.parametrize("window", WINDOWS)
def test_every_view(window: str, is_dark: bool, lively: GatewayProcess, visit: Visits, axe: None) -> None:
    """axe finds nothing wrong with it, and nothing is wider than the window."""
    width, height = WINDOWS[window]
    coming = visit(lively.page, width=width, height=height, dark=is_dark)
    found: list[str] = []
    for name, route in rooms(lively).items():
        console = Console(coming.open(route))
        console.wait_until_shown()
        take_picture(console.page, f"{name}-{window}-{'dark' if is_dark else 'light'}")
        found += [f"{name}: {fault}" for fault in violations(console.page) + overflow(console.page)]
        console.page.close()
    assert found == []


@pytest.mark.parametrize("window", WINDOWS)
def test_dialogs(window: str, is_dark: bool, lively: GatewayProcess, visit: Visits, axe: None) -> None:
    """So it is with what is laid over a view."""
    width, height = WINDOWS[window]
    console = Console(visit(lively.page, width=width, height=height, dark=is_dark).open("#/sessions"))
    console.wait_until_shown()
    page = console.page
    found: list[str] = []
    for key, name in (("n", "new"), ("?", "keys")):
        page.keyboard.press(key)
        expect(console.dialog).to_be_visible()
        take_picture(page, f"dialog-{name}-{window}-{'dark' if is_dark else 'light'}")
        found += [f"{name}: {fault}" for fault in violations(page) + overflow(page)]
        page.keyboard.press("Escape")
        expect(console.dialog).to_have_count(0)
    assert found == []


def test_the_theme_can_be_chosen(gateway: GatewayProcess, visit: Visits) -> None:
    """Against the system's, for this browser, from the first paint of the next visit on."""
    coming = visit(gateway.page)
    console = Console(coming.open())
    console.wait_until_shown()
    light = background(console.page)
    console.page.get_by_role("button", name="Theme: as the system").click()
    console.page.get_by_role("button", name="Theme: light").click()
    expect(console.page.get_by_role("button", name="Theme: dark")).to_be_visible()
    dark = background(console.page)
    assert sum(dark) < 200
    assert sum(light) > 600
    again = Console(coming.open())
    again.wait_until_shown()
    assert background(again.page) == dark


def test_one_finds_the_way_on_a_phone(gateway: GatewayProcess, visit: Visits) -> None:
    """Every view is one touch away, and what is touched is large enough for a finger."""
    console = Console(visit(gateway.page, width=360, height=740).open())
    for view in ("Overview", "Channels", "Events", "Sessions"):
        console.go(view)
        box = console.page.get_by_role("link", name=view, exact=True).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40, (view, box)


def test_a_way_back_and_forth(gateway: GatewayProcess, visit: Visits) -> None:
    """The browser's own buttons go through the views, and an address leads to its view."""
    console = Console(visit(gateway.page).open("#/events"))
    expect(console.heading("Events")).to_be_visible()
    console.go("Overview")
    console.page.go_back()
    expect(console.heading("Events")).to_be_visible()
    console.page.go_forward()
    expect(console.heading("Overview")).to_be_visible()


@pytest.mark.parametrize("route", ["#/nonsense", "#", "#//", "#/%E0%A4%A", "#/sessions/../../x"])
def test_an_address_that_leads_nowhere(route: str, gateway: GatewayProcess, visit: Visits) -> None:
    """What makes no sense is taken as the list of sessions."""
    expect(Console(visit(gateway.page).open(route)).heading("Sessions")).to_be_visible()


def test_the_first_tab_skips_to_the_content(gateway: GatewayProcess, visit: Visits) -> None:
    """Who goes by keyboard need not go through the navigation each time; the focus is always to be seen."""
    console = Console(visit(gateway.page).open())
    console.wait_until_shown()
    page = console.page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    unseen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        if not page.evaluate(_HAS_OUTLINE):
            unseen.append(page.evaluate("document.activeElement.outerHTML.slice(0, 120)"))
    assert unseen == []


_HAS_OUTLINE = """
() => {
    const element = document.activeElement;
    if (element === document.body) return true;
    const style = getComputedStyle(element);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
}
"""


def test_who_wants_no_motion_gets_none(gateway: GatewayProcess, visit: Visits) -> None:
    """Under `prefers-reduced-motion` nothing moves for longer than an eye can see."""
    console = Console(visit(gateway.page, still=True).open(f"#/chat/{gateway.new_session('still')}"))
    console.say("words 5; hold still")
    expect(console.answers.last).to_contain_text("w5")
    moving = console.page.evaluate(
        """
        () => document.getAnimations().filter(each => {
            const {duration, iterations} = each.effect.getComputedTiming();
            return duration > 50 && iterations > 1;
        }).map(each => each.animationName ?? each.transitionProperty)
        """
    )
    gateway.open_gate("still")
    assert moving == []


def overflow(page: Page) -> list[str]:
    """What makes the page wider than its window."""
    found = page.evaluate(
        """
        () => {
            const {clientWidth: width, scrollWidth} = document.documentElement;
            if (Math.max(scrollWidth, document.body.scrollWidth) <= width) return [];
            return [...document.body.querySelectorAll("*")]
                .filter(each => each.getBoundingClientRect().right > width + 1)
                .map(each => `wider than the window: ${each.tagName}.${each.className}`)
                .slice(0, 5);
        }
        """
    )
    assert isinstance(found, list)
    return found


def background(page: Page) -> list[int]:
    """The colour behind it all: red, green, blue."""
    found = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    assert isinstance(found, list)
    return found
