"""What an agent says is text: it may be set as Markdown, and can do nothing to who reads it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visits
from tests.browser.console import Console
from tests.browser.gateway_process import GatewayProcess
from tests.browser.pictures import take_picture

pytestmark = [pytest.mark.integration, pytest.mark.browser]


@pytest.fixture
def console(gateway: GatewayProcess, visit: Visits) -> Console:
    """A chat of its own."""
    return Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('text')}"))


def test_markdown_is_set(console: Console) -> None:
    """Headings, lists, tables, code and links are what they look like, for eyes and for screen readers."""
    console.say("say markdown")
    answer = console.answers.last
    expect(answer.get_by_role("heading", name="A heading")).to_be_visible()
    expect(answer.get_by_role("listitem")).to_have_count(3)
    expect(answer.get_by_role("cell", name="42")).to_be_visible()
    expect(answer.get_by_role("columnheader", name="right")).to_be_visible()
    expect(answer.locator("strong", has_text="bold")).to_be_visible()
    expect(answer.locator("pre")).to_have_text(re.compile(r'print\("a < b && c"\)'))
    link = answer.get_by_role("link", name="a link")
    expect(link).to_have_attribute("href", "https://example.org/page")
    expect(link).to_have_attribute("rel", re.compile("noreferrer"))
    expect(link).to_have_attribute("target", "_blank")
    take_picture(console.page, "chat-markdown")


def test_an_attack_is_only_text(console: Console) -> None:
    """No script runs, nothing is loaded from anywhere, and no link leads to a script or a file."""
    console.say("say attack")
    answer = console.answers.last
    expect(answer).to_contain_text("the end of the attack")
    expect(console.abort).to_be_hidden()
    assert answer.locator("script, iframe, object, embed, form").count() == 0
    assert answer.locator("[onerror], [onload], [onmouseover], [style]").count() == 0
    assert answer.locator("img").count() == 0
    links = answer.locator("a").evaluate_all("all => all.map(each => each.href)")
    assert all(re.match("https?://", link) for link in links), links
    for text in ("script link", "coded link", "data link", "file link", "capital link"):
        answer.get_by_text(text).click()
    answer.get_by_text("titled").hover()
    take_picture(console.page, "chat-attack")
    assert console.page.evaluate("window.attacked") is None
    assert len(console.page.context.pages) == 1


def test_what_nests_without_end_is_shown(console: Console) -> None:
    """Quotes in quotes by the thousand exhaust no stack: the page lives, and shows what comes after them."""
    console.say("say abyss")
    expect(console.answers.last).to_contain_text("the bottom of it", timeout=60_000)
    expect(console.answers.last).to_contain_text("&constructor;")
    expect(console.abort).to_be_hidden()
    console.page.reload()
    expect(console.answers.last).to_contain_text("the bottom of it")
    assert 10 < console.answers.last.locator("blockquote").count() < 100
    console.say("words 3")
    expect(console.answers.last).to_contain_text("w3")


def test_a_turn_that_cannot_be_drawn_is_shown_as_its_text(gateway: GatewayProcess, visit: Visits) -> None:
    """Whatever is wrong with one, the others and the page stay."""
    coming = visit(gateway.page)
    coming.allow(re.compile("a turn could not be drawn"))
    broken = """
        import { html } from "../html.js";
        export function Markdown({ text }) {
            if (text.includes("w2 ")) throw new RangeError("Maximum call stack size exceeded");
            return html`<p>${text}</p>`;
        }
    """
    coming.context.route(
        "**/markdown_view.js", lambda route: route.fulfill(body=broken, content_type="text/javascript")
    )
    console = Console(coming.open(f"#/chat/{gateway.new_session('broken')}"))
    console.say("words 4; hold broken; words 4")
    expect(console.answers.last).to_contain_text("w4")
    gateway.open_gate("broken")
    expect(console.answers.last).to_contain_text("w8")
    expect(console.answers.last).to_contain_text("could not be set")
    expect(console.questions.last).to_contain_text("words 4; hold broken")
    console.say("words 1")
    expect(console.answers).to_have_count(2)
    expect(console.answers.last).to_contain_text("w1")
    expect(console.page.get_by_text("could not be set")).to_have_count(1)


def test_what_a_user_says_is_only_text(console: Console) -> None:
    """A message is shown as it was typed; it is not even Markdown."""
    said = "fail <img src=x onerror='window.attacked=1'> **not bold** [no](javascript:alert(1))"
    console.say(said)
    expect(console.questions.last).to_contain_text(said)
    assert console.questions.last.locator("strong, img, a").count() == 0
    assert console.page.evaluate("window.attacked") is None


def test_names_are_only_text(gateway: GatewayProcess, visit: Visits) -> None:
    """So are the names of sessions and channels, and what is said in these."""
    name = "<img src=x onerror='window.attacked=1'>"
    gateway.new_session(name)
    gateway.command("channel.create", {"name": name})
    console = Console(visit(gateway.page).open("#/sessions"))
    expect(console.page.get_by_text(name).first).to_be_visible()
    console.go("Channels")
    expect(console.page.get_by_text(name).first).to_be_visible()
    assert console.page.evaluate("window.attacked") is None


def test_a_tool_s_result_is_only_text(console: Console) -> None:
    """Arguments and results of tools can do no more."""
    console.say('tool <b>evil</b> {"html":"<img src=x onerror=window.attacked=1>"} => <b>bold</b>')
    card = console.tool("<b>evil</b>")
    card.get_by_text("<b>evil</b>", exact=True).click()
    expect(card).to_contain_text("<b>bold</b>")
    expect(card).to_contain_text("<img src=x onerror=window.attacked=1>")
    assert card.locator("b, img").count() == 0
    assert console.page.evaluate("window.attacked") is None
