"""A gateway in a process of its own, which can be killed and come back at the same address."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.scripted_agent import GATES_VARIABLE
from tests.cli.process import COMMAND, HANG, ROOT, environment, run
from tests.integration.ports import free_port
from tests.integration.python_client import PythonClient, dial
from tests.plain_wire import Event

AGENT = "python:tests.browser.scripted_agent:answer"


class GatewayProcess:
    """
    `bamboo-gateway serve` with the scripted agent.

    Invariant: address, storage and gates stay the same over all its lives.
    """

    def __init__(self, folder: Path, *args: str) -> None:
        self._folder = folder
        self._args = args
        self._port = free_port(random.Random())
        self._process: subprocess.Popen[str] | None = None
        self.gates = folder / "gates"
        self.gates.mkdir(parents=True)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self._port}"

    @property
    def page(self) -> str:
        """Where browsers go."""
        return f"http://127.0.0.1:{self._port}/"

    @property
    def log(self) -> str:
        """All that it has logged."""
        return (self._folder / "log").read_text()

    def start(self) -> None:
        """Serve; return when connections are accepted."""
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "serve", "--bind", f"127.0.0.1:{self._port}", "--agent", AGENT, *self._args],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env=environment({GATES_VARIABLE: str(self.gates)}),
            )
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), self.log

    def kill(self) -> None:
        """End it as a power failure does."""
        assert self._process is not None
        with self._process as process:
            process.kill()

    def ask_to_stop(self) -> None:
        """Have it let turns come to their end, and then stop."""
        assert self._process is not None
        self._process.terminate()

    def stop(self) -> int:
        """Ask it to stop; return its exit code when it has."""
        self.ask_to_stop()
        return self.wait()

    def wait(self) -> int:
        """Wait until it has stopped; return its exit code."""
        assert self._process is not None
        with self._process as process:
            try:
                return process.wait(HANG)
            finally:
                process.kill()

    # ── what a test does beside the browser ──────────────────────────────────

    def open_gate(self, name: str) -> None:
        """Let agents go on that wait at this gate."""
        (self.gates / name).touch()

    @contextmanager
    def client(self, token: str | None = None, **fields: object) -> Iterator[PythonClient]:
        """Connect another client, by default with a session that goes with it."""
        with dial(self.url) as client:
            client.connect(auth=token, protocol=2, **({"temporary": True} | fields))
            yield client

    def command(self, name: str, args: object = None, token: str | None = None) -> Event:
        """Have another client run a command; its result."""
        with self.client(token) as client:
            client.say("command", name=name, args=args, id="1")
            answer = client.next("command_result")
        assert answer.get("error") is None, answer
        result = answer["result"]
        assert isinstance(result, dict)
        return result

    def new_session(self, name: str, token: str | None = None) -> str:
        """Have another client make a session; its id."""
        return str(self.command("session.create", {"name": name}, token)["session_id"])

    def say(self, session_id: str, *chats: str, token: str | None = None) -> None:
        """Have another client say something in a session, and wait for the answer to each chat."""
        with self.client(token, session_id=session_id) as client:
            for chat in chats:
                client.say("chat", session_id=session_id, content=chat)
                client.next("agent_complete", "error")


@contextmanager
def gateway_process(folder: Path, *args: str) -> Iterator[GatewayProcess]:
    """Serve for as long as the block lasts; its end must be clean, and so must its log."""
    gateway = GatewayProcess(folder, *args)
    gateway.start()
    try:
        yield gateway
    finally:
        code = gateway.stop()
    assert (code, "Traceback" in gateway.log) == (0, False), gateway.log


def create_token(path: Path, user: str, *scopes: str) -> str:
    """Make a token with the command line, as an operator does."""
    asked = [word for scope in scopes for word in ("--scope", scope)]
    ran = run("token", "create", "--user", user, *asked, "--tokens", str(path))
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def revoke_token(path: Path, token: str) -> None:
    """Take it back in the same way."""
    ran = run("token", "revoke", token.split("_")[1], "--tokens", str(path))
    assert ran.returncode == 0, ran.stderr
