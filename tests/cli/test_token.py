"""`bamboo-gateway token`: what is on stdout, what is in the file, and what is told when it goes wrong."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from bamboo_gateway.cli import main
from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.identity.directory import TokenDirectory
from bamboo_gateway.identity.token import digest_of, find_id
from bamboo_gateway.identity.tokens_file import editing, read_tokens
from bamboo_gateway.principal import Credentials, Quotas, Scope
from bamboo_gateway.token_record import read_record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a file that is not there yet."""
    return tmp_path / "data" / "tokens.json"


def call(path: Path, *args: str) -> Result:
    """Run `token` with this file."""
    return CliRunner().invoke(main, ["token", *args], env={"BAMBOO_TOKENS": str(path)})


def told(path: Path, *args: str) -> str:
    """What is on stdout of a call that goes well."""
    result = call(path, *args)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refused(path: Path, *args: str, code: int = 1) -> str:
    """The one line of a call that does not."""
    result = call(path, *args)
    assert (result.exit_code, result.stdout) == (code, "")
    [line] = result.stderr.splitlines()
    return line.removeprefix("bamboo-gateway: ")


# ── create ───────────────────────────────────────────────────────────────────


async def test_the_token_alone_is_on_stdout(path: Path) -> None:
    """So that a shell can take it; the file has its digest, and what a person's client needs."""
    result = call(path, "create", "--user", "ann")
    token = result.stdout.removesuffix("\n")
    [record] = read_tokens(path)
    assert (record.id, record.digest) == (find_id(token), digest_of(token))
    assert (record.user_id, record.expires_at, record.label) == ("ann", None, None)
    assert record.scopes == {Scope.CHAT, Scope.SESSIONS_READ, Scope.SESSIONS_WRITE}
    assert record.quotas == Quotas()
    assert f"token {record.id} of ann is in {path}: chat, sessions:read, sessions:write" in result.stderr
    assert "from now on, a gateway with this file asks everybody" in result.stderr
    assert "from now on" not in call(path, "create", "--user", "bob").stderr
    principal = await TokenDirectory(GatewayConfig(), path)(Credentials(token))
    assert principal == record.principal()


def test_all_that_a_token_may_be_given(path: Path) -> None:
    """Scopes, an end, a name for people, and quotas."""
    before = int(time.time())
    told(
        path, "create", "--user", "ann", "--scope", "metrics", "--scope", "channels", "--expires", "90d",
        "--label", "Ann's phone", "--message-rate", "0.5", "--max-sessions", "1", "--max-channels", "0",
        "--max-queued-chats", "3",
    )  # fmt: skip
    [record] = read_tokens(path)
    assert record.scopes == {Scope.METRICS, Scope.CHANNELS}
    assert record.created_at is not None
    assert record.expires_at == record.created_at + 90 * 86400
    assert before <= record.created_at <= time.time()
    assert record.label == "Ann's phone"
    assert record.quotas == Quotas(0.5, 1, 0, 3)


def test_a_token_as_json(path: Path) -> None:
    """With what is known of it, but for the digest."""
    shown = json.loads(told(path, "create", "--user", "ann", "--json"))
    [record] = read_tokens(path)
    assert digest_of(shown.pop("token")) == record.digest
    assert shown == {
        "id": record.id,
        "user_id": "ann",
        "scopes": ["chat", "sessions:read", "sessions:write"],
        "created_at": record.created_at,
    }


def test_an_entry_for_the_settings_file(path: Path) -> None:
    """On stderr, to be appended there; no file is written."""
    args = ["--label", 'Ann\'s "phone" ☃ \\', "--message-rate", "5", "--max-sessions", "2", "--expires", "1h"]
    result = call(path, "create", "--user", "ann", "--toml", *args)
    [entry] = tomllib.loads(result.stderr)["principals"]
    record = read_record(entry, "x")
    assert record.digest == digest_of(result.stdout.strip())
    assert record.label == 'Ann\'s "phone" ☃ \\'
    assert record.quotas == Quotas(message_rate=5.0, max_sessions=2)
    assert not path.exists()


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["create"], 2, "Missing option '--user'."),
        (["create", "--user", ""], 1, "token.user_id: this is no text of 1 to 256 printable characters"),
        (["create", "--user", "a", "--label", "a\nb"], 1, "token.label: this is no text"),
        (["create", "--user", "a", "--scope", "all"], 2, "Invalid value for '--scope': 'all' is not one of"),
        (
            ["create", "--user", "a", "--expires", "soon"],
            2,
            "Invalid value for '--expires': 'soon' is no dur",
        ),
        (
            ["create", "--user", "a", "--expires", "0"],
            2,
            "Invalid value for '--expires': it would have expired",
        ),
        (
            ["create", "--user", "a", "--max-sessions", "-1"],
            1,
            "token.quotas: the quotas.max_sessions: -1 is no",
        ),
        (["revoke", "nil"], 1, "there is no token nil in "),
        (["rotate", "nil"], 1, "there is no token nil in "),
        (["list", "--tokens", "~nobody-of-this-name/x"], 1, "tokens: ~nobody-of-this-name/x: Could not"),
    ],
)
def test_a_wrong_call_is_one_line(path: Path, args: list[str], code: int, says: str) -> None:
    """And makes no file, which would have everybody asked for a token."""
    assert refused(path, *args, code=code).startswith(says)
    assert not path.exists()


