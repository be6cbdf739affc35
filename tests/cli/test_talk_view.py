from __future__ import annotations

import re
from typing import Any

import attrs
import pytest
import trio
from hypothesis import given, strategies as st

from bamboo_gateway.cli.talk_view import TalkView
from bamboo_gateway.client import ClientEvent, Disconnected
from bamboo_gateway.protocol import (
    AgentComplete,
    AgentStart,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    ChannelMessage,
    Connected,
    Error,
    Gap,
    Pong,
    TokenUsage,
    UserMessage,
)

_COLOUR = re.compile(r"\x1b\[[\d;]*m")


@attrs.define
class Paper:
    """A screen on which all that is final can be read."""

    final: str = ""
    live: str = ""
    size: tuple[int, int] = (41, 24)
    waiting: int = 0
    now: float = 0.0

    def update(self, final: str, live: str) -> None:
        """Write it down."""
        self.final += _COLOUR.sub("", final)
        self.live = _COLOUR.sub("", live)

    def clock(self) -> float:
        """Seconds."""
        return self.now


@attrs.define
class Viewed:
    """A view, and its screen."""

    paper: Paper = attrs.field(factory=Paper)
    view: TalkView = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.view = TalkView(self.paper, clock=self.paper.clock)

    def show(self, *events: ClientEvent) -> str:
        """Show them all, and what is final then."""
        for event in events:
            self.view.show(event)
        self.view.paint()
        return self.paper.final


@pytest.fixture
def viewed() -> Viewed:
    """A new one."""
    return Viewed()


def token(text: str) -> AgentToken:
    """A piece of the answer."""
    return AgentToken("s", text, run_id="r")


def complete(*counts: int, ts: int | None = None) -> AgentComplete:
    """The end of the answer."""
    return AgentComplete("s", TokenUsage(*counts), run_id="r", ts=ts)


def test_what_is_final_scrolls_away_and_the_rest_grows(viewed: Viewed) -> None:
    """A block is printed once, when it can no longer change."""
    assert viewed.show(token("# One\nt")) == "One\n"
    assert viewed.paper.live == "\nt\n\n"
    assert viewed.show(token("wo\n\nthr")) == "One\n\ntwo\n"
    assert viewed.paper.live == "\nthr\n\n"
    assert viewed.show(token("ee"), complete()) == "One\n\ntwo\n\nthree\n"
    assert viewed.paper.live == "\n"


SAID = st.lists(
    st.sampled_from(["one", " ", "\n", "\n\n", "- ", "# ", "**", "`", "```\n", "> "]), max_size=20
)


@given(said=SAID.map("".join), data=st.data())
def test_tokens_may_be_split_anywhere(said: str, data: st.DataObject) -> None:
    """And pictures taken at any time: in the end, the same is there."""
    at = sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=6)))
    whole, split = Viewed(), Viewed()
    whole.show(token(said), complete())
    for start, end in zip([0, *at], [*at, len(said)], strict=True):
        if data.draw(st.booleans()):
            split.show(token(said[start:end]))
        else:
            split.view.show(token(said[start:end]))
    split.show(complete())
    assert split.paper.final == whole.paper.final


def test_what_grows_is_never_higher_than_the_screen(viewed: Viewed) -> None:
    """Its end is what one reads."""
    viewed.show(token("\n".join(f"line {number}" for number in range(50))))
    lines = viewed.paper.live.split("\n")
    assert len(lines) < 24
    assert lines[-3:] == ["line 49", "", ""]


def test_a_tool_is_a_card_when_it_has_answered(viewed: Viewed) -> None:
    """Till then it is among what changes; text before it is final."""
    start = AgentToolStart("s", "search", tool_call_id="c", args={"q": 1}, ts=1000)
    assert viewed.show(token("I look"), start) == "I look\n"
    assert viewed.paper.live == '◌ search {"q":1}\n\n'
    end = AgentToolComplete("s", "search", "found", tool_call_id="c", ok=True, ts=1500)
    card = '✓ search {"q":1}                   0.5 s\n  found\n'
    assert viewed.show(end) == f"I look\n\n{card}"
    assert viewed.paper.live == "\n"
    assert viewed.show(AgentToolComplete("s", "fetch", "why", ok=False), token("so"), complete()) == (
        f"I look\n\n{card}✗ fetch\n  why\n\nso\n"
    )


