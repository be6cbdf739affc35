from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from bamboo_gateway.cli import main
from bamboo_gateway.client import connect
from bamboo_gateway.protocol.messages import ClientInfo
from tests.cli.process import HANG, Serving, run, serving, terminal
from tests.client.proxy import proxy
from tests.tmux import Tmux, tmux

pytestmark = pytest.mark.integration

TOKEN = "sesame"

KEYS = "q quit   s sessions   c connections   ↑↓ scroll   p pause"
"""What is drawn last."""

LONG = "on and on " * 300


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """A gateway for all tests that leave it as it is."""
    with serving("--auth-token", TOKEN, "--drain-timeout", "0.001") as server:
        yield server


def top(url: str, *args: str, token: str = TOKEN) -> Result:
    """Run `top` in this process, without a terminal."""
    env = {"BAMBOO_URL": url, "BAMBOO_TOKEN": token}
    return CliRunner().invoke(main, ["top", "--interval", "0.2", *args], env=env)


def scoped(folder: Path, *scopes: str) -> tuple[str, str]:
    """A tokens file, and a token of these scopes in it."""
    path = str(folder / "tokens.json")
    chosen = [word for scope in scopes for word in ("--scope", scope)]
    return path, run("token", "create", "--user", "ann", "--tokens", path, *chosen).stdout.strip()


async def _talk(url: str) -> None:
    """Have a turn run for as long as this does."""
    async with connect(url, token=TOKEN, client=ClientInfo("phone", "7"), reconnect=None) as client:
        await client.command("session.rename", {"name": "about bamboo"})
        await client.chat(LONG)
        async for _ in client:
            pass


# ── once ─────────────────────────────────────────────────────────────────────


