"""A gateway that is told to read its settings again (SIGHUP)."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import Serving, serving
from tests.integration.python_client import dial
from tests.plain_wire import Event

pytestmark = pytest.mark.integration


class Reloading:
    """A gateway and its settings file."""

    def __init__(self, server: Serving, file: Path) -> None:
        self.server = server
        self._file = file

    def reload(self, text: str) -> list[dict[str, Any]]:
        """Have it read *text*; return what it says of that, in JSON lines."""
        self._file.write_text(_bound(text))
        self.server.process.send_signal(signal.SIGHUP)
        assert self.server.process.stderr is not None
        said: list[dict[str, Any]] = []
        while not said or not said[-1]["event"].startswith("settings"):
            said.append(json.loads(self.server.process.stderr.readline()))
        return said

    def limits(self) -> Any:
        """What it tells those who come."""
        return self._connect()["limits"]

    def _connect(self) -> Event:
        with dial(self.server.url) as client:
            return client.connect(protocol=2)

    def refusal(self) -> str:
        """Why it takes in nobody, if it does not."""
        with dial(self.server.url) as client:
            event = client.ask("connect", protocol=2)
            return str(event.get("code", ""))


def _bound(text: str) -> str:
    return text if "bind" in text else f"bind = '127.0.0.1:0'\n{text}"


@contextmanager
def reloading(
    tmp_path: Path, text: str, *args: str, env: Mapping[str, str] | None = None
) -> Iterator[Reloading]:
    """A gateway with the settings of *text*, for as long as the block lasts."""
    file = tmp_path / "bamboo.toml"
    file.write_text(_bound(text))
    args = ("--config", str(file), "--log-format", "json", *args)
    with serving(*args, env={"BAMBOO_BIND": "", **(env or {})}) as server:
        yield Reloading(server, file)
        assert server.stop()[0] == 0


def test_new_settings_hold_from_then_on(tmp_path: Path) -> None:
    """What the file says now is in force, and told to who comes; what was typed goes before it as ever."""
    with reloading(
        tmp_path, "max_queued_chats = 3\nmax_message_bytes = 1111", "--heartbeat-interval", "7"
    ) as it:
        assert it.limits() == {"max_message_bytes": 1111, "max_queued_chats": 3, "heartbeat_interval": 7.0}
        said = it.reload("max_queued_chats = 5\nheartbeat_interval = 9\nmax_sessions = 2")
        assert [line["event"] for line in said if line["event"] != "connection closed"] == [
            "settings reloaded"
        ]
        assert it.limits() == {
            "max_message_bytes": 1024 * 1024,
            "max_queued_chats": 5,
            "heartbeat_interval": 7.0,
        }
        assert it.refusal() == "LIMIT_EXCEEDED"
        it.reload("max_sessions = 3")
        assert it.refusal() == ""


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("max_queued_chats = 'many'", "{file}: max_queued_chats: 'many' is no whole number from 0 to"),
        ("max_queued_chat = 5", "{file}: unknown key 'max_queued_chat'"),
        ("max_queued_chats = ", "{file}: no TOML: "),
        ("max_queued_chats = 5\ntls_key = 'key.pem'", "tls_key: a key alone is of no use; set tls_cert, too"),
        ("max_queued_chats = 5\nbind = '0.0.0.0:0'", "bind: 0.0.0.0:0 can be reached from other machines"),
    ],
)
def test_wrong_settings_change_nothing(tmp_path: Path, text: str, error: str) -> None:
    """One line says what is wrong and where; the gateway goes on as before."""
    with reloading(tmp_path, "max_queued_chats = 3") as it:
        (line,) = it.reload(text)
        assert (line["level"], line["event"]) == ("error", "settings not reloaded")
        assert error.format(file=tmp_path / "bamboo.toml") in line["error"]
        assert it.limits()["max_queued_chats"] == 3


def test_what_waits_for_a_restart_is_named(tmp_path: Path) -> None:
    """The rest is in force; it is named again as long as it waits."""
    text = "bind = '127.0.0.1:1'\nlog_max_events = 5\ntls_cert = 'cert.pem'\nagent = 'openai'\n"
    with reloading(tmp_path, "max_queued_chats = 3") as it:
        for queued in (4, 5):
            it.reload(f"{text}max_queued_chats = {queued}")
            assert it.server.process.stderr is not None
            line = json.loads(it.server.process.stderr.readline())
            assert (line["level"], line["event"]) == ("warning", "settings wait for a restart")
            assert line["settings"] == "bind, tls_cert, log_max_events, agent"
            assert it.limits()["max_queued_chats"] == queued


def test_a_token_is_replaced(tmp_path: Path) -> None:
    """Who comes from then on shows the new one; who has shown the old one is let go."""
    with reloading(tmp_path, "auth_token = 'old'") as it, dial(it.server.url) as client:
        client.connect(protocol=2, auth="old")
        it.reload("auth_token = 'new'")
        with dial(it.server.url) as other:
            other.connect(protocol=2, auth="new")
        with dial(it.server.url) as late:
            assert late.ask("connect", auth="old")["code"] == "UNAUTHORIZED"


def test_the_log_changes_its_level(tmp_path: Path) -> None:
    """What is said from then on is said at the new level, that of the reload itself among it."""
    with reloading(tmp_path, "log_level = 'error'") as it:
        it.limits()
        assert [line["event"] for line in it.reload("log_level = 'info'")] == ["settings reloaded"]
        it.limits()
        said = it.reload("log_level = 'loud'")
        assert [line["event"] for line in said] == ["connection closed", "settings not reloaded"]


def test_a_token_in_a_file_is_read_anew(tmp_path: Path) -> None:
    """Where `BAMBOO_AUTH_TOKEN_FILE` names it; a file that is of no use changes nothing, and is named."""
    secret = tmp_path / "secret"
    secret.write_text("old\n")
    with reloading(tmp_path, "", env={"BAMBOO_AUTH_TOKEN_FILE": str(secret)}) as it:
        with dial(it.server.url) as client:
            client.connect(protocol=2, auth="old")
        secret.write_text("new\n")
        it.reload("")
        secret.write_text("")
        said = it.reload("")[-1]
        assert (said["event"], str(secret) in said["error"]) == ("settings not reloaded", True)
        with dial(it.server.url) as client:
            client.connect(protocol=2, auth="new")
