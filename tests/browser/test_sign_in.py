"""A person comes in: asked for a token only where the gateway asks for one, which then stays in this tab."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.console import Console
from tests.browser.gateway_process import GatewayProcess, create_token, gateway_process, revoke_token
from tests.browser.network import network
from tests.browser.pictures import take_picture
from tests.browser.visit import LOST_CONNECTION

pytestmark = [pytest.mark.integration, pytest.mark.browser]


@attrs.frozen
class Locked:
    """A gateway that asks for tokens."""

    gateway: GatewayProcess
    tokens: Path
    token: str
    """Of an operator."""

    @property
    def page(self) -> str:
        """Where browsers go."""
        return self.gateway.page


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    """One for all tests here; whatever it logs, no token of it is ever in there."""
    folder = tmp_path_factory.mktemp("locked")
    tokens = folder / "tokens.json"
    token = create_token(tokens, "olga", "admin")
    with gateway_process(folder / "gateway", "--tokens", str(tokens), "--log-level", "debug") as gateway:
        yield Locked(gateway, tokens, token)
        assert token.split("_")[-1] not in gateway.log


def test_a_gateway_without_tokens_asks_nothing(gateway: GatewayProcess, visit: Visits) -> None:
    """One is in at once."""
    console = Console(visit(gateway.page).open())
    expect(console.heading("Sessions")).to_be_visible()
    expect(console.token).to_have_count(0)


def test_a_wrong_token_is_told_and_the_right_one_lets_in(locked: Locked, visit: Visits) -> None:
    """A wrong one is named as such, and the next try needs no reload."""
    console = Console(visit(locked.page).open())
    expect(console.token).to_be_focused()
    take_picture(console.page, "sign-in")
    console.sign_in("wrong")
    expect(console.alert).to_contain_text("not accepted")
    take_picture(console.page, "sign-in-refused")
    assert stored(console.page) == {}
    console.sign_in(locked.token)
    expect(console.heading("Sessions")).to_be_visible()


def test_the_token_is_kept_in_this_tab_alone(locked: Locked, visit: Visits) -> None:
    """It is in session storage: a reload needs it no more, another tab does; it is nowhere else."""
    coming = visit(locked.page)
    console = Console(coming.open())
    console.sign_in(locked.token)
    expect(console.heading("Sessions")).to_be_visible()
    page = console.page
    assert [*stored(page).values()] == [locked.token]
    assert locked.token not in str(page.evaluate("({...localStorage})"))
    assert locked.token not in page.url
    assert coming.context.cookies() == []
    assert not [url for url in coming.requested if locked.token in url]
    page.reload()
    expect(console.heading("Sessions")).to_be_visible()
    expect(Console(coming.open()).token).to_be_visible()


def test_signing_out_forgets_the_token(locked: Locked, visit: Visits) -> None:
    """Then a reload asks again."""
    console = Console(visit(locked.page).open())
    console.sign_in(locked.token)
    console.button("Sign out").click()
    expect(console.token).to_be_visible()
    assert stored(console.page) == {}
    console.page.reload()
    expect(console.token).to_be_visible()


@pytest.mark.parametrize("form", ["?{}", "#?{}", "#/sessions?{}", "?{}#/sessions", "#{}", "#/chat/x?{}"])
def test_nothing_is_taken_from_the_address(form: str, locked: Locked, visit: Visits) -> None:
    """Neither a token nor an endpoint: who follows a link cannot be let in, or sent elsewhere, by it."""
    query = (
        f"token={locked.token}&auth={locked.token}&url=ws://stranger.invalid/&gateway=ws://stranger.invalid/"
    )
    coming = visit(locked.page)
    console = Console(coming.open(form.format(query)))
    expect(console.token).to_be_visible()
    expect(console.token).to_have_value("")
    console.sign_in("wrong")
    expect(console.alert).to_contain_text("not accepted")


def test_a_revoked_token_is_a_reason_to_sign_in(locked: Locked, visit: Visits) -> None:
    """Who is in with a token that is taken back is told why, at once, and comes in with another."""
    token = create_token(locked.tokens, "rita", "admin")
    coming = visit(locked.page)
    console = Console(coming.open())
    console.sign_in(token)
    expect(console.heading("Sessions")).to_be_visible()
    revoke_token(locked.tokens, token)
    expect(console.alert).to_contain_text("revoked")
    take_picture(console.page, "sign-in-revoked")
    assert stored(console.page) == {}
    console.sign_in(locked.token)
    expect(console.heading("Sessions")).to_be_visible()


def test_a_token_that_reads_only(locked: Locked, visit: Visits) -> None:
    """A token of few scopes is let in, and what it does not allow is not offered, or said to be so."""
    token = create_token(locked.tokens, "rolf", "sessions:read")
    coming = visit(locked.page)
    console = Console(coming.open())
    console.sign_in(token)
    expect(console.heading("Sessions")).to_be_visible()
    expect(console.button("New session")).to_be_disabled()
    for view in ("Overview", "Channels"):
        console.go(view)
        expect(console.page.get_by_text("Your token lacks the scope").first).to_be_visible()
        take_picture(console.page, f"forbidden-{view.lower()}")


def test_too_many_wrong_tokens(
    own_gateway: Callable[..., GatewayProcess], visit: Visits, tmp_path: Path
) -> None:
    """Who guesses is told to wait, and no proxy is blamed for it."""
    tokens = tmp_path / "tokens.json"
    create_token(tokens, "olga", "admin")
    gateway = own_gateway("--tokens", str(tokens), "--max-failed-tokens", "2")
    coming = visit(gateway.page)
    coming.allow(re.compile("Unexpected response code: 429"))
    console = Console(coming.open())
    expect(console.token).to_be_visible()
    while console.token.is_visible():
        console.sign_in("wrong")
        expect(console.alert).to_be_visible()
    expect(console.heading("Wait a few minutes")).to_be_visible()
    expect(console.alert).to_contain_text("Too many wrong tokens")
    take_picture(console.page, "sign-in-blocked")


@attrs.frozen
class Shared:
    """A gateway with a session that two may chat in."""

    gateway: GatewayProcess
    session: str
    ann: str
    bob: str


@pytest.fixture
def shared(own_gateway: Callable[..., GatewayProcess], tmp_path: Path) -> Shared:
    """Ann's session, which bob may chat in."""
    tokens = tmp_path / "tokens.json"
    ann, bob = (
        create_token(tokens, user, "chat", "sessions:read", "sessions:write") for user in ("ann", "bob")
    )
    gateway = own_gateway("--tokens", str(tokens))
    session = gateway.new_session("of ann", ann)
    gateway.command("session.share", {"session_id": session, "user_id": "bob", "access": "chat"}, ann)
    return Shared(gateway, session, ann, bob)


