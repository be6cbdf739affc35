"""A person talks to an agent: what is streamed, shown, aborted, and read back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visits
from tests.browser.console import Console, words
from tests.browser.gateway_process import GatewayProcess
from tests.browser.pictures import take_picture

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_an_answer_is_streamed(gateway: GatewayProcess, visit: Visits) -> None:
    """What the agent has said so far is shown while it speaks; in the end all is there, with its usage."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('streamed')}"))
    console.say("words 20; hold streamed; words 20")
    expect(console.answers.last).to_contain_text("w20")
    expect(console.abort).to_be_visible()
    assert words(console.answers.last) == [*range(1, 21)]
    gateway.open_gate("streamed")
    expect(console.abort).to_be_hidden()
    assert words(console.answers.last) == [*range(1, 41)]
    expect(console.answers.last).to_contain_text("52 tokens")
    expect(console.questions).to_have_count(1)


def test_a_tool_is_a_card(gateway: GatewayProcess, visit: Visits) -> None:
    """A tool call shows its name at once, and can be opened for arguments, result and duration."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('tool')}"))
    console.say('tool library.search {"title":"Bamboo"} => @tool 42 books; words 3')
    card = console.tool("library.search")
    expect(card).to_contain_text("running")
    gateway.open_gate("tool")
    expect(card).to_contain_text(re.compile(r"\d (ms|s)"))
    card.get_by_text("library.search").click()
    expect(card).to_contain_text('"title": "Bamboo"')
    expect(card).to_contain_text("42 books")
    expect(console.answers.last).to_contain_text("w3")


def test_a_tool_that_fails_says_so(gateway: GatewayProcess, visit: Visits) -> None:
    """A failure of a tool is told apart from a result, in words; the answer goes on."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('failing tool')}"))
    console.say("tool library.search {} => !the shelves are empty; words 3")
    card = console.tool("library.search")
    expect(card).to_contain_text("failed")
    expect(card).to_contain_text("the shelves are empty")
    expect(console.answers.last).to_contain_text("w3")


def test_tools_stand_where_they_were_called(gateway: GatewayProcess, visit: Visits) -> None:
    """Text, tool, text: in this order, live and after a reload."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('order')}"))
    console.say("words 3; tool between {}; words 3; tool behind {}")
    expect(console.abort).to_be_hidden()
    order = re.compile(r"w1 w2 w3.*between.*w4 w5 w6.*behind", re.DOTALL)
    expect(console.answers.last).to_have_text(order)
    console.page.reload()
    expect(console.answers.last).to_have_text(order)


def test_an_answer_is_aborted(gateway: GatewayProcess, visit: Visits) -> None:
    """One press ends the turn; what was said until then stays, and the next message is answered."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('aborted')}"))
    console.say("words 5; hold never; words 5")
    expect(console.answers.last).to_contain_text("w5")
    console.abort.click()
    expect(console.abort).to_be_hidden()
    expect(console.answers.last).to_contain_text("Aborted")
    assert words(console.answers.last) == [*range(1, 6)]
    console.say("words 2")
    expect(console.answers).to_have_count(2)
    expect(console.answers.last).to_contain_text("w2")


def test_a_turn_that_fails_says_why(gateway: GatewayProcess, visit: Visits) -> None:
    """The agent's own words are shown, with what was said before; also after a reload."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('failed')}"))
    console.say("words 3; fail The model is out of office")
    expect(console.answers.last).to_contain_text("The model is out of office")
    take_picture(console.page, "chat-failed")
    console.page.reload()
    expect(console.answers.last).to_contain_text("The model is out of office")
    assert words(console.answers.last) == [1, 2, 3]


def test_older_messages_come_page_by_page(gateway: GatewayProcess, visit: Visits) -> None:
    """Who looks up finds all that was ever said, in order, each message once."""
    session = gateway.new_session("long")
    gateway.say(session, *(f"fail number {number}." for number in range(70)))
    console = Console(visit(gateway.page).open(f"#/chat/{session}"))
    expect(console.questions.last).to_contain_text("number 69.")
    expect(console.questions.last).to_be_in_viewport()
    beginning = console.page.get_by_text("The beginning of the conversation")
    while not beginning.is_visible():
        before = console.questions.count()
        console.button("Show older messages").scroll_into_view_if_needed()
        expect(console.questions.nth(before).or_(beginning).first).to_be_attached()
    said = re.findall(r"fail number (\d+)\.", "\n".join(console.questions.all_inner_texts()))
    assert said == [str(number) for number in range(70)]


def test_two_tabs_show_the_same_stream(gateway: GatewayProcess, visit: Visits) -> None:
    """Whoever watches a session sees what is said in it from anywhere, questions and answers."""
    coming = visit(gateway.page)
    route = f"#/chat/{gateway.new_session('two tabs')}"
    one, two = Console(coming.open(route)), Console(coming.open(route))
    one.say("words 10; hold tabs; words 10")
    for console in (one, two):
        expect(console.questions).to_have_count(1)
        expect(console.answers.last).to_contain_text("w10")
        expect(console.abort).to_be_visible()
    gateway.open_gate("tabs")
    for console in (one, two):
        expect(console.abort).to_be_hidden()
        assert words(console.answers.last) == [*range(1, 21)]
    two.say("words 2")
    expect(one.answers).to_have_count(2)
    expect(one.answers.last).to_contain_text("w2")


def test_a_message_of_many_lines(gateway: GatewayProcess, visit: Visits) -> None:
    """Shift and Enter begin a line; Enter sends."""
    console = Console(visit(gateway.page).open(f"#/chat/{gateway.new_session('lines')}"))
    console.composer.fill("fail one")
    console.composer.press("Shift+Enter")
    console.composer.press_sequentially("two")
    expect(console.questions).to_have_count(0)
    console.composer.press("Enter")
    expect(console.questions.last).to_contain_text("one")
    assert re.search(r"fail one\s*\n\s*two", console.questions.last.inner_text())
    expect(console.composer).to_have_value("")


def test_a_session_that_is_no_more_says_so(gateway: GatewayProcess, visit: Visits) -> None:
    """Who watches a session that another client deletes is told, and cannot write to it any more."""
    session = gateway.new_session("ended")
    console = Console(visit(gateway.page).open(f"#/chat/{session}"))
    expect(console.composer).to_be_editable()
    gateway.command("session.delete", {"session_id": session})
    expect(console.alert).to_contain_text("The session has ended")
    expect(console.composer).not_to_be_editable()


def test_an_unknown_session_says_so(gateway: GatewayProcess, visit: Visits) -> None:
    """A link to a session that is not there leads to a sentence, and makes no session."""
    before = len(gateway.command("session.list", {"limit": 500})["sessions"])
    console = Console(visit(gateway.page).open("#/chat/no-such-session"))
    expect(console.page.get_by_text("No such session")).to_be_visible()
    assert len(gateway.command("session.list", {"limit": 500})["sessions"]) == before
