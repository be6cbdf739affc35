from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from bamboo_gateway import __version__
from bamboo_gateway.cli import main
from bamboo_gateway.client import ClosedError, connect
from bamboo_gateway.protocol import Shutdown
from tests.cli.process import HANG, Serving, run, serving, start, terminal
from tests.client.peer import Peer, peer
from tests.client.proxy import Cut, proxy
from tests.storage.test_sqlite_migrations import make_old

pytestmark = pytest.mark.integration

TOKEN = "sesame"

LONG = "on and on " * 300 + "\n"
"""What takes the echo agent long to say back, at its 50 words a second."""


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """A gateway for all tests that leave it as it is."""
    with serving("--auth-token", TOKEN) as server:
        yield server


# ── serve ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_one_line_and_stops_by_a_signal(signum: signal.Signals) -> None:
    """The line has the real port; all else goes to stderr; the exit code is 0."""
    with serving() as server:
        host, port = server.url.removeprefix("ws://").split(":")
        assert server.line == f"listening on ws://{host}:{port}\n"
        assert host == "127.0.0.1"
        assert int(port) > 0
        code, out, err = server.stop(signum)
    assert (code, out) == (0, "")
    assert f"signal={signum.name}" in err
    assert "Traceback" not in err


async def test_serve_tells_its_clients_before_it_stops() -> None:
    """First the notice, then 1012 with a reason."""
    with serving() as server:
        async with connect(server.url, reconnect=None) as client:
            server.process.send_signal(signal.SIGTERM)
            assert isinstance(await anext(client), Shutdown)
            with pytest.raises(ClosedError) as error:
                await anext(client)
            assert error.value.code == 1012
        assert server.process.wait(HANG) == 0


def test_a_second_signal_ends_serve_at_once() -> None:
    """A client that holds up the stop cannot hold it up against the will of who stops it."""
    with serving("--close-timeout", "1h") as server:
        host, port = server.url.removeprefix("ws://").split(":")
        with socket.create_connection((host, int(port))) as stalling:
            stalling.sendall(
                b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            assert stalling.recv(4096).startswith(b"HTTP/1.1 101")
            server.process.send_signal(signal.SIGTERM)
            assert stalling.recv(4096)  # the first signal has been obeyed
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(HANG) == -signal.SIGTERM


def test_serve_says_that_the_port_is_taken(served: Serving) -> None:
    """One line, exit code 1, and nothing on stdout."""
    address = served.url.removeprefix("ws://")
    ran = run("serve", "--bind", address)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        f"bamboo-gateway: cannot listen on {address}: Address already in use; "
        "take another --bind, or ask `bamboo-gateway doctor` who does\n"
    )


def test_serve_says_that_there_is_no_such_host() -> None:
    """The same for an address that is not this machine's."""
    ran = run("serve", "--bind", "nobody.invalid:0", "--auth-token", "x")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("bamboo-gateway: cannot listen on nobody.invalid:0: ")
    assert ran.stderr.count("\n") == 1


def test_serve_obeys_flag_before_environment_before_file(tmp_path: Path) -> None:
    """As one sees from outside: the token of the flag, the limit of the variable, the log of the file."""
    file = tmp_path / "bamboo.toml"
    file.write_text("auth_token = 'file'\nmax_message_bytes = 1111\nlog_format = 'json'\n")
    env = {"BAMBOO_CONFIG": str(file), "BAMBOO_AUTH_TOKEN": "variable", "BAMBOO_MAX_MESSAGE_BYTES": "2222"}
    with serving("--auth-token", "flag", env=env) as server:
        result = call(server.url, "gateway.info", token="flag")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["limits"]["max_message_bytes"] == 2222
        _, _, err = server.stop()
    assert [json.loads(line)["event"] for line in err.splitlines()][-2:] == ["stopping", "stopped"]
    assert "flag" not in err


