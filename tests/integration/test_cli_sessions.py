"""`bamboo-gateway sessions`: a gateway that runs, and the file of one that does not, tell the same."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def standing(place: Place, *, is_live: bool) -> Iterator[Sequence[str]]:
    """Ask the gateway that holds the file, or the file of one that has stopped; yields the sessions' ids."""
    place.where = ("--storage", place.storage)
    ids = place.ids()
    with serving("--storage", place.storage) as gateway:
        if is_live:
            on(place, gateway)
        else:
            gateway.stop()
        yield ids


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
    assert "hello bamboo" in stored[1]
    assert '[search answered: {"q":1}]' in stored[1]
    exported = [json.loads(line) for line in stored[3].splitlines()]
    assert [each["messages"] for each in exported if "session" in each] == [6, 2]
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
    with standing(place, is_live=is_live) as (first, second):
        assert place.fail("delete", first)[0] == 2
        code, said = place.fail("delete", "nil", first, "--yes")
        assert (code, said) == (
            1,
            "bamboo-gateway: there is no session nil; `sessions list` names them\n",
        )
        assert place.ids() == [second]


def test_a_person_is_asked(place: Place) -> None:
    """At a terminal, whether it is meant, and shown what it is about; no is the default."""
    place.where = ("--storage", place.storage)
    first, second = place.ids()
    for answer, says, left in (
        ("\n", "nothing was deleted", [first, second]),
        ("y\n", f"deleted {first}", [second]),
    ):
        with terminal("sessions", "delete", first, "nil", first, *place.where) as person:
            assert first in person.wait_for("Delete this session for ever? [y/N]")
            person.type(answer)
            person.wait_for(says)
            assert person.wait() == 1  # no, or there is no session nil
        assert place.ids() == left
    with terminal("sessions", "delete", "nil", *place.where) as person:
        person.wait_for("there is no session nil")
        assert person.wait() == 1


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
        with terminal("chat", "--plain", "--url", gateway.url, "--session", first) as person:
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


@pytest.mark.parametrize("is_live", [True, False], ids=["live", "stopped"])
def test_a_list_goes_on_where_it_ended(place: Place, is_live: bool) -> None:
    """With --limit, which tells the number; the session of the command itself is no reason to look on."""
    with standing(place, is_live=is_live) as (first, second):
        ran = run("sessions", "list", "--json", "--limit", "1", *place.where)
        assert json.loads(ran.stdout)["session_id"] == first
        said, after = ran.stderr.rsplit(maxsplit=1)
        assert said == "there are more: --after"
        rest = place.ask("list", "--json", "--limit", "1", "--after", after)
        assert json.loads(rest)["session_id"] == second
        assert place.ids() == [first, second]


@pytest.mark.parametrize("is_live", [True, False], ids=["live", "stopped"])
def test_a_list_is_searched_and_turned_round(place: Place, is_live: bool) -> None:
    """By a piece of text in any case; a search in vain is told as such."""
    with standing(place, is_live=is_live) as (first, second):
        turned = [json.loads(line) for line in place.ask("list", "--json", "--newest").splitlines()]
        assert [each["session_id"] for each in turned] == [second, first]
        assert json.loads(place.ask("list", "--json", "--search", "[31mRED"))["session_id"] == second
        assert place.fail("list", "--search", "%") == (0, "there are no such sessions\n")


def test_a_folder_gets_a_file_for_each_session(place: Place, tmp_path: Path) -> None:
    """Those that are there are kept and named; the others are made, and no half file is left."""
    place.where = ("--storage", place.storage)
    first, second = place.ids()
    folder = tmp_path / "all"
    place.ask("export", second, "--output", f"{folder}/")
    code, said = place.fail("export", "--all", "--output", str(folder))
    assert (code, said) == (
        1,
        f"bamboo-gateway: {folder}/{second}.jsonl exists already; --force writes over it\n",
    )
    assert sorted(path.name for path in folder.iterdir()) == sorted([f"{first}.jsonl", f"{second}.jsonl"])
    assert (folder / f"{first}.jsonl").read_text() == place.ask("export", first)
    place.ask("export", "--all", "--force", "--output", str(folder), "--format", "markdown")
    assert (folder / f"{first}.md").read_text() == place.ask("export", first, "--format", "markdown")


def test_an_export_that_lacks_a_session_is_no_file(place: Place, tmp_path: Path) -> None:
    """To stdout the others are written; both say what is missing."""
    place.where = ("--storage", place.storage)
    first, _ = place.ids()
    says = (1, "bamboo-gateway: there is no session nil\n")
    assert place.fail("export", "nil", first, "--output", str(tmp_path / "out")) == says
    assert not (tmp_path / "out").exists()
    ran = run("sessions", "export", "nil", first, *place.where)
    assert (ran.returncode, ran.stderr) == says
    assert ran.stdout == place.ask("export", first)


def test_a_terminal_is_told_and_not_played_with(place: Place, tmp_path: Path) -> None:
    """What an export came to; and the name of a session does nothing, wherever it is shown."""
    place.where = ("--storage", place.storage)
    with terminal("sessions", "export", "--all", "--output", str(tmp_path / "out"), *place.where) as person:
        person.wait_for("2 sessions with 8 messages are in ")
        assert person.wait() == 0
    hostile = "\x1b[31mred"
    for command in (("list",), ("list", "--json"), ("show", place.ids()[1]), ("export", "--all")):
        assert hostile not in place.ask(*command)
    assert json.loads(place.ask("list", "--json").splitlines()[1])["name"] == hostile
    with terminal("sessions", "list", *place.where) as person:
        person.wait_for("[31mred")
        assert person.wait() == 0
        assert "\x1b" not in person.shown


def test_large_messages_are_exported(tmp_path: Path) -> None:
    """A page of them is more than a client takes at once by default."""
    place = Place(f"sqlite:{tmp_path}/gateway.db")
    with serving("--storage", place.storage) as gateway:
        on(place, gateway)
        talk(gateway, *["/fail " + "x" * 1_000_000] * 12)
        session, *messages = [json.loads(line) for line in place.ask("export", "--all").splitlines()]
        assert session["messages"] == len(messages) == 24
        shown = json.loads(place.ask("show", *place.ids(), "--messages", "24", "--json"))
        assert shown["messages"] == [each["message"] for each in messages]
        assert len(shown["messages"][0]["content"]) == 1_000_006


def test_a_session_is_shown_while_its_answer_is_given(place: Place) -> None:
    """As far as it has come; to look at it neither joins it nor stops it."""
    with serving("--storage", place.storage) as gateway:
        first = on(place, gateway).ids()[0]
        with terminal("chat", "--plain", "--url", gateway.url, "--session", first) as person:
            person.wait_for("> ")
            person.type("/tokens 100000\n")
            person.wait_for("50 ")
            shown = json.loads(place.ask("show", first, "--messages", "1", "--json"))
            assert (shown["session"]["state"], shown["session"]["watchers"]) == ("running", 1)
            [answer] = shown["messages"]
            assert answer["status"] == "running"
            assert answer["content"].startswith("1 2 3 ")
            person.wait_for("0 ")


def test_what_is_asked_in_vain(place: Place, tmp_path: Path) -> None:
    """Each is one sentence that says how to put it right."""
    place.where = ("--storage", place.storage)
    assert place.fail("show", "nil") == (
        1,
        "bamboo-gateway: there is no session nil; `sessions list` names them\n",
    )
    assert place.fail("export") == (2, "bamboo-gateway: name sessions, or say --all\n")
    place.where = ("--storage", place.storage, "--url", "ws://127.0.0.1:1")
    assert "say one" in place.fail("list")[1]
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
