"""The table of commands: each row walked with the right arguments, the wrong ones and none; and `help`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_type_hints

import attrs
import pytest

from bamboo_gateway.commands import COMMANDS, CommandSpec
from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.idempotency import Operation
from bamboo_gateway.principal import Scope
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.messages import Json
from bamboo_gateway.session.requests import CreateChannel, JoinChannel
from tests.backstage import backstage

RIGHT: Mapping[str, dict[str, Json]] = {
    "ping": {"timestamp": 5},
    "status": {},
    "help": {"name": "ping"},
    "auth.refresh": {"auth": "ann"},
    "session.list": {"limit": 1, "after": 0, "order": "newest", "search": "s1"},
    "session.get": {"session_id": "s1"},
    "session.create": {"name": "tea", "metadata": {"a": [1, None]}},
    "session.rename": {"name": None, "session_id": "s1"},
    "session.set_metadata": {"metadata": {"a": 1}, "session_id": "s1"},
    "session.delete": {"session_id": "s1"},
    "session.history": {"session_id": "s1", "limit": 5, "before": 9},
    "session.abort": {"session_id": "s1", "run_id": "r1"},
    "session.share": {"session_id": "s1", "user_id": "bob", "access": "read"},
    "channel.list": {},
    "channel.create": {"name": "talk"},
    "channel.join": {"name": "news", "session_id": "s1"},
    "channel.leave": {"name": "news", "session_id": "s1"},
    "channel.send": {
        "name": "news",
        "content": "hello",
        "session_id": "s1",
        "id": "m1",
        "metadata": {"a": 1},
    },
    "channel.delete": {"name": "news"},
    "broadcast.send": {"content": "hello", "metadata": {"a": 1}},
    "presence.list": {"session_id": "s1"},
    "connection.list": {"limit": 2, "after": 1},
    "gateway.info": {},
    "gateway.stats": {"histograms": True},
}

WRONG: list[tuple[str, Json, str]] = [
    ("ping", {"timestamp": "5"}, "expected an integer, got a string @ $.timestamp"),
    ("help", {"name": 5}, "expected a string, got an integer @ $.name"),
    ("session.list", {"limit": 0}, "'limit' must be >= 1"),
    ("session.list", {"limit": 501}, "'limit' must be <= 500"),
    ("session.list", {"limit": True}, "expected an integer, got a boolean @ $.limit"),
    ("session.list", {"after": -1}, "'after' must be >= 0"),
    ("session.get", {"session_id": ["s1"]}, "expected a string, got an array @ $.session_id"),
    ("session.create", {"name": ""}, "Length of 'name' must be >= 1"),
    ("session.create", {"name": "x" * 257}, "Length of 'name' must be <= 256"),
    ("session.create", {"metadata": []}, "expected an object, got an array @ $.metadata"),
    ("session.rename", {}, "required field 'name' is missing"),
    ("session.set_metadata", {}, "required field 'metadata' is missing"),
    ("session.set_metadata", {"metadata": None}, "expected an object, got null @ $.metadata"),
    ("session.history", {"limit": 0}, "'limit' must be >= 1"),
    ("session.history", {"before": -1}, "'before' must be >= 0"),
    ("session.history", {"before": 1.5}, "expected an integer, got a fraction @ $.before"),
    ("session.share", {"access": "read"}, "required field 'user_id' is missing"),
    ("session.share", {"user_id": "bob"}, "required field 'access' is missing"),
    ("session.share", {"user_id": "", "access": None}, "Length of 'user_id' must be >= 1"),
    ("session.share", {"user_id": "bob", "access": "own"}, "access"),
    ("channel.delete", {}, "required field 'name' is missing"),
    ("channel.create", {}, "required field 'name' is missing"),
    ("channel.create", {"name": ""}, "Length of 'name' must be >= 1"),
    ("channel.join", {"name": "x" * 257}, "Length of 'name' must be <= 256"),
    ("channel.send", {"name": "news"}, "required field 'content' is missing"),
    ("channel.send", {"name": "news", "content": "x", "id": ""}, "Length of 'id' must be >= 1"),
]


def test_the_table_is_walked_whole() -> None:
    """The commands of the design, under their names, and an example for each."""
    assert list(RIGHT) == list(COMMANDS)
    assert all(spec.name == name for name, spec in COMMANDS.items())


@pytest.mark.parametrize("name", RIGHT)
async def test_each_command_answers_as_its_row_says(name: str) -> None:
    """Its result can be read as its result class; arguments that are unknown are ignored."""
    async with backstage() as stage:
        caller = await stage.connect(scopes=frozenset(Scope))
        await stage.ask(CreateChannel(caller, "news"))
        await stage.ask(JoinChannel(caller, None, "news"))
        answer = await stage.command(caller, name, RIGHT[name] | {"unheard_of": [1]})
        assert answer.ok, answer.error
        result = COMMANDS[name].result
        assert isinstance(answer.result, dict)
        assert set(answer.result) <= {field.name for field in attrs.fields(result)}
        assert codec.unstructure(codec.structure(answer.result, result)) == answer.result


@pytest.mark.parametrize("args", [None, {}])
@pytest.mark.parametrize(
    "name",
    [
        spec.name
        for spec in COMMANDS.values()
        if all(field.default is not attrs.NOTHING for field in attrs.fields(spec.arguments))
    ],
)
async def test_where_nothing_is_required_nothing_needs_to_be_sent(name: str, args: Json) -> None:
    """Null stands for no arguments."""
    async with backstage() as stage:
        answer = await stage.command(await stage.connect(scopes=frozenset(Scope)), name, args)
        assert answer.ok, answer.error


@pytest.mark.parametrize(
    ("name", "args", "text"), WRONG, ids=[f"{name}-{args!s:.40}" for name, args, _ in WRONG]
)
async def test_wrong_arguments_are_refused_with_their_path(name: str, args: Json, text: str) -> None:
    """Which command, which argument, and what is wrong with it."""
    async with backstage() as stage:
        error = (await stage.command(await stage.connect(), name, args)).error
        assert error is not None
        assert error.code == ErrorCode.INVALID_ARGUMENTS
        assert error.message.startswith(f"{name}: ")
        assert text in error.message


# ── help ─────────────────────────────────────────────────────────────────────


async def help_on(**args: Json) -> Any:
    """What `help` says."""
    async with backstage() as stage:
        return await stage.command(await stage.connect(scopes=frozenset(Scope)), "help", args)


async def test_help_lists_every_command() -> None:
    """With a sentence, the arguments and the fields of the result."""
    commands = (await help_on()).result["commands"]
    assert [command["name"] for command in commands] == list(COMMANDS)
    for command in commands:
        spec: CommandSpec = COMMANDS[command["name"]]
        assert command["summary"].endswith(".")
        assert list(command["args"]) == [field.name for field in attrs.fields(spec.arguments)]
        assert command["result"] == [field.name for field in attrs.fields(spec.result)]


async def test_help_on_one_command_names_types_and_defaults() -> None:
    """As Python writes them."""
    assert (await help_on(name="session.history")).result == {
        "commands": [
            {
                "name": "session.history",
                "summary": "Read the conversation, page by page.",
                "args": {
                    "session_id": "str | None = None",
                    "limit": "int = 50",
                    "before": "int | None = None",
                },
                "result": ["messages", "first", "has_more", "seq", "queued"],
                "changes": False,
                "scopes": ["chat", "sessions:read"],
            }
        ]
    }
    [rename] = (await help_on(name="session.rename")).result["commands"]
    assert rename["args"]["name"] == "str | None"


async def test_help_on_nothing_is_refused() -> None:
    """A name that is no command."""
    error = (await help_on(name="dance")).error
    assert (error.code, error.message) == (ErrorCode.UNKNOWN_COMMAND, "no command 'dance' that you may run")


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=COMMANDS)
def test_what_changes_something_says_so(spec: CommandSpec) -> None:
    """Exactly the commands that return an operation are carried out once for each id."""
    assert spec.changes is (get_type_hints(spec.run)["return"] is Operation)