def test_serve_says_that_it_brings_an_old_file_forward(tmp_path: Path) -> None:
    """With a great one it takes a while before anybody can connect."""
    with serving("--storage", f"sqlite:{make_old(tmp_path / 'old.db')}") as server:
        assert server.url
        _, _, err = server.stop()
    began, done, *_ = err.splitlines()
    assert "bringing the storage forward" in began
    assert "from_version=1" in began
    assert "the storage is brought forward" in done


def test_serve_refuses_to_open_a_console_that_is_none() -> None:
    """Before it listens."""
    ran = run("serve", "--open", "--no-console", "--bind", "127.0.0.1:0")
    assert ran.returncode == 2
    assert "--open: the setting `console` is off" in ran.stderr


async def test_serve_opens_the_console_in_a_browser(tmp_path: Path) -> None:
    """In the one that is there; the line on stdout stays the only one."""
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    os.mkfifo(opened)
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    with serving("--open", env={"BROWSER": f"{browser} %s"}) as server:
        url = await trio.to_thread.run_sync(opened.read_text)
        assert url == f"{server.url.replace('ws', 'http', 1)}/\n"
        code, out, _ = server.stop()
    assert (code, out) == (0, "")


def test_serve_runs_an_agent_of_ones_own(tmp_path: Path) -> None:
    """`python:module:function` is found from the directory where `serve` is started."""
    (tmp_path / "own.py").write_text(
        "async def answer(turn):\n    await turn.token(f'<{turn.message.content}>')\n"
    )
    with serving("--agent", "python:own:answer", env={"PYTHONPATH": str(tmp_path)}) as server:
        ran = run("chat", stdin="hello\n", env={"BAMBOO_URL": server.url})
    assert ran.stdout == "<hello>\n"


def test_the_installed_command_and_the_module_are_one() -> None:
    """`python -m bamboo_gateway` names itself as the command does."""
    ran = run("--version")
    assert (ran.returncode, ran.stdout) == (0, f"bamboo-gateway {__version__}\n")


# ── call ─────────────────────────────────────────────────────────────────────


def call(url: str, *args: str, token: str = TOKEN) -> Result:
    """Run `call` in this process: it needs no terminal."""
    return CliRunner().invoke(main, ["call", *args], env={"BAMBOO_URL": url, "BAMBOO_TOKEN": token})


def test_call_prints_the_result_as_json(served: Serving) -> None:
    """One line on stdout, whatever letters are in it."""
    result = call(served.url, "echo", '{"q": ["竹", 1.5, null]}')
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == '{"q":["竹",1.5,null]}\n'


def test_call_leaves_no_session_behind(served: Serving) -> None:
    """It runs in a session of its own, which is gone afterwards, even where the command fails."""

    def count() -> int:
        """How many there are, with that of `session.list` itself; other tests leave theirs."""
        return len(json.loads(call(served.url, "session.list", '{"limit": 500}').stdout)["sessions"])

    before = count()
    assert call(served.url, "status").exit_code == 0
    assert call(served.url, "no.such.thing").exit_code == 1
    assert count() == before


def test_call_runs_in_the_session_that_is_named(served: Serving) -> None:
    """And leaves it there."""
    session = json.loads(call(served.url, "session.create", '{"name": "kept"}').stdout)["session_id"]
    for _ in range(2):
        status = json.loads(call(served.url, "session.get", "--session", session).stdout)
        assert (status["session_id"], status["name"]) == (session, "kept")
    assert call(served.url, "session.delete", "--session", session).exit_code == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["no.such.thing"], "UNKNOWN_COMMAND: "),
        (["session.get", '{"session_id": 5}'], "INVALID_ARGUMENTS: "),
        (["status", "--session", "nix"], "the gateway knows no session 'nix'"),
        (["status", "--token", "wrong"], "UNAUTHORIZED: "),
        (["status", "--token", "\udcff"], "Connect cannot be encoded: "),
        (["status", "--url", "http://127.0.0.1"], "'http://127.0.0.1' is no WebSocket URL, such as "),
        (["status", "--url", "ws://127.0.0.1:1"], "cannot reach ws://127.0.0.1:1: Connection refused"),
    ],
)
def test_call_tells_a_failure_in_one_line(served: Serving, args: list[str], says: str) -> None:
    """Exit code 1, nothing on stdout, no traceback."""
    result = call(served.url, *args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"bamboo-gateway: {says}"), result.stderr
    assert result.stderr.count("\n") == 1


