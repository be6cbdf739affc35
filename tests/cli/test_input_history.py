from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.input_history import MAX_BYTES, MAX_LINES, InputHistory, history_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """In a folder that is not there yet."""
    return tmp_path / "state" / "history.jsonl"


def read(path: Path) -> list[str]:
    """The entries as the next talk has them, oldest first."""
    return [*InputHistory(path).load_history_strings()][::-1]


@given(entries=st.lists(st.text(alphabet='ab \n"\\\u2028é', max_size=6), max_size=5))
def test_entries_come_back(entries: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each as it was, with its line breaks."""
    path = tmp_path_factory.mktemp("state") / "history.jsonl"
    history = InputHistory(path)
    for entry in entries:
        history.store_string(entry)
    assert read(path) == entries


def test_it_is_for_its_user_alone(path: Path) -> None:
    """Also where somebody had it opened to others."""
    path.parent.mkdir()
    path.touch(0o666)
    InputHistory(path).store_string("one")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "entry",
    [
        "my token is bamboo_0123abcd_xyz",
        "Authorization: Bearer abc",
        "use sk-abc",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x",
        "open sesame now",
        "x" * (MAX_BYTES + 1),
    ],
)
def test_tokens_and_what_is_too_long_are_not_kept(path: Path, entry: str) -> None:
    """That of the connection, and whatever looks like one."""
    history = InputHistory(path, ["sesame", None, ""])
    history.store_string(entry)
    history.store_string("one")
    assert read(path) == ["one"]


def test_the_oldest_go_first(path: Path) -> None:
    """When it has grown too long; the file is cut when it is read."""
    path.parent.mkdir()
    path.write_text("".join(f'"{number}"\n' for number in range(MAX_LINES + 5)))
    kept = [str(number) for number in range(5, MAX_LINES + 5)]
    assert read(path) == kept
    assert [json.loads(line) for line in path.read_text().splitlines()] == kept
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_is_no_entry_is_left_out(path: Path) -> None:
    """A line that was cut off, or that somebody has written by hand."""
    path.parent.mkdir()
    path.write_bytes(b'"one"\n{"two": 2}\nthree\n\xff\n"fo')
    assert read(path) == ["one"]


def test_a_file_that_cannot_be_used_is_as_good_as_none(tmp_path: Path) -> None:
    """The talk goes on."""
    (tmp_path / "state").write_text("no folder")
    history = InputHistory(tmp_path / "state" / "history.jsonl")
    history.store_string("one")
    assert [*history.load_history_strings()] == []


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """Nobody shall have it written elsewhere."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    InputHistory(tmp_path / "link").store_string("one")
    assert not (tmp_path / "elsewhere").exists()


def test_it_stands_in_the_users_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the platform has it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert history_path().name == "chat-history.jsonl"
