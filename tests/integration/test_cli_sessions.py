"""`bamboo-gateway sessions`: a gateway that runs, and the file of one that does not, tell the same."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.process import Serving, run, serving, terminal

pytestmark = pytest.mark.integration


class Place:
    """One file, and how it is looked at: through a gateway that runs, or by itself."""

    def __init__(self, storage: str) -> None:
        self.storage = storage
        self.where: Sequence[str] = ()

    def ask(self, *args: str) -> str:
        """What `sessions` prints, where it must succeed."""
        ran = run("sessions", *args, *self.where)
        assert (ran.returncode, ran.stderr) == (0, "")
        return ran.stdout

    def fail(self, *args: str) -> tuple[int, str]:
        """How it fails: exit code, and what it says of it."""
        ran = run("sessions", *args, *self.where)
        return ran.returncode, ran.stderr

    def ids(self) -> list[str]:
        """All sessions, oldest first."""
        return [json.loads(line)["session_id"] for line in self.ask("list", "--json").splitlines()]


def talk(gateway: Serving, *lines: str, session: str | None = None) -> None:
    """Somebody chats."""
    options = ["--session", session] if session else []
    run("chat", "--url", gateway.url, *options, stdin="".join(f"{line}\n" for line in lines))


def on(place: Place, gateway: Serving) -> Place:
    """Through the gateway."""
    place.where = ("--url", gateway.url)
    return place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A file with two conversations, one of them with a name that would play with the terminal."""
    place = Place(f"sqlite:{tmp_path}/gateway.db")
    with serving("--storage", place.storage) as gateway:
        talk(gateway, "hello bamboo", '/tool search {"q":1}', "/fail sorry")
        talk(gateway, "again")
        second = on(place, gateway).ids()[1]
        rename = json.dumps({"session_id": second, "name": "\x1b[31mred"})
        assert run("call", "--url", gateway.url, "session.rename", rename).returncode == 0
        gateway.stop()
    return place


def test_both_ways_tell_the_same(place: Place) -> None:
    """Lists, details and whole conversations; and to look leaves no session behind."""
    place.where = ("--storage", place.storage)
    first, second = place.ids()
    commands = [
        ("list",),
        ("list", "--limit", "1"),
        ("show", first),
        ("show", second, "--messages", "1", "--json"),
        ("export", "--all"),
        ("export", second, first, "--format", "markdown"),
    ]
    stored = [place.ask(*command) for command in commands]
    with serving("--storage", place.storage) as gateway:
        on(place, gateway)
        assert [place.ask(*command) for command in commands] == stored
        assert place.ids() == [first, second]
    assert "\x1b" not in stored[0]
    assert "hello bamboo" in stored[2]
    assert '[search answered: {"q":1}]' in stored[2]
    exported = [json.loads(line) for line in stored[4].splitlines()]
    assert [next(iter(each)) for each in exported] == [
        "session",
        *["message"] * 6,
        "session",
        *["message"] * 2,
    ]
    assert exported[6]["message"]["status"] == "failed"


@pytest.mark.parametrize("is_live", [True, False], ids=["live", "stopped"])
def test_sessions_are_deleted(place: Place, is_live: bool) -> None:
    """Those that there are; one that there is not is named, and is no reason to spare the others."""
    place.where = ("--storage", place.storage)
    first, second = place.ids()
    with serving("--storage", place.storage) as gateway:
        if is_live:
            on(place, gateway)
        else:
            gateway.stop()
        assert place.fail("delete", first)[0] == 2
        code, said = place.fail("delete", "nil", first, "--yes")
        assert (code, said) == (1, "bamboo-gateway: there is no session nil\n")
        assert place.ids() == [second]


def test_a_person_is_asked(place: Place) -> None:
    """At a terminal, whether it is meant; no is the default."""
    place.where = ("--storage", place.storage)
    first, second = place.ids()
    for answer, left in (("\n", [first, second]), ("y\n", [second])):
        with terminal("sessions", "delete", first, *place.where) as person:
            person.wait_for("Delete 1 session(s) for ever? [y/N]")
            person.type(answer)
            person.wait()
        assert place.ids() == left