def test_call_refuses_an_argument_that_the_command_does_not_take(served: Serving) -> None:
    """The gateway would pass over it. Nothing is run; the nearest one is named, and exit code 2 says it."""
    result = call(served.url, "session.list", '{"limti": 5}')
    assert (result.exit_code, result.stdout) == (2, "")
    assert "session.list takes limit, after" in result.stderr
    assert result.stderr.endswith("and no 'limti'; did you mean 'limit'?\n")
    assert call(served.url, "gateway.info", '{"x": 1}').stderr == (
        "bamboo-gateway: gateway.info takes no arguments, and no 'x'\n"
    )


def test_call_can_be_interrupted() -> None:
    """Ctrl-C ends it with 130 and without a word."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        start("call", "status", "--url", f"ws://127.0.0.1:{silent.getsockname()[1]}") as process,
    ):
        accepted, _ = silent.accept()
        with accepted:
            accepted.recv(1)  # it waits for an answer now
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=HANG)
    assert (process.returncode, out, err.strip()) == (130, "", "")


# ── chat ─────────────────────────────────────────────────────────────────────


def chat(server: Serving, stdin: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run `chat` with a pipe."""
    return run("chat", *args, stdin=stdin, env={"BAMBOO_URL": server.url, "BAMBOO_TOKEN": TOKEN})


def test_chat_answers_each_line_of_a_pipe(served: Serving) -> None:
    """The agent's words are on stdout, everything else on stderr; empty lines are nothing."""
    ran = chat(served, 'hello there\n\n/tool search {"q": 1}\nbye')
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[0] == "hello there"
    assert ran.stdout.splitlines()[-1] == "bye"
    session, *tools = ran.stderr.splitlines()
    assert session.startswith("session ")
    assert session.endswith(", new")
    assert tools == ['[search {"q":1}]', '[search answered: {"q":1}]']


def test_chat_tells_by_its_exit_code_that_a_line_failed(served: Serving) -> None:
    """A script can rely on it; the other lines are answered all the same."""
    ran = chat(served, "/fail on purpose\nhello\n")
    assert (ran.returncode, ran.stdout) == (1, "hello\n")
    assert "AGENT_ERROR: on purpose\n" in ran.stderr


def test_chat_comes_back_to_its_session(served: Serving) -> None:
    """The agent remembers."""
    session = chat(served, "remember me\n").stderr.split()[1].rstrip(",")
    ran = chat(served, "/history\n", "--session", session)
    assert ran.stderr == f"session {session}, resumed\n"
    assert "remember me" in ran.stdout


def test_chat_refuses_a_session_that_is_unknown(served: Serving) -> None:
    """It says what to do, and leaves no new one behind, unless that is asked for."""

    def count() -> int:
        return len(json.loads(call(served.url, "session.list", '{"limit": 500}').stdout)["sessions"])

    before = count()
    ran = chat(served, "hello\n", "--session", "nix")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "there is no session nix" in ran.stderr
    assert "sessions list" in ran.stderr
    assert "--create" in ran.stderr
    assert count() == before
    ran = chat(served, "hello\n", "--session", "nix", "--create")
    assert (ran.returncode, ran.stdout) == (0, "hello\n")
    assert ran.stderr.endswith(", new; the gateway knows no nix\n")


def test_chat_comes_back_to_the_last_session() -> None:
    """The one that was used last, not the one that was made last; where there is none, it says so."""
    with serving() as server:
        env = {"BAMBOO_URL": server.url}
        ran = run("chat", "--last", stdin="hello\n", env=env)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert "no session to come back to" in ran.stderr
        first, second = (run("chat", stdin=f"{word}\n", env=env).stderr.split()[1] for word in ("a", "b"))
        assert run("chat", "--last", env=env).stderr.split()[1] == second
        run("chat", "--session", first.rstrip(","), stdin="again\n", env=env)
        assert run("chat", "--last", env=env).stderr.split()[1] == first


