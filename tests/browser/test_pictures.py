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

    def _channels(self) -> None:
        for name, said in CHANNELS.items():
            self.gateway.command("channel.create", {"name": name})
            for content in said:
                with self.gateway.client() as client:
                    for command, args in (("join", {}), ("send", {"content": content})):
                        client.say("command", name=f"channel.{command}", args={"name": name, **args}, id=command)
                        client.next("command_result")
            self.gateway.command("channel.join", {"name": name, "session_id": self.talk})

    def _watch(self, session: str) -> PythonClient:
        return self._stack.enter_context(
            self.gateway.client(session_id=session, client={"name": "bamboo-chat", "version": "0.1.0"})
        )
