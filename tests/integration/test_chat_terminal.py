"""`chat` and its like, as a person sees them on a screen of 80 × 24."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.cli.process import HANG, Serving, run, serving
from tests.client.proxy import proxy
from tests.tmux import Tmux, tmux

pytestmark = pytest.mark.integration

AGENT = """
import trio

ANSWER = '''# Bamboo

A **fast** grass, see `edulis` and <b>this</b>.
It has two lines.

1. First
2. Then
   - at last

```python
def grow(days):
    return 0.91 * days
```

| name | cm |
|------|---:|
| edulis | 91 |
'''

async def answer(turn):
    said = turn.message.content
    if said == "tools":
        async with turn.tool("search", {"q": "bamboo"}) as call:
            call.result = "one\\ntwo\\nthree\\nfour"
        try:
            async with turn.tool("fetch", {"url": "x" * 200}):
                raise ValueError
        except ValueError:
            pass
        await turn.token("Looked up.")
    elif said == "markdown":
        for character in ANSWER:
            await turn.token(character)
    elif said == "hostile":
        await turn.token("a\\x1b[2Jb &#27;[31m \\x1b]0;title\\x07 c\\x9b5mend [l](http://x\\x1b[2Jy)")
    elif said.startswith("count "):
        for number in range(int(said.split()[1])):
            await turn.token(f"{number} ")
    elif said == "hang":
        await turn.token("I begin.\\n\\nAnd then")
        await trio.sleep_forever()
    else:
        await turn.token(f"You said {said!r}.")
"""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an agent that says what it is asked for."""
    folder = tmp_path_factory.mktemp("agent")
    (folder / "shown.py").write_text(AGENT)
    return folder


@pytest.fixture(scope="module")
def served(agent: Path) -> Iterator[Serving]:
    """A gateway with that agent."""
    with serving("--agent", "python:shown:answer", env={"PYTHONPATH": str(agent)}) as server:
        yield server


def is_asking(screen: str) -> bool:
    """Is nothing under way?"""
    return screen.endswith("\n>") and "Ctrl-C aborts" not in screen


def is_growing(screen: str) -> bool:
    """Is an answer under way, and the input line drawn below it?"""
    return "Ctrl-C aborts" in screen and screen.endswith("\n>")


def answered(screen: Tmux, line: str, end: str) -> str:
    """Say *line*, and wait for the *end* of the answer; return what is on the screen then."""
    screen.say(line)
    return screen.wait_for(lambda shown: end in shown.rpartition(f"> {line}")[2] and is_asking(shown))


def test_an_answer_is_laid_out(served: Serving) -> None:
    """Headings, lists, code and tables, in the order in which they were said; and each word once."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        shown = answered(screen, "markdown", "edulis   91")
        answer = shown.partition("> markdown\n")[2]
        assert re.sub(r"\d+\.\d s", "N s", answer) == "\n".join(
            [
                *("", "Bamboo", ""),
                *("A fast grass, see edulis and <b>this</b>.", "It has two lines.", ""),
                *(" 1. First", " 2. Then", "     • at last", ""),
                *("  def grow(days):", "      return 0.91 * days", ""),
                *("name     cm", "───────────", "edulis   91"),
                *("N s", "", ">"),
            ]
        )
        assert "\x1b[1mfast" in screen.colours()
        screen.press("C-d")
        screen.wait_for("EXIT 0")


def test_an_answer_that_grows_is_no_louder_than_it_will_be(served: Serving) -> None:
    """The input's own sign is bold; what stands above it is not."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        screen.say("hang")
        screen.wait_for(lambda shown: "And then" in shown and is_growing(shown))
        [line] = [line for line in screen.colours().splitlines() if "And then" in line]
        assert "1m" not in line.partition("And then")[0]
        screen.press("C-c")
        screen.wait_for(is_asking)