def test_chat_says_what_a_token_lacks_to_find_the_last_session(tmp_path: Path) -> None:
    """Whoever may not list sessions can still name one."""
    tokens = str(tmp_path / "tokens.json")
    token = run("token", "create", "--tokens", tokens, "--user", "ann", "--scope", "chat").stdout.strip()
    with serving("--tokens", tokens) as server:
        ran = run("chat", "--last", env={"BAMBOO_URL": server.url, "BAMBOO_TOKEN": token})
    assert ran.returncode == 1
    assert "FORBIDDEN" in ran.stderr
    assert "--session ID comes back to a session whose id you know" in ran.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--url", "ws://127.0.0.1:1"], "Connection refused; --url says where the gateway is"),
        (["--url", "http://127.0.0.1"], "no WebSocket URL"),
        (["--token", "wrong"], "UNAUTHORIZED: the token is missing or wrong; show one with BAMBOO_TOKEN"),
        (["--token", "\udcff"], "Connect cannot be encoded: "),
    ],
)
def test_chat_says_why_it_cannot_begin(served: Serving, args: list[str], says: str) -> None:
    """In one line, with what can be done."""
    ran = chat(served, "hello\n", *args)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert says in ran.stderr
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--last", "--session", "x"], "give one of them"),
        (["--last", "--pick"], "give one of them"),
        (["--pick"], "--pick needs a terminal"),
    ],
)
def test_chat_refuses_options_that_make_no_sense_together(args: list[str], says: str) -> None:
    """Before it connects anywhere."""
    ran = run("chat", *args)
    assert ran.returncode == 2
    assert says in ran.stderr


def test_a_piped_chat_waits_where_the_gateway_has_no_room() -> None:
    """A line that may be said later is said later, and once; stderr tells of it."""
    with serving("--message-rate", "1") as server:
        lines = [f"line {number}" for number in range(13)]
        ran = run("chat", stdin="\n".join(lines) + "\n", env={"BAMBOO_URL": server.url})
    assert (ran.returncode, ran.stdout.splitlines()) == (0, lines)
    assert "[waiting: RATE_LIMITED: " in ran.stderr


def _hasty() -> AbstractContextManager[Serving]:
    """A gateway that gives an answer no time to come to its end."""
    return serving("--drain-timeout", "0.001")


def test_chat_tells_that_the_gateway_is_gone() -> None:
    """In the midst of an answer: one line, exit code 1."""
    with _hasty() as server, start("chat", "--url", server.url, "--reconnect", "0") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LONG)
        process.stdin.flush()
        process.stdout.read(1)
        server.process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=HANG)
    assert process.returncode == 1
    assert err.splitlines()[-1].startswith("bamboo-gateway: the connection is closed: 1012, ")


def test_chat_gives_up_in_the_end() -> None:
    """A gateway that stays away ends the talk: a note when it went, one line at the end, exit code 1."""
    with _hasty() as server, start("chat", "--url", server.url, "--reconnect", "0.5") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LONG)
        process.stdin.flush()
        process.stdout.read(1)
        server.process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=HANG)
    assert process.returncode == 1
    assert "[connection lost: the gateway restarts; reconnecting]" in err.splitlines()
    assert err.splitlines()[-1].startswith("bamboo-gateway: the connection is closed: ")
    assert err.splitlines()[-1].endswith("gave up after 0.5 seconds")


async def test_chat_goes_on_over_a_lost_connection(served: Serving) -> None:
    """A script reads the whole answer, and nothing of it twice; the exit code says that all went well."""
    async with proxy(served.url, [Cut(down_bytes=3000)]) as network:
        env = {"BAMBOO_URL": network.url, "BAMBOO_TOKEN": TOKEN}
        words = " ".join(str(number) for number in range(60))
        ran = await trio.to_thread.run_sync(partial(run, "chat", stdin=f"{words}\n", env=env))
        assert network.accepted == 2
    assert (ran.returncode, ran.stdout) == (0, f"{words}\n")
    _, lost, back = ran.stderr.splitlines()
    assert lost == "[connection lost: it broke off without a close frame; reconnecting]"
    assert back == "[reconnected, session resumed]"