def test_a_tool_that_does_not_come_back_has_failed(viewed: Viewed) -> None:
    """Its answer has ended."""
    start = AgentToolStart("s", "search", tool_call_id="c")
    assert viewed.show(start, Error("AGENT_ERROR", "it broke", run_id="r")) == (
        "✗ search\n  it did not come back\n\n✗ AGENT_ERROR: it broke\n"
    )


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([complete()], ""),
        ([complete(3, 4, 7)], "3 + 4 tokens\n"),
        ([AgentStart("s", run_id="r", ts=1000), complete(3, 4, 7, ts=3500)], "3 + 4 tokens, 2.5 s\n"),
        ([AgentStart("s", run_id="r", ts=1000), complete(ts=3500)], "2.5 s\n"),
        ([Error("AGENT_ABORTED", "by ann", run_id="r")], "✗ aborted\n"),
        ([UserMessage("s", "hello\n\x1b[2Jyou")], "somebody else: hello\n               [2Jyou\n"),
        ([ChannelMessage("news", "it rains")], "… news: it rains\n"),
        ([Disconnected(1006, "gone")], "… connection lost: gone; reconnecting\n"),
        ([Connected("t", resumed=False)], "… reconnected, but the session is lost;\nt is a new one\n"),
        ([Pong(1)], ""),
    ],
)
def test_what_else_happens_is_told(viewed: Viewed, events: list[ClientEvent], text: str) -> None:
    """Each in its own way, or not at all."""
    assert viewed.show(*events) == text


BACK = Connected("s", resumed=True)
GAP = Gap(requested=3, earliest=8, latest=9, epoch="e", session_id="s")


def test_a_return_is_told_when_it_is_known_what_was_lost(viewed: Viewed) -> None:
    """By the next event, or by there being none for a while."""
    assert viewed.show(token("on"), Disconnected(1006, "gone"), BACK) == (
        "… connection lost: gone; reconnecting\n"
    )
    assert viewed.show(token("e\n\n")).endswith("reconnecting\n… reconnected, nothing was lost\n\none\n")
    viewed.show(BACK)
    viewed.paper.now += 0.4
    viewed.view.paint()
    assert viewed.paper.final.endswith("one\n")
    viewed.paper.now += 0.2
    viewed.view.paint()
    assert viewed.paper.final.endswith("one\n\n… reconnected, nothing was lost\n")


def test_a_return_with_a_gap_claims_nothing(viewed: Viewed) -> None:
    """The gap says what is missing."""
    assert viewed.show(BACK, GAP, token("x")) == "… events 3 to 7 are no longer to be had\n"


def test_who_waits_is_told_for_how_long(viewed: Viewed) -> None:
    """And how to wait no longer."""
    viewed.view.show_person("hello\nthere")
    viewed.view.wait()
    viewed.paper.now, viewed.paper.waiting = 12.3, 1
    viewed.view.paint()
    assert viewed.paper.final == "> hello\n  there\n"
    assert viewed.paper.live == "\n… 12 s, Ctrl-C aborts; 1 more line waits\n\n"
    viewed.paper.waiting = 2
    viewed.view.paint()
    assert "2 more lines wait" in viewed.paper.live
    viewed.view.rest()
    viewed.view.paint()
    assert viewed.paper.live == "\n"


def test_what_a_person_says_stands_behind_the_mark(viewed: Viewed) -> None:
    """Also what has no blanks to break it at."""
    viewed.view.show_person("竹" * 20 + "\n" + "x" * 40)
    viewed.view.paint()
    assert viewed.paper.final == f"> {'竹' * 19}\n  竹\n  {'x' * 38}\n  xx\n"