def test_a_wrong_file_is_one_line(path: Path) -> None:
    """To whichever command; it stays as it is."""
    path.parent.mkdir()
    path.write_text("{")
    path.chmod(0o600)
    for args in (["create", "--user", "ann"], ["list"], ["revoke", "a"], ["rotate", "a"]):
        assert refused(path, *args).startswith(f"{path}: no JSON: ")
    assert path.read_text() == "{"


# ── list, revoke, rotate ─────────────────────────────────────────────────────


def make(path: Path, *args: str) -> Any:
    """Make a token; what is told of it."""
    return json.loads(told(path, "create", "--json", *args))


def test_the_list_shows_no_digest(path: Path) -> None:
    """Who has which, what it allows and until when: in columns, or as JSON."""
    assert told(path, "list") == ""
    assert call(path, "list").stderr == f"there are no tokens in {path}\n"
    ann = make(path, "--user", "ann", "--label", "phone", "--expires", "1h")
    bob = make(path, "--user", "bobby", "--scope", "admin")
    with editing(path) as tokens:
        tokens[ann["id"]] = attrs.evolve(tokens[ann["id"]], expires_at=1_900_000_000.0)
        tokens["old"] = attrs.evolve(tokens[bob["id"]], id="old", expires_at=5.0, scopes=frozenset())
    assert told(path, "list").splitlines() == [
        "ID        USER   EXPIRES            SCOPES                             LABEL",
        f"{ann['id']}  ann    2030-03-17 17:46Z  chat,sessions:read,sessions:write  phone",
        f"{bob['id']}  bobby  never              admin",
        "old       bobby  has expired        none",
    ]
    shown = [json.loads(line) for line in told(path, "list", "--json").splitlines()]
    assert shown[1] == {name: value for name, value in bob.items() if name != "token"}
    for text in (told(path, "list"), told(path, "list", "--json")):
        assert "sha256" not in text
        assert ann["token"].split("_", 2)[2] not in text


def test_revoke_takes_one_away(path: Path) -> None:
    """For good, and no other."""
    ann, bob = make(path, "--user", "ann"), make(path, "--user", "bob")
    assert told(path, "revoke", ann["id"]) == ""
    assert [record.id for record in read_tokens(path)] == [bob["id"]]
    assert refused(path, "revoke", ann["id"]).endswith("`token list` names them")


def test_rotate_gives_a_new_secret(path: Path) -> None:
    """To the same token, for as long as before, unless it is said."""
    ann = make(path, "--user", "ann", "--expires", "1h", "--label", "phone")
    token = told(path, "rotate", ann["id"]).removesuffix("\n")
    [record] = read_tokens(path)
    assert token != ann["token"]
    assert (find_id(token), digest_of(token)) == (ann["id"], record.digest)
    assert (record.user_id, record.label, record.expires_at) == ("ann", "phone", ann["expires_at"])
    shown = json.loads(told(path, "rotate", ann["id"], "--json", "--expires", "2h"))
    assert shown["expires_at"] > ann["expires_at"]
    assert shown["token"] != token


def test_what_has_expired_is_not_rotated_as_it_is(path: Path) -> None:
    """Nobody could use it; with a new end it can be."""
    ann = make(path, "--user", "ann")
    with editing(path) as tokens:
        tokens[ann["id"]] = attrs.evolve(tokens[ann["id"]], expires_at=5.0)
    assert refused(path, "rotate", ann["id"]).endswith(
        "has expired; say --expires, for how long it shall hold"
    )
    assert told(path, "rotate", ann["id"], "--expires", "1h")


def test_the_file_is_where_serve_looks_for_it(tmp_path: Path) -> None:
    """In this user's data folder, unless it is said."""
    result = CliRunner().invoke(
        main, ["token", "create", "--user", "ann"], env={"XDG_DATA_HOME": str(tmp_path), "BAMBOO_TOKENS": ""}
    )
    assert result.exit_code == 0
    assert len(read_tokens(tmp_path / "bamboo-gateway" / "tokens.json")) == 1
