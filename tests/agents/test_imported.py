"""Agents from the user's own modules: found as Python finds them, and checked before the gateway starts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bamboo_gateway.agents.imported import import_agent
from bamboo_gateway.errors import ConfigError
from tests.agents.conversation import conversation

MODULE = """
import functools

def raise_(error):
    raise error

async def answer(turn):
    await turn.token(turn.message.content.upper())

async def two(turn, other): ...
def not_async(turn): ...
async def yielding(turn):
    yield "token"

class Agent:
    async def __call__(self, turn):
        await turn.token("called")
    async def method(self, turn):
        await turn.token("method")

class Silent:
    def __call__(self, turn): ...

class Signless(Agent):
    __signature__ = property(lambda self: raise_(ValueError("not known")))

agent = Agent()
silent = Silent()
signless = Signless()
partial = functools.partial(two, other=1)
number = 7
"""

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Write:
    """Writes a module into the current directory, under a name that no other test has imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])

    def write(source: str) -> str:
        name = f"module_{abs(hash(request.node.nodeid))}"
        (tmp_path / f"{name}.py").write_text(source)
        request.addfinalizer(lambda: sys.modules.pop(name, None))
        return name

    return write


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("answer", "HELLO"),
        ("agent", "called"),
        ("agent.method", "method"),
        ("partial", ""),
        ("signless", "called"),
    ],
)
async def test_it_finds_and_runs_agents(path: str, says: str, write: Write) -> None:
    """A function, an object with an async `__call__`, a method or a partial: all can answer."""
    async with conversation(import_agent(f"{write(MODULE)}:{path}")) as talk:
        assert (await talk.say("hello")).text == says


def test_a_package_in_the_current_directory_is_found(write: Write, tmp_path: Path) -> None:
    """Module names may have dots, and the current directory counts, as with `python -m`."""
    name = write(MODULE)
    (tmp_path / f"package_{name}").mkdir()
    (tmp_path / f"{name}.py").rename(tmp_path / f"package_{name}" / "agents.py")
    agent = import_agent(f"package_{name}.agents:answer")
    assert agent.__module__ == f"package_{name}.agents"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("anser", "has no 'anser'; did you mean 'answer'?"),
        ("agent.metod", "agent has no 'metod'; did you mean 'method'?"),
        ("number", "is not callable: it is of type int"),
        ("Agent", "is a class; name an instance of it, or an async function"),
        ("not_async", "is not async; write `async def`"),
        ("silent", "is not async; write `async def`"),
        ("yielding", "yields; an agent streams by `await turn.token(text)` instead"),
        ("two", "must be callable with one argument, the turn"),
    ],
)
def test_what_is_no_agent_is_refused(path: str, says: str, write: Write) -> None:
    """The error says which attribute it is, and what it should be."""
    name = write(MODULE)
    with pytest.raises(ConfigError) as caught:
        import_agent(f"{name}:{path}")
    assert says in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    "target", ["module", ":answer", "module:", "a b:c", "a:b:c", "../module:answer", "a.:b"]
)
def test_a_target_that_is_none_is_refused(target: str) -> None:
    """Nothing is imported before the target looks like one."""
    with pytest.raises(ConfigError, match="is no module:function"):
        import_agent(target)


def test_a_missing_module_is_named() -> None:
    """The error of the import is told."""
    with pytest.raises(
        ConfigError, match="cannot import no_such_module: ModuleNotFoundError: No module named"
    ):
        import_agent("no_such_module:answer")


def test_a_module_that_fails_is_explained(write: Write) -> None:
    """The error that a module raises while it is imported is told, and chained for the log."""
    name = write("raise RuntimeError('no licence')")
    with pytest.raises(ConfigError, match=f"cannot import {name}: RuntimeError: no licence") as caught:
        import_agent(f"{name}:answer")
    assert isinstance(caught.value.__cause__, RuntimeError)