def test_what_was_begun_is_shown_at_the_end(viewed: Viewed) -> None:
    """Whoever leaves in mid-answer has read all that there was."""
    viewed.show(BACK, token("half an"))
    viewed.view.close()
    assert viewed.paper.final == "… reconnected, nothing was lost\n\nhalf an\n"
    assert viewed.paper.live == "\n"


def said(role: str, content: str, **fields: Any) -> dict[str, Any]:
    """A message as `session.history` tells it."""
    return {"role": role, "content": content, "status": "complete", "run_id": "r", "ts": 1000} | fields


def test_the_past_looks_as_the_present_did(viewed: Viewed) -> None:
    """Who asked what, cards where they were, and what it has cost."""
    call = {
        "id": "c",
        "tool": "t",
        "result": "x",
        "ok": True,
        "position": 4,
        "started_at": 0,
        "completed_at": 90,
    }
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    viewed.view.show_history(
        [said("user", "hello"), said("assistant", "One.Two.", tool_calls=[call], usage=usage)]
    )
    viewed.view.paint()
    assert viewed.paper.final == (
        "> hello\n\nOne.\n\n✓ t                                0.1 s\n  x\n\nTwo.\n1 + 2 tokens\n"
    )


def test_an_answer_that_failed_says_why(viewed: Viewed) -> None:
    """If that is known."""
    error = {"code": "AGENT_ERROR", "message": "it broke"}
    call = {"id": "c", "tool": "t"}
    viewed.view.show_history(
        [
            said("assistant", "Half", status="failed", error=error, tool_calls=[call]),
            said("assistant", "Half", status="interrupted"),
        ]
    )
    viewed.view.paint()
    assert viewed.paper.final == (
        "✗ t\n  it did not come back\n\nHalf\n\n✗ AGENT_ERROR: it broke\n\n"
        "Half\n\n✗ interrupted: its end is missing\n"
    )


def test_an_answer_that_runs_goes_on_to_grow(viewed: Viewed) -> None:
    """The events that follow the history are its continuation, to the letter."""
    call = {"id": "c", "tool": "t", "position": 6, "started_at": 2000}
    viewed.view.show_history([said("assistant", "Let me.And", status="running", tool_calls=[call])])
    viewed.view.paint()
    assert viewed.paper.final == "Let me\n"
    assert viewed.paper.live == "\n.And\n◌ t\n\n"
    end = AgentToolComplete("s", "t", "x", tool_call_id="c", ts=3000)
    viewed.show(end, token("so on"), complete(ts=5000))
    assert viewed.paper.final == (
        "Let me\n\n.And\n\n✓ t                                1.0 s\n  x\n\nso on\n4.0 s\n"
    )


def test_only_the_end_of_long_messages_is_recalled(viewed: Viewed) -> None:
    """Whoever comes back wants to know where they were."""
    viewed.view.show_history([said("user", "one two"), said("assistant", "three four")], max_chars=4)
    viewed.view.paint()
    assert viewed.paper.final == "> … two\n\n…four\n"


async def test_pictures_are_taken_when_something_has_changed(autojump_clock: trio.testing.MockClock) -> None:
    """A burst is one; while an answer is waited for, the time goes on."""
    viewed = Viewed()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(viewed.view.run_painter)
        await trio.sleep(60)
        assert viewed.paper.live == ""
        for _ in range(100):
            viewed.view.show(token("x"))
        await trio.sleep(0.05)
        assert viewed.paper.live.count("x") == 100
        viewed.view.wait()
        await trio.sleep(5)
        viewed.paper.now = 7
        await trio.sleep(2)
        assert "7 s" in viewed.paper.live
        viewed.view.show(BACK)
        viewed.paper.now = 8
        await trio.sleep(1)
        assert "nothing was lost" in viewed.paper.final
        nursery.cancel_scope.cancel()
