"""The pictures in the documents are of the console as it is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visits
from tests.browser.console import Console
from tests.browser.gateway_process import GatewayProcess, gateway_process
from tests.browser.pictures import take_picture
from tests.browser.scenes import SCENES
from tests.integration.python_client import PythonClient

pytestmark = [pytest.mark.integration, pytest.mark.browser]

SCALE = 1.5
"""Dots of a picture for each CSS pixel: sharp on a good screen, and not too heavy for a page."""

SESSIONS = (
    "Translate the release notes",
    "Weekly report: storage",
    "Invoice 2026-118",
    "Why is the build slow?",
    "Menu for Saturday",
    "Reading list on bamboo",
)

CHANNELS = {
    "releases": ("1.4 is out. The notes are in the wiki.", "1.4.1 follows on Thursday."),
    "incidents": (
        "The storage of eu-2 answers slowly.",
        "It was a backup that ran twice; all is well again.",
    ),
    "lunch": (),
}


class Scene:
    """A gateway in the midst of its day."""

    def __init__(self, gateway: GatewayProcess, stack: ExitStack) -> None:
        self.gateway = gateway
        self._stack = stack
        self.talk = ""
        """The session in which somebody asks for trains."""

    def fill(self) -> None:
        """Have people come, talk and watch."""
        rng = random.Random(7)
        for name in SESSIONS:
            session = self.gateway.new_session(name)
            self.gateway.say(session, f"words {rng.randrange(20, 90)}")
            for _ in range(rng.randrange(3)):
                self._watch(session)
        self.talk = self.gateway.new_session("Trains to Nara")
        *answered, running = SCENES
        self.gateway.say(self.talk, *answered)
        client = self._watch(self.talk)
        client.say("chat", session_id=self.talk, content=running)
        client.next("agent_tool_start")
        self._channels()

    def work(self, ticks: int) -> Iterator[None]:
        """A step of work before each of so many looks: agents begin and end, clients come and go."""
        rng = random.Random(11)
        sessions = [self.gateway.new_session(f"Nightly evaluation {number}") for number in range(1, 7)]
        workers = [Worker(self.gateway, self._watch(session), session) for session in sessions]
        with ExitStack() as visitors:
            for tick in range(ticks):
                if tick % 25 == 0:
                    visitors.close()
                if rng.random() < 0.3:
                    visitors.enter_context(self.gateway.client())
                for worker in workers:
                    worker.step(tick, rng)
                yield
            for worker in workers:
                worker.end()

    def _channels(self) -> None:
        for name, said in CHANNELS.items():
            self.gateway.command("channel.create", {"name": name})
            for content in said:
                with self.gateway.client() as client:
                    for command, args in (("join", {}), ("send", {"content": content})):
                        client.say(
                            "command", name=f"channel.{command}", args={"name": name, **args}, id=command
                        )
                        client.next("command_result")
            self.gateway.command("channel.join", {"name": name, "session_id": self.talk})

    def _watch(self, session: str) -> PythonClient:
        return self._stack.enter_context(
            self.gateway.client(session_id=session, client={"name": "bamboo-chat", "version": "0.1.0"})
        )


class Worker:
    """A session that is at work now and then."""

    def __init__(self, gateway: GatewayProcess, client: PythonClient, session: str) -> None:
        self._gateway = gateway
        self._client = client
        self._session = session
        self._gate = ""
        self._until = 0

    def step(self, tick: int, rng: random.Random) -> None:
        """Begin a turn, or end the one that runs when its time is over."""
        if self._gate and tick >= self._until:
            self.end()
        if not self._gate and rng.random() < 0.3:
            self._gate = f"{self._session}-{tick}"
            self._until = tick + rng.randrange(1, 12)
            chat = f"flood {rng.randrange(20, 120)}; hold {self._gate}"
            self._client.say("chat", session_id=self._session, content=chat)

    def end(self) -> None:
        """Let the turn come to its end, if one runs."""
        if self._gate:
            self._gateway.open_gate(self._gate)
            self._client.next("agent_complete")
            self._gate = ""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One for all pictures."""
    folder = tmp_path_factory.mktemp("scene")
    storage = f"sqlite:{folder / 'kept.sqlite3'}"
    with gateway_process(folder / "gateway", "--storage", storage) as gateway, ExitStack() as stack:
        the_scene = Scene(gateway, stack)
        the_scene.fill()
        yield the_scene
        gateway.open_gate("reminder")


def test_sessions(scene: Scene, visit: Visits) -> None:
    """The list, with one session that runs and some that are watched."""
    console = Console(visit(scene.gateway.page, scale=SCALE).open("#/sessions"))
    expect(console.session("Trains to Nara")).to_contain_text("Running")
    take_picture(console.page, "console-sessions")


@pytest.mark.parametrize("looks", ["", "-dark", "-phone"])
def test_chat(looks: str, scene: Scene, visit: Visits) -> None:
    """A talk with tools, of which one still runs."""
    width, height, scale = (390, 780, 2.0) if looks == "-phone" else (1280, 800, SCALE)
    coming = visit(scene.gateway.page, width=width, height=height, scale=scale, dark=looks == "-dark")
    console = Console(coming.open(f"#/chat/{scene.talk}"))
    expect(console.tool("reminder.create")).to_be_visible()
    take_picture(console.page, f"console-chat{looks}")


def test_channels(scene: Scene, visit: Visits) -> None:
    """One channel open, with what was said in it."""
    console = Console(visit(scene.gateway.page, scale=SCALE).open("#/channels/incidents"))
    expect(console.page.get_by_role("log").get_by_text("all is well again")).to_be_visible()
    take_picture(console.page, "console-channels")


def test_events(scene: Scene, visit: Visits) -> None:
    """The frames of a session that is watched from its beginning, one of them open."""
    console = Console(visit(scene.gateway.page, scale=SCALE).open("#/events"))
    console.page.get_by_label("Session", exact=True).select_option(label="Trains to Nara")
    console.button("Watch").click()
    frame = console.frame("agent_tool_complete").first
    frame.get_by_role("button").click()
    console.page.get_by_label("Filter by text").fill("agent_tool")
    expect(frame.get_by_role("code").get_by_text('"tool"')).to_be_visible()
    take_picture(console.page, "console-events")


def test_overview(scene: Scene, visit: Visits) -> None:
    """The curves of five minutes, which a clock of the test's own makes pass in a few seconds."""
    page = visit(scene.gateway.page, scale=SCALE).context.new_page()
    page.clock.install()
    page.goto(f"{scene.gateway.page}#/overview")
    console = Console(page)
    expect(console.charts).to_have_count(6)
    for _ in scene.work(ticks=100):
        page.clock.run_for(3000)
    take_picture(page, "console-overview")