async def test_top_without_a_terminal_is_one_report(served: Serving) -> None:
    """Numbers, both tables, and no control sequence; a session that is at work has its rate."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_talk, served.url)
        result = await _until_talking(served.url)
        nursery.cancel_scope.cancel()
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"bamboo-gateway 0.1.0  {served.url} ")
    assert lines[0].endswith(" live")
    assert "\x1b" not in result.stdout
    [row] = [line for line in lines if "about bamboo" in line]
    assert row.split()[4] == "running"
    assert float(row.split()[5]) > 0
    assert any(line.startswith("events ") and "/s" in line for line in lines)
    assert any("phone 7" in line for line in lines)


async def _until_talking(url: str) -> Result:
    with trio.fail_after(HANG):
        while True:
            result = await trio.to_thread.run_sync(top, url)
            assert result.exit_code == 0, result.output
            if "running" in result.stdout and "phone" in result.stdout:
                return result


def test_top_as_json_is_one_object(served: Serving) -> None:
    """For a script."""
    result = top(served.url, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert told["missing"] == {}
    assert told["connections"]["open"] >= 1
    assert told["events_per_second"] >= 0
    assert told["delays"]["loop_lag"].keys() == {"count", "p50", "p99"}
    assert "bamboo-gateway top" in [each["client"]["name"] for each in told["connection_list"]]


def test_top_says_which_scopes_a_token_lacks(tmp_path: Path) -> None:
    """And shows what there is."""
    path, token = scoped(tmp_path, "sessions:read")
    with serving("--tokens", path) as server:
        told = json.loads(top(server.url, "--json", token=token).stdout)
        text = top(server.url, "--once", token=token).stdout
    assert set(told["missing"]) == {"numbers", "connections"}
    assert "takes the scope metrics" in told["missing"]["numbers"]
    assert "takes the scope admin" in told["missing"]["connections"]
    assert "no numbers: " in text
    assert "not told: " in text
    assert "there are no sessions" in text


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--interval", "0"], 2, "at least a tenth of a second lies between two looks"),
        (["--url", "ws://127.0.0.1:1"], 1, "cannot reach ws://127.0.0.1:1: Connection refused"),
        (["--token", "wrong"], 1, "UNAUTHORIZED: "),
    ],
)
def test_top_tells_what_is_wrong_in_one_line(served: Serving, args: list[str], code: int, says: str) -> None:
    """As every command does."""
    result = top(served.url, *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_top_takes_no_screen_where_there_is_none_to_take(served: Serving) -> None:
    """A terminal that can only write on gets the report."""
    env = {"BAMBOO_URL": served.url, "BAMBOO_TOKEN": TOKEN, "TERM": "dumb"}
    with terminal("top", "--interval", "0.2", env=env) as person:
        person.wait_for("Connections")
        assert person.wait() == 0
        assert "\x1b" not in person.shown


# ── in a terminal ────────────────────────────────────────────────────────────


async def _see(person: Tmux, is_so: Callable[[list[str]], bool]) -> list[str]:
    """Wait until the screen is so; it may be seen while it is being drawn."""
    shown = await trio.to_thread.run_sync(person.wait_for, lambda text: is_so(text.split("\n")))
    return shown.split("\n")


def _has(*texts: str) -> Callable[[list[str]], bool]:
    """Are all of these shown, and with them the last line?"""
    return lambda lines: (
        lines[-1].startswith(KEYS) and all(any(text in line for line in lines) for text in texts)
    )


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
async def test_top_in_a_terminal(served: Serving, columns: int, rows: int) -> None:
    """It fills the screen and no more, answers keys, and leaves the terminal as it was."""
    args = ("top", "--url", served.url, "--token", TOKEN, "--interval", "0.2")
    env = {"COLUMNS": "70", "LINES": "20"}  # as somebody may have exported them before the window was resized
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_talk, served.url)
        with tmux(*args, columns=columns, rows=rows, env=env) as person:
            lines = await _see(person, _has("about bamboo", "  live"))
            assert len(lines) == rows
            assert max(map(len, lines)) <= columns
            assert lines[0].endswith("  live")
            await _see(person, _has_curve)
            person.press("c")
            await _see(person, _has("bamboo-gateway top", "phone 7"))
            person.press("p")
            await _see(person, _has("  paused"))
            person.press("p", "s")
            await _see(person, _has("  live", "about bamboo"))
            person.resize(60, 16)
            lines = await _see(person, _is_small)
            person.press("q")
            lines = await _see(person, lambda lines: "EXIT 0" in lines)
            assert not any("live" in line for line in lines)
        nursery.cancel_scope.cancel()


def _has_curve(lines: list[str]) -> bool:
    return any(line.startswith("events") and line[-1] in "▁▂▃▄▅▆▇█" for line in lines)


def _is_small(lines: list[str]) -> bool:
    return len(lines) == 16 and lines[-1].startswith("q quit") and max(map(len, lines)) <= 60


@pytest.mark.parametrize("key", ["C-c", "q"])
def test_top_ends_by_a_key(served: Serving, key: str) -> None:
    """Either is how one leaves it, and no failure."""
    with tmux("top", "--url", served.url, "--token", TOKEN) as person:
        person.wait_for(KEYS)
        person.press(key)
        person.wait_for("EXIT 0")


async def test_top_outlives_a_lost_connection(served: Serving) -> None:
    """It says so, keeps the screen, and goes on by itself."""
    async with proxy(served.url) as network:
        args = ("top", "--url", network.url, "--token", TOKEN, "--interval", "0.2")
        with tmux(*args) as person:
            await _see(person, _has("  live"))
            network.break_off()
            lines = await _see(person, _has("connection lost: "))
            assert lines[0].endswith("  lost")
            assert any(line.startswith("connections ") for line in lines)
            network.mend()
            await _see(person, _is_live)


def _is_live(lines: list[str]) -> bool:
    return lines[0].endswith("  live") and not any("connection lost" in line for line in lines)


def test_top_tells_why_it_was_let_go_of(tmp_path: Path) -> None:
    """A token that is revoked meanwhile: the terminal is as before, and one line says it."""
    path, token = scoped(tmp_path, "metrics")
    with (
        serving("--tokens", path) as server,
        tmux("top", "--url", server.url, "--token", token) as person,
    ):
        assert "takes the scope sessions:read" in person.wait_for(KEYS)
        token_id = json.loads(run("token", "list", "--json", "--tokens", path).stdout)["id"]
        run("token", "revoke", token_id, "--tokens", path)
        shown = person.wait_for("EXIT 1")
        assert "\nbamboo-gateway: the connection is closed: 4006" in f"\n{shown}"


@pytest.mark.slow
def test_top_tells_that_a_gateway_stands_still() -> None:
    """It is connected, and gets no answer; when the gateway moves again, so does the screen."""
    with serving("--auth-token", TOKEN) as server:
        args = ("top", "--url", server.url, "--token", TOKEN, "--interval", "0.2")
        with tmux(*args) as person:
            person.wait_for(KEYS)
            server.process.send_signal(signal.SIGSTOP)
            try:
                person.wait_for("gave no answer within 10 seconds")
            finally:
                server.process.send_signal(signal.SIGCONT)
            person.wait_for(lambda shown: KEYS in shown and "no answer" not in shown)