def test_a_long_answer_is_on_the_screen_once(served: Serving) -> None:
    """Whatever scrolls away while the rest still grows: nothing is lost, and nothing doubled."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        answered(screen, "count 5000", "4999")
        said = screen.everything().partition("> count 5000\n")[2].rpartition("\n>")[0]
        words = [word for word in said.split() if word.isdecimal()]
        assert words == [str(number) for number in range(5000)]


def test_tool_calls_are_cards(served: Serving) -> None:
    """What was called, with what, how long it took, what came of it; a failed one is marked."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        shown = answered(screen, "tools", "Looked up.")
        card = re.sub(r"\d+\.\d s", "N s", shown.partition("> tools\n\n")[2]).split("\n")
        assert card[:4] == [
            '✓ search {"q":"bamboo"}' + " " * 51 + "N s",
            "  one",
            "  two",
            "  three (and 1 more line)",
        ]
        assert re.fullmatch(r'✗ fetch \{"url":"x+…  N s', card[4])
        assert card[5].startswith("  the tool failed")
        assert card[6:8] == ["", "Looked up."]


def test_a_terminal_is_not_at_the_agents_mercy(served: Serving) -> None:
    """No sequence of its making gets there, by whatever name Markdown has for it."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        shown = answered(screen, "hostile", "end")
        assert "a[2Jb" in shown
        assert "c5mend" in shown
        assert ":help says what can be done here" in shown  # the screen was not cleared
        assert screen.run("display-message", "-p", "#{pane_title}").strip() != "title"


def test_ctrl_c_aborts_then_empties_then_leaves(served: Serving) -> None:
    """What was typed meanwhile is still there; what was said before is, too."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        screen.say("hang")
        screen.wait_for("And then")
        screen.type("typed meanwhile")
        screen.wait_for("> typed meanwhile")
        screen.press("C-c")
        shown = screen.wait_for("✗ aborted")
        assert "I begin.\n\nAnd then\n" in shown
        shown = screen.wait_for(lambda shown: shown.endswith("> typed meanwhile"))
        screen.press("C-c")
        screen.wait_for(is_asking)
        screen.press("C-c")
        screen.wait_for("EXIT 0")
        assert not any(line == ">" for line in screen.screen().split("\n"))  # the input line is gone


def test_lines_wait_for_the_answer_before(served: Serving) -> None:
    """They are said in order; Ctrl-C takes them back, and says which."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        screen.say("hang")
        screen.wait_for("And then")
        screen.say("wait here")
        screen.wait_for("Ctrl-C aborts; 1 more line waits")
        screen.press("C-c")
        screen.wait_for("not said: wait here")
        answered(screen, "next", "You said 'next'.")


def test_lines_can_have_line_breaks(served: Serving) -> None:
    """By Alt-Enter, by a backslash, and in what is pasted."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        screen.type("one")
        screen.press("M-Enter")
        screen.type("two\\")
        screen.press("Enter")
        screen.paste("three\nfour")
        screen.wait_for("> one\n  two\n  three\n  four")
        screen.press("Enter")
        screen.wait_for(r"You said 'one\ntwo\nthree\nfour'.")


def test_what_was_typed_is_there_the_next_time(served: Serving, tmp_path: Path) -> None:
    """In a file for this user alone; nothing that looks like a token, and not the one in use."""
    env = {"XDG_STATE_HOME": str(tmp_path), "BAMBOO_TOKEN": "sesame"}
    with tmux("chat", "--url", served.url, env=env) as screen:
        screen.wait_for(is_asking)
        for line in ("first", "second", "is sesame right?", "bamboo_01234567_secret"):
            answered(screen, line, f"You said '{line}'.")
        screen.press("C-d")
        screen.wait_for("EXIT 0")
    [file] = tmp_path.rglob("*.jsonl")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line) for line in file.read_text().splitlines()] == ["first", "second"]
    with tmux("chat", "--url", served.url, env=env) as screen:
        screen.wait_for(is_asking)
        screen.press("Up")
        screen.wait_for(lambda shown: shown.endswith("> second"))
        screen.press("Up")
        screen.wait_for(lambda shown: shown.endswith("> first"))


