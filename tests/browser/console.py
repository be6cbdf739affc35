"""The web console as a person finds it: by what things are and are called, not by how they are made."""

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
        self.page.get_by_role("navigation", name="Views").get_by_role("link", name=view, exact=True).click()
        expect(self.heading(view)).to_be_visible()

    def heading(self, name: str) -> Locator:
        """The heading of a view, or of the open session."""
        return self.page.get_by_role("heading", level=1, name=name)

    def button(self, name: str) -> Locator:
        """A button by its name."""
        return self.page.get_by_role("button", name=name)

    @property
    def link(self) -> Locator:
        """What is said of the connection to the gateway, in every view."""
        return self.page.get_by_role("banner").get_by_text(re.compile("^(Connected|Reconnecting|Offline)"))

    @property
    def alert(self) -> Locator:
        """What is urgent."""
        return self.page.get_by_role("alert")

    @property
    def dialog(self) -> Locator:
        """What asks for an answer first."""
        return self.page.get_by_role("dialog")

    def wait_until_shown(self) -> None:
        """Wait until the view has what it asked for."""
        expect(self.page.get_by_role("heading", level=1)).to_be_attached()
        expect(self.page.locator("[data-state=loading], [data-view=connecting]")).to_have_count(0)

    def tab_to(self, element: Locator) -> None:
        """Go to an element with the Tab key."""
        for _ in range(60):
            if element.evaluate("each => each === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {element}")

    # ── who comes in ─────────────────────────────────────────────────────────

    @property
    def token(self) -> Locator:
        """Where the token is typed."""
        return self.page.get_by_label("Token")

    def sign_in(self, token: str) -> None:
        """Show a token."""
        self.token.fill(token)
        self.button("Sign in").click()

    # ── sessions ─────────────────────────────────────────────────────────────

    def session(self, name: str) -> Locator:
        """The row of a session in the list."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("link", name=name))

    @property
    def search(self) -> Locator:
        """Where one types what is looked for."""
        return self.page.get_by_label("Search sessions")

    # ── chat ─────────────────────────────────────────────────────────────────

    @property
    def composer(self) -> Locator:
        """Where a message is typed."""
        return self.page.get_by_label("Message", exact=True)

    @property
    def abort(self) -> Locator:
        """The button that ends the answer; it is there while there is one to end."""
        return self.page.get_by_role("button", name="Abort")

    @property
    def answers(self) -> Locator:
        """What the agent has said, an element for each answer."""
        return self._said_by("Agent")

    @property
    def questions(self) -> Locator:
        """What anybody has said to it."""
        return self._said_by(re.compile("^(You|User|Another client)$"))

    @property
    def offline(self) -> Locator:
        """What is said while the connection of the open session is lost."""
        return self.page.get_by_text(re.compile("^Offline —"))

    @property
    def resumed(self) -> Locator:
        """What is said when it is back, or the page was reloaded in mid-answer."""
        return self.page.get_by_role("main").get_by_text("Resumed — nothing was lost")

    @property
    def gap(self) -> Locator:
        """What is said where events were lost, and the conversation was read again."""
        return self.page.get_by_role("main").get_by_text("had left the gateway's log")

    def say(self, text: str) -> None:
        """Type a message, and send it by the keyboard."""
        self.composer.fill(text)
        self.composer.press("Enter")

    def tool(self, name: str) -> Locator:
        """The card of a tool's call."""
        return self.page.get_by_role("group").filter(has=self.page.get_by_text(name, exact=True))

    def _said_by(self, speaker: str | re.Pattern[str]) -> Locator:
        heading = self.page.get_by_role("heading", level=2, name=speaker)
        return self.page.get_by_role("article").filter(has=heading)

    # ── channels, overview, events ───────────────────────────────────────────

    def channel(self, name: str) -> Locator:
        """A channel in the list."""
        return self.page.get_by_role("navigation", name="Channels").get_by_role("link").filter(has_text=name)

    def figure(self, name: str) -> Locator:
        """The value of a figure of the overview."""
        card = self.page.get_by_role("listitem").filter(has=self.page.get_by_text(name, exact=True))
        return card.get_by_text(re.compile(r"^[\d,.]+k?$"))

    @property
    def charts(self) -> Locator:
        """The curves."""
        return self.page.get_by_role("img", name=re.compile("over the last 5 minutes"))

    @property
    def frames(self) -> Locator:
        """The raw frames, the newest first."""
        return self.page.get_by_role("list", name="Frames, newest first").get_by_role("listitem")

    def frame(self, kind: str) -> Locator:
        """Those of one kind."""
        return self.frames.filter(has=self.page.get_by_text(kind, exact=True))


def words(answer: Locator) -> list[int]:
    """The numbered words in an answer, in the order shown."""
    return [int(number) for number in re.findall(r"\bw(\d+)\b", answer.inner_text())]
