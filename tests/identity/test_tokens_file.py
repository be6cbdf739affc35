from __future__ import annotations

import json
import multiprocessing
import stat
from pathlib import Path

import attrs
import pytest
from structlog.testing import capture_logs

from bamboo_gateway.errors import ConfigError
from bamboo_gateway.identity.token import make_token
from bamboo_gateway.identity.tokens_file import TokensFileError, editing, read_tokens
from bamboo_gateway.principal import Scope
from bamboo_gateway.token_record import TokenRecord, write_record


def record(name: str = "a", user_id: str = "ann") -> TokenRecord:
    """One token."""
    return TokenRecord(name, user_id, frozenset({Scope.CHAT}), make_token(name).digest)


def add(path: Path, *records: TokenRecord) -> None:
    """Put *records* into the file."""
    with editing(path) as tokens:
        tokens.update({each.id: each for each in records})


def add_many(path: Path, name: str) -> None:
    """As another process does."""
    for number in range(20):
        add(path, record(f"{name}-{number}"))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """In order, in a folder that is made for it, and for this user alone."""
    path = tmp_path / "data" / "tokens.json"
    first, second = record("a"), record("b", "bob")
    add(path, first)
    add(path, second)
    assert read_tokens(path) == [first, second]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with editing(path) as tokens:
        del tokens["a"]
    assert read_tokens(path) == [second]
    assert json.loads(path.read_text()) == {"version": 1, "tokens": [write_record(second)]}


def test_two_writers_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """One waits until the other is through."""
    path = tmp_path / "tokens.json"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=add_many, args=(path, name)) for name in ("x", "y")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert {each.id for each in read_tokens(path)} == {f"{name}-{n}" for name in "xy" for n in range(20)}


def test_what_fails_in_the_midst_changes_nothing(tmp_path: Path) -> None:
    """Nor does it leave anything behind."""
    path = tmp_path / "tokens.json"
    kept = record()
    add(path, kept)
    with pytest.raises(KeyError), editing(path) as tokens:
        del tokens["nil"]
    with pytest.raises(AttributeError), editing(path) as tokens:
        tokens["b"] = None  # type: ignore[assignment]  # the slip that is tested
    assert read_tokens(path) == [kept]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["tokens.json", "tokens.json.lock"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    """The file that it leads to is written, under whatever name."""
    real, link = tmp_path / "real.json", tmp_path / "tokens.json"
    link.symlink_to(real)
    add(link, record())
    assert link.is_symlink()
    assert len(read_tokens(real)) == 1


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    """Whoever has let a group read it had a reason."""
    path = tmp_path / "tokens.json"
    add(path, record())
    path.chmod(0o640)
    add(path, record("b"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_others_may_read_is_warned_of(tmp_path: Path) -> None:
    """They learn names, and digests of which no token can be made: worth a word, not an outage."""
    path = tmp_path / "tokens.json"
    add(path, record())
    path.chmod(0o644)
    with capture_logs() as logs:
        assert len(read_tokens(path)) == 1
    assert [line["event"] for line in logs] == ["tokens file may be read by others"]


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_what_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    """They could let in whom they like."""
    path = tmp_path / "tokens.json"
    add(path, record())
    path.chmod(mode)
    with pytest.raises(TokensFileError, match=r"others may write it.*; chmod 600 it"):
        read_tokens(path)


GOOD = write_record(record())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no JSON: Expecting value at character 0"),
        ("[]", 'it is no object with a list of "tokens"'),
        ('{"version": 1}', 'it is no object with a list of "tokens"'),
        ('{"tokens": []}', "its version is None, and this gateway reads version 1"),
        ('{"version": 2, "tokens": []}', "its version is 2, and this gateway reads version 1"),
        ('{"version": 1, "version": 1, "tokens": []}', "key twice in one object: 'version'"),
        ('{"version": 1, "tokens": [5]}', "tokens[0]: a value of type int stands where a table of"),
        (json.dumps({"version": 1, "tokens": [GOOD | {"scopes": ["all"]}]}), "tokens[0].scopes: 'all' is no"),
        (json.dumps({"version": 1, "tokens": [GOOD, GOOD]}), "there are two tokens with the id a"),
    ],
)
def test_a_wrong_file_is_one_clear_error(tmp_path: Path, text: str, says: str) -> None:
    """What, where, and how to fix it; to edit it is refused, too, and changes nothing."""
    path = tmp_path / "tokens.json"
    path.write_text(text)
    path.chmod(0o600)
    for use in (read_tokens, add):
        with pytest.raises(TokensFileError) as caught:
            use(path)
        assert str(caught.value).startswith(f"{path}: {says}")
        assert str(caught.value).endswith("(bamboo-gateway token create)")
        assert isinstance(caught.value, ConfigError)
    assert path.read_text() == text


def test_what_is_no_text_is_one_clear_error(tmp_path: Path) -> None:
    """A picture, say."""
    path = tmp_path / "tokens.json"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(TokensFileError, match=r"tokens\.json: it is no text; mend it"):
        read_tokens(path)


def test_what_cannot_be_opened_is_one_clear_error(tmp_path: Path) -> None:
    """Missing, or a folder; or in what is no folder."""
    with pytest.raises(TokensFileError, match="nil: No such file or directory; it must be a file"):
        read_tokens(tmp_path / "nil")
    with pytest.raises(TokensFileError, match=": Is a directory; it must be a file"):
        read_tokens(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(TokensFileError, match="; its folder must be one that this user may write"):
        add(tmp_path / "file" / "tokens.json", record())


def test_a_record_is_none_the_wiser(tmp_path: Path) -> None:
    """What is written of a token has neither its secret nor room for it."""
    token = make_token()
    path = tmp_path / "tokens.json"
    add(path, attrs.evolve(record(token.id), digest=token.digest))
    assert token.text.removeprefix(f"bamboo_{token.id}_") not in path.read_text()