def test_commands_are_completed(served: Serving) -> None:
    """While one types, with what they do; a slip is not sent to the agent."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        screen.type(":")
        screen.wait_for(":sessions  pick another session")
        screen.type("hel")
        screen.wait_for(lambda shown: ":sessions" not in shown and ":help  what" in shown)
        screen.press("Tab")
        screen.wait_for(lambda shown: "> :help" in shown)
        screen.press("Enter")
        screen.wait_for("Ctrl-R searches there")
        screen.say(":hepl")
        screen.wait_for("there is no :hepl")
        answered(screen, "/tool x", "You said '/tool x'.")
        screen.type("/")
        screen.wait_for(lambda shown: shown.endswith("/tool"))


async def test_a_lost_connection_is_told_and_nothing_is_lost(served: Serving) -> None:
    """In mid-answer, and while the person is at the prompt."""
    async with proxy(served.url) as network:
        with tmux("chat", "--url", network.url) as screen:
            await trio.to_thread.run_sync(screen.wait_for, is_asking)
            network.break_off()
            await trio.to_thread.run_sync(screen.wait_for, "… connection lost: ")
            network.mend()
            await trio.to_thread.run_sync(screen.wait_for, "… reconnected, nothing was lost")
            screen.say("hang")
            await trio.to_thread.run_sync(screen.wait_for, "And then")
            network.break_off()
            await trio.to_thread.run_sync(screen.wait_for, lambda shown: shown.count("connection lost") == 2)
            network.mend()
            shown = await trio.to_thread.run_sync(
                screen.wait_for, lambda shown: shown.count("nothing was lost") == 2 and is_growing(shown)
            )
            assert shown.count("And then") == 1
            screen.press("C-c")
            await trio.to_thread.run_sync(screen.wait_for, "✗ aborted")


def test_a_gateway_that_is_gone_ends_the_talk(agent: Path) -> None:
    """Also while nobody types; the reason is in the last line, and the terminal as it was."""
    with (
        serving("--agent", "python:shown:answer", env={"PYTHONPATH": str(agent)}) as server,
        tmux("chat", "--url", server.url, "--reconnect", "0") as screen,
    ):
        screen.wait_for(is_asking)
        server.stop()
        shown = screen.wait_for("EXIT 1")
        assert "bamboo-gateway: the connection is closed: 1012" in shown
        assert "\n>" not in shown


def test_a_session_is_picked_from_a_list(agent: Path) -> None:
    """Last used first, with what was asked there last; by arrow keys, or by typing a part of it."""
    with serving("--agent", "python:shown:answer", env={"PYTHONPATH": str(agent)}) as server:
        env = {"BAMBOO_URL": server.url}
        for line in ("about apples", "about pears", "about plums"):
            run("chat", stdin=f"{line}\n", env=env)
        with tmux("chat", "--pick", env=env) as screen:
            shown = screen.wait_for(lambda shown: "apples" in shown and "plums" in shown)
            rows = [line for line in shown.split("\n") if "about" in line]
            assert [row.split()[-1] for row in rows] == ["plums", "pears", "apples"]
            assert rows[0].startswith("> ")
            screen.press("Down")
            screen.wait_for(lambda shown: re.search(r"^> .*pears$", shown, re.MULTILINE) is not None)
            screen.type("appl")
            screen.wait_for(lambda shown: "pears" not in shown)
            screen.press("Enter")
            shown = screen.wait_for(is_asking)
            assert "> about apples\n\nYou said 'about apples'." in shown
            assert ", resumed\n" in shown
            screen.say(":sessions")
            screen.wait_for("Come back to:")
            screen.press("Escape")
            screen.wait_for(lambda shown: is_asking(shown) and shown.count("about apples") >= 2)
            screen.say(":new")
            screen.wait_for(", new\n")
            screen.say(":quit")
            screen.wait_for("EXIT 0")
        with tmux("chat", "--pick", env=env) as screen:
            screen.wait_for("Come back to:")
            screen.press("C-c")
            screen.wait_for("EXIT 130")


def test_who_comes_back_in_mid_answer_sees_all_of_it(served: Serving) -> None:
    """What was said before, and then what is still being said, without a seam; `:abort` ends it."""
    with tmux("chat", "--url", served.url) as first:
        first.wait_for(is_asking)
        answered(first, "hello", "You said 'hello'.")
        first.say("hang")
        first.wait_for("And then")
        with tmux("chat", "--url", served.url, "--last") as second:
            shown = second.wait_for(", resumed\n")
            shown = second.wait_for("And then")
            assert shown.index("> hello") < shown.index("You said 'hello'.") < shown.index("> hang")
            assert shown.count("I begin.") == shown.count("And then") == 1
            second.say(":abort")
            second.wait_for("✗ aborted")
            answered(second, "here", "You said 'here'.")
            first.wait_for("somebody else: here")
            second.say(":history 2")
            second.wait_for("the last 2 messages, after 4 older ones:")


def test_a_signal_leaves_the_terminal_in_order(served: Serving) -> None:
    """Whoever ends the process from outside finds the shell as it was."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        [process] = screen.children()
        os.kill(process, signal.SIGTERM)
        screen.wait_for("EXIT 143")
        attributes = termios.tcgetattr(os.open(screen.tty(), os.O_RDONLY | os.O_NOCTTY))
        assert attributes[3] & termios.ECHO
        assert attributes[3] & termios.ICANON