def test_a_deleted_session_has_left_its_channels(place: Place) -> None:
    """A channel counts its members, also when one of them is deleted from the file."""
    with serving("--storage", place.storage) as gateway:
        first = on(place, gateway).ids()[0]
        for name, args in (("channel.create", {}), ("channel.join", {"session_id": first})):
            ran = run("call", "--url", gateway.url, name, json.dumps({"name": "news"} | args))
            assert json.loads(ran.stdout)["members"] == (name == "channel.join")
        gateway.stop()
    place.where = ("--storage", place.storage)
    place.ask("delete", first, "--yes")
    with serving("--storage", place.storage) as gateway:
        ran = run("call", "--url", gateway.url, "channel.list")
        assert [each["members"] for each in json.loads(ran.stdout)["channels"]] == [0]


def test_an_answer_that_a_kill_has_cut_is_shown(place: Place) -> None:
    """As the next gateway will close it, although none has looked at the file since."""
    with serving("--storage", place.storage) as gateway:
        first = on(place, gateway).ids()[0]
        with terminal("chat", "--url", gateway.url, "--session", first) as person:
            person.wait_for("> ")
            person.type("/tokens 100000\n")
            person.wait_for("50 ")
            gateway.stop(signal.SIGKILL)
    place.where = ("--storage", place.storage)
    shown = place.ask("show", first, "--messages", "2")
    assert place.ask("show", first, "--messages", "2") == shown
    question, head, answer = shown.split("── ")[1:][0], *shown.split("── ")[2].split("\n")[:2]
    assert question.startswith("user")
    assert head.endswith(", interrupted")
    assert answer.split()[:50] == [str(number) for number in range(1, 51)]
    with serving("--storage", place.storage) as gateway:
        assert (
            on(place, gateway).ask("show", first, "--messages", "2").split("── ")[1:]
            == shown.split("── ")[1:]
        )


def test_an_export_becomes_a_file(place: Place, tmp_path: Path) -> None:
    """Whole, and over no other one."""
    place.where = ("--storage", place.storage)
    target = str(tmp_path / "all.jsonl")
    assert place.ask("export", "--all", "--output", target) == ""
    assert Path(target).read_text() == place.ask("export", "--all")
    assert "--force" in place.fail("export", "--all", "--output", target)[1]


def test_what_is_asked_in_vain(place: Place, tmp_path: Path) -> None:
    """Each is one sentence that says how to put it right."""
    place.where = ("--storage", place.storage)
    assert place.fail("show", "nil") == (
        1,
        "bamboo-gateway: there is no session nil; `sessions list` names them\n",
    )
    assert place.fail("export") == (2, "bamboo-gateway: name sessions, or say --all\n")
    place.where = ("--storage", "memory:")
    assert "use --url" in place.fail("list")[1]
    place.where = ("--storage", f"sqlite:{tmp_path}/nowhere.db")
    assert "there is no such storage" in place.fail("list")[1]
    assert not (tmp_path / "nowhere.db").exists()
    place.where = ("--storage", "redis:")
    assert "is none of memory:, sqlite:" in place.fail("list")[1]
    place.where = ("--url", "ws://127.0.0.1:1")
    assert "`--storage sqlite:` looks into the file" in place.fail("list")[1]
    with serving("--storage", place.storage):
        place.where = ("--storage", place.storage)
        assert "a gateway that runs is asked with --url" in place.fail("list")[1]


def test_where_nothing_is_nothing_is_listed(tmp_path: Path) -> None:
    """A person is told so; a program is given no line."""
    with serving("--storage", f"sqlite:{tmp_path}/empty.db") as gateway:
        ran = run("sessions", "list", "--url", gateway.url)
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "there are no sessions\n")
        assert run("sessions", "list", "--json", "--url", gateway.url).stderr == ""
