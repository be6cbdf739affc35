"""Sessions that a person can come back to: which there are, and what a picker shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import attrs

from ..client import Client, ClientError, RefusedError
from ..errors import ErrorCode
from .patience import ask_patiently
from .plain_text import fit, one_line
from .session_text import ago

MAX_CHOICES = 200
"""Sessions that are looked at, the newest ones."""

_MAX_WORDS = 200
"""Characters of them that are kept."""

_NOTHING = [{"content": ""}]

_PREVIEWS = 20
"""Sessions whose last words are asked for: as many as a person looks at."""

_NAME, _AGE = 20, 10
"""Columns."""

_SHORT_ID = 8
"""Characters of an id by which people tell sessions without a name apart."""


@attrs.define
class Choice:
    """One session."""

    session_id: str
    name: str | None
    user_id: str
    last_activity: int
    """Unix milliseconds."""
    state: str
    last_words: str = ""
    """What was asked in it last; empty: unknown."""

    def row(self, columns: int, now: int) -> str:
        """A line of at most so many *columns*; *now* is in Unix milliseconds."""
        label = self.name or self.session_id[:_SHORT_ID]
        line = f"{fit(ago(self.last_activity, now), _AGE)}  {fit(label, _NAME)}  {self._hint()}"
        return fit(line, columns).rstrip()

    def matches(self, wanted: str) -> bool:
        """Are all words that somebody has typed somewhere in it?"""
        text = " ".join((self.session_id, self.name or "", self.user_id, self.last_words)).casefold()
        return all(word in text for word in wanted.casefold().split())

    def _hint(self) -> str:
        said = one_line(self.last_words).strip()
        if self.state == "running":
            return f"(answers) {said}".rstrip()
        return said


@attrs.define
class Choices:
    """
    Which of *all* are shown, and which of those is chosen.

    Invariant: `chosen` is one of `shown`, or there is none.
    """

    all: Sequence[Choice]
    wanted: str = ""
    index: int = 0

    @property
    def shown(self) -> Sequence[Choice]:
        """Those that match what was typed."""
        return [choice for choice in self.all if choice.matches(self.wanted)]

    @property
    def chosen(self) -> Choice | None:
        """The one that Enter picks."""
        shown = self.shown
        return shown[min(self.index, len(shown) - 1)] if shown else None

    def type(self, wanted: str) -> None:
        """Look for something else."""
        if wanted != self.wanted:
            self.wanted, self.index = wanted, 0

    def move(self, rows: int) -> None:
        """Go down by so many rows, or up."""
        last = len(self.shown) - 1
        self.index = max(0, min(min(self.index, last) + rows, last))

    def window(self, rows: int) -> tuple[Sequence[Choice], int]:
        """So many of those shown that the chosen one is among them, and the number of the first."""
        shown = self.shown
        first = max(0, min(self.index, len(shown) - 1) - rows + 1)
        return shown[first : first + rows], first


async def read_choices(client: Client) -> list[Choice]:
    """
    Ask for the sessions of whoever *client* is, without the one it is in; last used first.

    Raises:
        RefusedError: It may not see them; the text says what to do instead.
    """
    try:
        page: Any = await ask_patiently(client, "session.list", {"order": "newest", "limit": MAX_CHOICES})
    except RefusedError as error:
        raise explain(error) from error
    found = [
        Choice(each["session_id"], each["name"], each["user_id"], each["last_activity"], each["state"])
        for each in page["sessions"]
        if each["session_id"] != client.session_id
    ]
    return sorted(found, key=lambda choice: choice.last_activity, reverse=True)


async def read_last_words(client: Client, choices: Sequence[Choice]) -> None:
    """Fill in the last words of the first of *choices*; those that cannot be had are left out."""
    for choice in choices[:_PREVIEWS]:
        with suppress(RefusedError):
            page: Any = await ask_patiently(
                client, "session.history", {"session_id": choice.session_id, "limit": 2}
            )
            asked = [message for message in page["messages"] if message["role"] == "user"]
            choice.last_words = (asked or page["messages"] or _NOTHING)[-1]["content"][:_MAX_WORDS]


def explain(error: RefusedError) -> ClientError:
    """Say what to do where one may not see one's sessions."""
    if error.code != ErrorCode.FORBIDDEN:
        return error
    said = f"{error.message}; --session ID comes back to a session whose id you know"
    return RefusedError(error.code, said)