def test_an_interrupt_from_outside_is_a_ctrl_c(served: Serving) -> None:
    """Also where it does not come from the keys."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        [process] = screen.children()
        screen.say("hang")
        screen.wait_for("And then")
        os.kill(process, signal.SIGINT)
        screen.wait_for("✗ aborted")
        os.kill(process, signal.SIGINT)
        screen.wait_for("EXIT 0")


def test_a_closed_window_ends_the_talk(served: Serving) -> None:
    """The process does not stay behind."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        [process] = screen.children()
        gone = os.pidfd_open(process)
        screen.run("kill-server")
        assert select.select([gone], [], [], HANG)[0]
        os.close(gone)


def test_what_cannot_be_done_is_said(served: Serving) -> None:
    """And the talk goes on."""
    with serving() as server, tmux("chat", "--pick", "--url", server.url) as screen:
        assert "no session to come back to" in screen.wait_for("EXIT 1")
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        screen.say(":history many")
        screen.wait_for(":history takes a number of messages")
        screen.say(":abort")
        answered(screen, "hello", "You said 'hello'.")


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {}])
def test_colours_are_left_out_where_nobody_wants_them(served: Serving, env: dict[str, str]) -> None:
    """Bold is no colour (no-color.org)."""
    with tmux("chat", "--url", served.url, env=env) as screen:
        screen.wait_for(is_asking)
        answered(screen, "markdown", "edulis   91")
        colours = set(re.findall(r"\x1b\[[\d;]*?(3[0-7]|38;5;\d+|9[0-7])[\d;]*m", screen.colours()))
        assert bool(colours) is not bool(env)


@pytest.mark.parametrize(("args", "env"), [(["--plain"], {}), ([], {"TERM": "dumb"})])
def test_a_plain_talk_is_as_it_comes(served: Serving, args: list[str], env: dict[str, str]) -> None:
    """On request, and on a terminal that can do nothing else."""
    with tmux("chat", "--url", served.url, *args, env=env) as screen:
        screen.wait_for(", new\n>")
        screen.say("markdown")
        screen.wait_for("A **fast** grass")


def test_a_smaller_window_is_drawn_anew(served: Serving) -> None:
    """What is asked next fits in it."""
    with tmux("chat", "--url", served.url) as screen:
        screen.wait_for(is_asking)
        screen.resize(40, 12)
        shown = answered(screen, "count 60", "59")
        assert max(map(len, shown.split("\n"))) <= 40


def test_serve_greets_who_starts_it(tmp_path: Path) -> None:
    """On stderr, of a terminal: where the console is, how to chat, which agent and storage."""
    env = {"BAMBOO_STORAGE": f"sqlite:{tmp_path}/gateway.db"}
    with tmux("serve", "--bind", "127.0.0.1:0", env=env) as screen:
        shown = screen.wait_for("Ctrl-C stops it.")
        [url] = re.findall(r"listening on (ws://127\.0\.0\.1:\d+)\n", shown)
        assert f"  console  {url.replace('ws', 'http', 1)}/\n" in shown
        assert f"  chat     bamboo-gateway chat --url {url}\n" in shown
        screen.press("C-c")
        screen.wait_for("EXIT 0")
