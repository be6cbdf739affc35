"""`docs/agents.md` says what is true: its tables are those of the code, and its example runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from bamboo_gateway.agents import load_agent
from bamboo_gateway.agents.echo import COMMANDS, MAX_SLEEP, MAX_TOKENS, EchoAgent
from bamboo_gateway.agents.openai_settings import OpenAISettings
from bamboo_gateway.agents.settings import variable
from bamboo_gateway.config import Setting
from bamboo_gateway.ports import is_resumable
from bamboo_gateway.protocol.messages import AgentToken, Chat, LoggedEvent
from bamboo_gateway.session.history import HistoryMessage
from bamboo_gateway.session.session import Session
from bamboo_gateway.turn import Turn
from tests.agents.conversation import conversation
from tests.session.test_live import BORN

TEXT = (Path(__file__).parents[2] / "docs" / "agents.md").read_text()


def checked(name: str) -> list[str]:
    """The lines between the marks of this name."""
    found = re.search(f"<!-- checked:{name} -->\n\n(.*?)\n\n<!-- /checked:{name} -->", TEXT, re.DOTALL)
    assert found is not None, f"docs/agents.md has no part {name}"
    return found[1].splitlines()


def row(agent: str, field: attrs.Attribute[Any]) -> str:
    """The line of one setting."""
    setting = Setting.of(field)
    no_value = {attrs.NOTHING: "must be set", None: "none"}
    default = no_value.get(field.default, f"`{field.default}`")
    return f"| `{field.name}` | `{variable(agent, field)}` | {setting.kind} | {default} | {setting.meaning} |"


@pytest.mark.parametrize(("agent", "settings"), [("echo", EchoAgent), ("openai", OpenAISettings)])
def test_the_settings_are_documented(agent: str, settings: type[attrs.AttrsInstance]) -> None:
    """Each setting has its line, with its variable, kind, default and meaning."""
    assert checked(f"{agent}-settings")[2:] == [row(agent, field) for field in attrs.fields(settings)]


def test_the_echo_commands_are_documented() -> None:
    """Each command has its line, and the bounds are those of the code."""
    assert checked("echo-commands") == [f"- `{name}` {command.does}" for name, command in COMMANDS.items()]
    assert f"`/sleep` takes up to {MAX_SLEEP:,.0f} seconds, `/tokens` up to {MAX_TOKENS:,} tokens" in TEXT


def save(number: int, module: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Save one of the page's examples as a module of the current directory."""
    examples = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (folder / f"{module}.py").write_text(examples[number])
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])


async def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent of the page, saved and loaded as the page says, does what it promises."""
    save(0, "agents_of_the_page", tmp_path, monkeypatch)
    async with conversation(load_agent("python:agents_of_the_page:shout")) as talk:
        answer = await talk.say("plant bamboo")
        error = (await talk.say(" ")).error
    assert (answer.text, answer.usage.total_tokens) == ("PLANT BAMBOO ", 4)
    assert [complete.result for _, complete in answer.tool_calls] == ["2"]
    assert error == "there is nothing to shout"


async def test_the_resumable_example_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Called again with what it had said, it says the rest; called for the first time, all."""
    save(2, "resumable_of_the_page", tmp_path, monkeypatch)
    agent = load_agent("python:resumable_of_the_page:count")
    assert is_resumable(agent)
    said: list[str] = []

    async def emit(event: LoggedEvent) -> None:
        assert isinstance(event, AgentToken)
        said.append(event.token)

    session = Session("s1", "ann", BORN, BORN)
    partial = HistoryMessage("assistant", "1 2 3 ", "r1", 0, "running")
    await agent(Turn(session, "r1", Chat("count", "s1"), (), emit, partial=partial))
    assert "".join(said) == "4 5 6 7 8 9 10 "
    said.clear()
    await agent(Turn(session, "r1", Chat("count", "s1"), (), emit))
    assert "".join(said) == "1 2 3 4 5 6 7 8 9 10 "
