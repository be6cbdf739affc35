"""A page that is loaded again and again, with nothing kept of it but its cursor."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bamboo_gateway.client import Client, connect
from tests.cli.process import Serving, serving
from tests.integration.ledger import Ledger, Reading
from tests.integration.page import LOGGED, STEPS, Page, counting, ended, load
from tests.integration.size import is_soak
from tests.plain_wire import Event

pytestmark = [pytest.mark.integration, pytest.mark.slow]

RELOADS = 60 if is_soak() else 6

NEWS = "news"


@pytest.fixture(params=["memory", "sqlite"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serving]:
    """A gateway with either storage."""
    file = tmp_path / "sessions.db"
    with serving(*counting("memory:" if request.param == "memory" else f"sqlite:{file}")) as gateway:
        yield gateway
        assert gateway.stop()[::2] == (0, "")


@attrs.define
class Person:
    """Somebody before a screen, whose page is loaded now and then."""

    node: str
    url: str
    shown: list[Event] = attrs.field(factory=list)
    """All that any of the pages has shown."""
    session_id: str = ""
    _cursor: dict[str, Any] = attrs.field(factory=dict)

    async def look(self, act: Callable[[Page], Any]) -> None:
        """Load the page, do something with it, and be gone in the midst of whatever it shows."""
        async with load(self.node, self.url, replay="exact", **self._cursor) as page:
            self.session_id = page.connected["session_id"]
            await act(page)
        self.shown += page.events
        self._cursor = page.cursor or self._cursor


def contents(events: Sequence[Event], channel: str) -> list[str]:
    """What was said in a channel."""
    return [
        event["content"]
        for event in events
        if event["type"] == "channel_message" and event["channel"] == channel
    ]


def check_logs(events: Sequence[Event]) -> None:
    """Each event of each log was shown once, in order, and none is missing between two."""
    logs: dict[str | None, Reading] = {}
    for event in events:
        if event["type"] in LOGGED:
            name = event.get("channel")
            if name not in logs:
                logs[name] = Reading(Ledger(str(name)), 2, is_exact=True, cursor=event["seq"] - 1)
            logs[name].hear(event)
        else:
            assert event["type"] in {"connected", "presence"}, event
    assert logs.keys() == {None, NEWS, "*"}


async def go_on(other: Client, person: Person, number: int) -> None:
    """While nobody looks, things are said in every log."""
    await other.command("broadcast.send", {"content": f"to all {number}"})
    await other.command("channel.send", {"name": NEWS, "content": f"news {number}"})


async def test_a_page_that_is_reloaded_in_mid_answer_goes_on_where_it_was(
    served: Serving, node: str, report: Callable[[str], None]
) -> None:
    """Again and again: nothing is lost or doubled, in its session, in a channel or among the broadcasts."""
    rng = random.Random(seed := random.randrange(10**6))
    person = Person(node, served.url)

    async def begin(page: Page) -> None:
        await page.command("channel.join", {"name": NEWS})
        await page.command("channel.send", {"name": NEWS, "content": "first"})
        await page.until(lambda page: contents(page.events, NEWS) == ["first"])

    async def ask(page: Page) -> None:
        await page.chat(str(STEPS), f"c{number}")
        await trio.sleep(rng.uniform(0, 0.15))

    async def see_the_end(page: Page) -> None:
        def is_the_end(page: Page) -> bool:
            events = person.shown + page.events
            last = RELOADS - 1
            said = {*contents(events, NEWS), *contents(events, "*")}
            return f"c{last}" in ended(events) and {f"news {last}", f"to all {last}"} <= said

        await page.until(is_the_end)

    async with connect(served.url) as other:
        await other.command("channel.create", {"name": NEWS})
        await other.command("channel.join", {"name": NEWS})
        await person.look(begin)
        for number in range(RELOADS):
            await person.look(ask)
            await go_on(other, person, number)
        await person.look(see_the_end)
    check_logs(person.shown)
    assert contents(person.shown, NEWS) == ["first", *(f"news {number}" for number in range(RELOADS))]
    assert contents(person.shown, "*") == [f"to all {number}" for number in range(RELOADS)]
    assert [event["id"] for event in person.shown if event["type"] == "user_message"] == [
        f"c{number}" for number in range(RELOADS)
    ]
    report(f"reloads of a page, seed {seed}: {RELOADS} reloads, {len(person.shown)} events shown")
