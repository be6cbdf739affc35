"""`load_agent`: from what a user writes to the agent that is meant, or to an error that helps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bamboo_gateway.agents import load_agent
from bamboo_gateway.agents.echo import EchoAgent
from bamboo_gateway.agents.openai import OpenAIAgent
from bamboo_gateway.errors import ConfigError

MODULE = "async def answer(turn): pass\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with an agent, in the current directory."""
    (tmp_path / "load_agent_example.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return "load_agent_example"


def test_echo_is_loaded_with_its_settings() -> None:
    """What is given goes before the environment, and the environment before the default."""
    assert load_agent("echo", environ={}) == EchoAgent()
    assert load_agent("echo", environ={"BAMBOO_ECHO_WORD_INTERVAL": "0.5"}) == EchoAgent(word_interval=0.5)
    given = load_agent("echo", {"word_interval": 0}, environ={"BAMBOO_ECHO_WORD_INTERVAL": "0.5"})
    assert given == EchoAgent(word_interval=0)


def test_openai_is_loaded_from_the_environment() -> None:
    """The variables that other programs read count here, too."""
    environ = {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1", "BAMBOO_OPENAI_MODEL": "m"}
    agent = load_agent("openai", environ=environ)
    assert isinstance(agent, OpenAIAgent)
    assert "http://127.0.0.1:8000/v1" in repr(agent)


def test_a_function_is_loaded_by_its_long_and_its_short_name(module: str) -> None:
    """`python:` may be left out."""
    assert load_agent(f"python:{module}:answer") is load_agent(f"{module}:answer")


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("ecko", "'ecko' is none of echo, openai, python:module:function; did you mean 'echo'?"),
        ("opnai", "did you mean 'openai'?"),
        ("pyton:module:answer", "did you mean 'python'?"),
        ("", "'' is none of echo"),
        ("echo:loud", "'echo' stands alone, without ':loud'"),
        ("openai:gpt", "'openai' stands alone, without ':gpt'"),
        ("openai", "model is not set; set BAMBOO_OPENAI_MODEL"),
        ("python", "'' is no module:function"),
        ("python:module", "'module' is no module:function"),
    ],
)
def test_a_wrong_name_is_explained(spec: str, says: str) -> None:
    """The error says what is wrong, and what is near."""
    with pytest.raises(ConfigError) as caught:
        load_agent(spec, environ={})
    assert says in str(caught.value)


def test_settings_for_a_function_are_refused(module: str) -> None:
    """A setting that nobody reads is an error."""
    with pytest.raises(ConfigError, match="takes no settings, such as 'delay'"):
        load_agent(f"{module}:answer", {"delay": 1})


@pytest.mark.parametrize("missing", ["httpx", "httpx_sse", "tenacity"])
def test_a_missing_extra_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the openai agent says how to install it; everything else works."""
    for name in ("openai", "endpoint", "retry"):
        monkeypatch.delitem(sys.modules, f"bamboo_gateway.agents.{name}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigError, match=f"{missing} is not installed; in a clone, pip install"):
        load_agent("openai", environ={})
    load_agent("echo")


def test_another_missing_module_is_no_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of our own is not blamed on the user."""
    monkeypatch.delitem(sys.modules, "bamboo_gateway.agents.openai", raising=False)
    monkeypatch.setitem(sys.modules, "bamboo_gateway.agents.endpoint", None)
    with pytest.raises(ModuleNotFoundError):
        load_agent("openai", environ={})