def test_chat_refuses_a_time_that_is_none(served: Serving) -> None:
    """It was called wrongly."""
    ran = chat(served, "", "--reconnect", "soon")
    assert ran.returncode == 2
    assert "'soon' is no duration" in ran.stderr


def test_chat_ends_quietly_when_nobody_reads_on(served: Serving) -> None:
    """`bamboo-gateway chat | head` is no reason for a traceback."""
    with start("chat", "--url", served.url, "--token", TOKEN) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(LONG)
        process.stdin.flush()
        process.stdout.read(1)
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 1
    assert "Traceback" not in err


def test_chat_in_a_terminal(served: Serving) -> None:
    """A prompt for each line; Ctrl-C aborts an answer, and at the prompt it leaves."""
    env = {"BAMBOO_URL": served.url, "BAMBOO_TOKEN": TOKEN}
    with terminal("chat", "--plain", env=env) as person:
        person.wait_for("> ")
        person.type("hello there\n")
        person.wait_for("\n")  # what was typed, as the terminal echoes it
        assert person.wait_for("> ") == "hello there\r\n"
        person.type(LONG)
        person.wait_for("\n")
        person.wait_for("on and on ")
        person.type("\x03")
        person.wait_for("AGENT_ABORTED: ")
        person.wait_for("> ")
        person.type("\x03")
        assert person.wait() == 0


async def test_chat_in_a_terminal_tells_of_a_lost_connection(served: Serving) -> None:
    """Each note in a line of its own, and a prompt behind it."""
    async with proxy(served.url) as network:
        with terminal("chat", "--plain", env={"BAMBOO_URL": network.url, "BAMBOO_TOKEN": TOKEN}) as person:
            await trio.to_thread.run_sync(person.wait_for, "> ")
            network.break_off()
            note = "\r\n[connection lost: it broke off without a close frame; reconnecting]\r\n> "
            assert await trio.to_thread.run_sync(person.wait_for, note) == ""
            network.mend()
            back = "\r\n[reconnected, session resumed]\r\n> "
            assert await trio.to_thread.run_sync(person.wait_for, back) == ""
            person.type("hello there\n")
            await trio.to_thread.run_sync(person.wait_for, "\n")
            assert await trio.to_thread.run_sync(person.wait_for, "> ") == "hello there\r\n"


def test_chat_leaves_by_ctrl_d(served: Serving) -> None:
    """The end of the input is the end of the talk."""
    with terminal("chat", "--plain", env={"BAMBOO_URL": served.url, "BAMBOO_TOKEN": TOKEN}) as person:
        person.wait_for("> ")
        person.type("\x04")
        assert person.wait() == 0


async def test_chat_leaves_by_the_second_ctrl_c() -> None:
    """Where the gateway does not abort, the person still can; 130 says that the answer is not complete."""
    chatted, aborted = trio.Event(), trio.Event()

    async def never_abort(the_peer: Peer) -> None:
        await the_peer.greet()
        chat = await the_peer.hear()
        await the_peer.say("chat_accepted", session_id="s", run_id="r", id=chat["id"])
        await the_peer.say("user_message", session_id="s", content="", id=chat["id"], run_id="r", seq=1)
        chatted.set()
        assert (await the_peer.hear())["name"] == "session.abort"
        aborted.set()
        await the_peer.hear_close()

    async with peer(never_abort) as url:
        with terminal("chat", "--plain", "--url", url) as person:
            await trio.to_thread.run_sync(person.wait_for, "> ")
            person.type("hello\n")
            await chatted.wait()
            person.type("\x03")
            await aborted.wait()
            person.type("\x03")
            assert await trio.to_thread.run_sync(person.wait) == 130
