from __future__ import annotations

import io
import sys

import pytest

from bamboo_gateway.cli.transcript import Transcript
from bamboo_gateway.client import ClientEvent, Disconnected
from bamboo_gateway.protocol import (
    AgentComplete,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    ChannelMessage,
    Connected,
    Error,
    Gap,
    Pong,
    Shutdown,
    TokenUsage,
    UserMessage,
)

DONE = AgentComplete("s", TokenUsage())


class Terminal(io.StringIO):
    """A stdout that says it is one."""

    def isatty(self) -> bool:
        """It is not."""
        return True


def show(*events: ClientEvent) -> None:
    """Show them all."""
    transcript = Transcript()
    for event in events:
        transcript.show(event)


def test_the_agents_words_are_all_that_stdout_gets(capsys: pytest.CaptureFixture[str]) -> None:
    """Each answer ends its line; what goes to a file is the answer and nothing else."""
    tool = (AgentToolStart("s", "search", args={"q": 1}), AgentToolComplete("s", "search", "found", ok=True))
    show(AgentToken("s", "Hel"), *tool, AgentToken("s", "lo"), DONE, AgentToken("s", "bye\n"), DONE)
    out, err = capsys.readouterr()
    assert out == "Hello\nbye\n"
    assert err == '[search {"q":1}]\n[search answered: found]\n'


def test_in_a_terminal_a_note_begins_its_own_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the agent was saying is not run into."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    show(AgentToken("s", "Hel"), AgentToolStart("s", "search"), AgentToken("s", "lo"), DONE)
    assert terminal.getvalue() == "Hel\nlo\n"
    assert capsys.readouterr().err == "[search ]\n"


def test_a_terminal_is_not_at_the_agents_mercy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control characters could clear the screen or type for the user; a file gets what was said."""
    said = "a\x1b[2Jb\x07\x9bc\td\n"
    for stdout, shown in ((Terminal(), "a[2Jbc\td\n"), (io.StringIO(), said)):
        monkeypatch.setattr(sys, "stdout", stdout)
        show(AgentToken("s", said), DONE)
        assert stdout.getvalue() == shown


@pytest.mark.parametrize(
    ("event", "note"),
    [
        (AgentToolComplete("s", "search", "nothing there", ok=False), "[search failed: nothing there]"),
        (AgentToolComplete("s", "search", "x " * 200, ok=None), f"[search answered: {'x ' * 98}x …]"),
        (AgentToolComplete("s", "\x1b[2J", "two\nlines"), "[[2J answered: two lines]"),
        (Error("AGENT_ERROR", "it failed"), "AGENT_ERROR: it failed"),
        (UserMessage("s", "hello from there"), "[somebody else: hello from there]"),
        (ChannelMessage("news", "it rains"), "[news: it rains]"),
        (
            Gap(requested=3, earliest=8, latest=9, epoch="e"),
            "[events 3 to 7 are no longer to be had]",
        ),
        (
            Gap(requested=9, earliest=1, latest=3, epoch="e2"),
            "[the gateway has lost events, and counts them anew]",
        ),
        (Shutdown("maintenance"), "[announced: maintenance]"),
        (Disconnected(1012, "restart"), "[connection lost: restart; reconnecting]"),
        (Disconnected(4005, ""), "[connection lost: 4005; reconnecting]"),
        (Connected("s", resumed=True), "[reconnected, session resumed]"),
        (Connected("t", resumed=False), "[reconnected, but the session is lost; t is a new one]"),
    ],
)
def test_what_else_happens_is_noted(
    event: ClientEvent, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line on stderr, and no longer than a few on the screen."""
    show(event)
    assert capsys.readouterr() == ("", note + "\n")


def test_what_means_nothing_to_a_person_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A pong, say."""
    show(Pong(1))
    assert capsys.readouterr() == ("", "")


def test_an_error_ends_the_line_of_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """The next answer begins on its own."""
    show(AgentToken("s", "half"), Error("AGENT_ERROR", "why"), AgentToken("s", "whole"), DONE)
    assert capsys.readouterr().out == "half\nwhole\n"


def test_a_prompt_stands_on_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr: it is no part of what is said."""
    transcript = Transcript()
    transcript.show(AgentToken("s", "half"))
    transcript.prompt()
    assert capsys.readouterr() == ("half\n", "> ")


def test_a_note_at_the_prompt_begins_its_own_line_and_asks_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Until the line has come."""
    transcript = Transcript()
    transcript.prompt()
    transcript.note("[why]")
    transcript.hear()
    transcript.note("[then]")
    assert capsys.readouterr().err == "> \n[why]\n> [then]\n"
