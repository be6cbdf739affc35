"""The web console as a person finds it: by what things are called and what they are, not by how they are made."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class Console:
    """One tab with the console in it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    # ── everywhere ───────────────────────────────────────────────────────────

    def go(self, view: str) -> None:
        """Go to a view by its link."""
        self.page.get_by_role("navigation").get_by_role("link", name=view, exact=True).click()
        expect(self.heading(view)).to_be_visible()

    def heading(self, name: str) -> Locator:
        """The heading of a view."""
        return self.page.get_by_role("heading", level=1, name=name)

    @property
    def status(self) -> Locator:
        """What is said of the connection."""
        return self.page.get_by_role("status")

    @property
    def dialog(self) -> Locator:
        """What asks for an answer first."""
        return self.page.get_by_role("dialog")

    # ── who comes in ─────────────────────────────────────────────────────────

    @property
    def token(self) -> Locator:
        """Where the token is typed."""
        return self.page.get_by_label("Token")

    def sign_in(self, token: str) -> None:
        """Show a token."""
        self.token.fill(token)
        self.page.get_by_role("button", name="Sign in").click()

    # ── sessions ─────────────────────────────────────────────────────────────

    def session(self, name: str) -> Locator:
        """The row of a session in the list."""
        return self.page.get_by_role("row").filter(has_text=name)

    # ── chat ─────────────────────────────────────────────────────────────────

    @property
    def composer(self) -> Locator:
        """Where a message is typed."""
        return self.page.get_by_role("textbox", name="Message")

    @property
    def abort(self) -> Locator:
        """The button that ends the answer; it is there while there is one to end."""
        return self.page.get_by_role("button", name="Stop")

    @property
    def answers(self) -> Locator:
        """What the agent has said, an element for each answer."""
        return self.page.get_by_role("article", name=re.compile("^Agent"))

    @property
    def questions(self) -> Locator:
        """What users have said."""
        return self.page.get_by_role("article", name=re.compile("^You"))

    def say(self, text: str) -> None:
        """Type a message, and send it by the keyboard."""
        self.composer.fill(text)
        self.composer.press("Enter")


def words(answer: Locator) -> list[int]:
    """The numbered words in an answer, in the order shown."""
    return [int(number) for number in re.findall(r"\bw(\d+)\b", answer.inner_text())]
