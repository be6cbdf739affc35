"""A session of somebody else: who may read it reads, and is not tempted to write."""

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

SCOPES = ("chat", "sessions:read", "sessions:write")


def test_who_may_read_does_not_write(
    own_gateway: Callable[..., GatewayProcess], visit: Visits, tmp_path: Path
) -> None:
    """A guest follows the stream live, and has no field to write in; a member has."""
    tokens = tmp_path / "tokens.json"
    ann, bob = (create_token(tokens, user, *SCOPES) for user in ("ann", "bob"))
    gateway = own_gateway("--tokens", str(tokens))
    session = gateway.new_session("of ann", ann)
    _share(gateway, session, "read", ann)
    console = Console(visit(gateway.page).open(f"#/chat/{session}"))
    console.sign_in(bob)
    expect(console.heading("of ann")).to_be_visible()
    expect(console.page.get_by_text("Shared with you to read")).to_be_visible()
    expect(console.composer).to_be_disabled()
    expect(console.page.get_by_text("What is said here appears as it comes")).to_be_visible()
    expect(console.button("What can you do?")).to_have_count(0)
    gateway.say(session, "words 3", token=ann)
    expect(console.answers.last).to_contain_text("w3")
    take_picture(console.page, "chat-read-only")
    console.go("Sessions")
    expect(console.session("of ann")).to_contain_text("ann")
    _share(gateway, session, "chat", ann)
    console.session("of ann").get_by_role("link").first.click()
    console.say("words 2")
    expect(console.answers.last).to_contain_text("w2")


def test_who_may_not_read_finds_nothing(
    own_gateway: Callable[..., GatewayProcess], visit: Visits, tmp_path: Path
) -> None:
    """A session that is not shared does not exist, neither in the list nor by its address."""
    tokens = tmp_path / "tokens.json"
    ann, bob = (create_token(tokens, user, *SCOPES) for user in ("ann", "bob"))
    gateway = own_gateway("--tokens", str(tokens))
    session = gateway.new_session("secret of ann", ann)
    console = Console(visit(gateway.page).open(f"#/chat/{session}"))
    console.sign_in(bob)
    expect(console.page.get_by_text("No such session")).to_be_visible()
    console.go("Sessions")
    expect(console.page.get_by_text("No sessions yet")).to_be_visible()
    expect(console.page.get_by_text("secret of ann")).to_have_count(0)


def _share(gateway: GatewayProcess, session: str, access: str, token: str) -> None:
    gateway.command("session.share", {"session_id": session, "user_id": "bob", "access": access}, token)