def test_who_comes_next_finds_nothing_of_who_was_there(shared: Shared, visit: Visits) -> None:
    """Words that were not sent are not sent as somebody else's, and no frame is shown to them."""
    with network(shared.gateway.url) as line:
        coming = visit(line.page)
        coming.allow(LOST_CONNECTION)
        console = Console(coming.open(f"#/chat/{shared.session}"))
        console.sign_in(shared.ann)
        console.say("words 1")
        expect(console.answers.last).to_contain_text("w1")
        line.cut()
        expect(console.offline).to_be_visible()
        console.say("words 2")
        expect(console.questions.last).to_contain_text("Waits for the connection")
        console.composer.fill("half a sentence")
        console.button("Sign out").click()
        expect(console.token).to_be_visible()
        expect(console.page).to_have_title("Sign in · Bamboo Gateway")
        line.mend()
        assert console.page.evaluate("({...sessionStorage})") == {}
        console.sign_in(shared.bob)
        expect(console.composer).to_be_editable()
        expect(console.composer).to_have_value("")
        console.say("words 3")
        expect(console.answers.last).to_contain_text("w3")
        console.go("Events")
        expect(console.frame("user_message")).to_have_count(1)
        expect(console.frame("connect").first).to_be_visible()
    history = shared.gateway.command("session.history", {"session_id": shared.session}, shared.ann)
    said = [each["content"] for each in history["messages"] if each["role"] == "user"]
    assert said == ["words 1", "words 3"]


def stored(page: Page) -> dict[str, str]:
    """What the page has put into session storage that is as long as a token."""
    items = page.evaluate("Object.entries(sessionStorage)")
    return {key: value for key, value in items if "token" in key}
