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
from tests.agents.conversation import conversation

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


async def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent of the page, saved and loaded as the page says, does what it promises."""
    [example] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "agents_of_the_page.py").write_text(example)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    async with conversation(load_agent("python:agents_of_the_page:shout")) as talk:
        answer = await talk.say("plant bamboo")
        error = (await talk.say(" ")).error
    assert (answer.text, answer.usage.total_tokens) == ("PLANT BAMBOO ", 4)
    assert [complete.result for _, complete in answer.tool_calls] == ["2"]
    assert error == "there is nothing to shout"
