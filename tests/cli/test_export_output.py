"""Where an export goes: files that are there whole or not at all."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import click
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.export_output import FileInTheWayError, file_name, new_file, open_output
from tests.strategies import names


def write(path: Path | str, text: str, *, force: bool = False, session_id: str = "s1") -> None:
    """Export a session."""
    with open_output(str(path), ".txt", force=force) as output, output.session(session_id) as file:
        file.write(text)


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    """Not while it is being written, and not if that fails; nobody else may read it."""
    path = tmp_path / "out"
    with new_file(path, force=False) as file:
        file.write("竹")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "竹"
    assert path.stat().st_mode & 0o777 == 0o600
    broken = new_file(tmp_path / "half", force=False)
    broken.__enter__().write("a")
    assert broken.__exit__(LookupError, LookupError(), None) is False
    assert list(tmp_path.iterdir()) == [path]


def test_no_file_is_lost(tmp_path: Path) -> None:
    """One that is there already is written over only by force."""
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(FileInTheWayError, match="--force"):
        write(path, "new")
    assert path.read_text() == "old"
    write(path, "new", force=True)
    assert path.read_text() == "new"


def test_nor_one_that_came_meanwhile(tmp_path: Path) -> None:
    """Two exports at once: the second to be through is told."""
    path = tmp_path / "out"
    late = new_file(path, force=False)
    late.__enter__().write("second")
    path.write_text("first")
    with pytest.raises(FileInTheWayError, match="--force"):
        late.__exit__(None, None, None)
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_no_file() -> None:
    """To put a file in its place would be a surprise, above all to the rest of the system."""
    with pytest.raises(click.ClickException, match="is no file"):
        write("/dev/null", "x", force=True)


def test_a_file_that_cannot_be_made(tmp_path: Path) -> None:
    """Is one clear error."""
    with pytest.raises(click.ClickException, match="no/out: No such file"):
        write(tmp_path / "no/out", "x")
    (tmp_path / "file").touch()
    with pytest.raises(click.ClickException, match="File exists"):
        write(f"{tmp_path}/file/", "x")


def test_a_disk_that_is_full_is_told(tmp_path: Path) -> None:
    """In a sentence, and what there is of the file is gone."""
    broken = new_file(tmp_path / "out", force=False)
    broken.__enter__().write("a")
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(click.ClickException, match="out: No space left on device"):
        broken.__exit__(OSError, full, None)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_gets_a_file_for_each(tmp_path: Path) -> None:
    """One that is there, or is to be made; each file by itself may be in the way."""
    folder = tmp_path / "new" / "folder"
    write(f"{folder}/", "one", session_id="a")
    write(folder, "two", session_id="b")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a.txt": "one", "b.txt": "two"}
    with pytest.raises(FileInTheWayError, match=r"a\.txt exists"):
        write(folder, "three", session_id="a")


def test_stdout_is_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """And stays open."""
    write("-", "said")
    assert not sys.stdout.closed
    assert capsys.readouterr().out == "said"


@given(session_id=names | st.sampled_from([".", "..", "../../etc/passwd", "竹" * 250, "a/b"]))
def test_any_id_makes_a_name(session_id: str) -> None:
    """Which stays in its folder, is not hidden, and short enough for every file system."""
    name = file_name(session_id)
    assert name
    assert not name.startswith(".")
    assert "/" not in name
    assert name.isascii()
    assert name.isprintable()
    assert len(name) <= 204


@given(one=names, other=names)
def test_no_two_ids_share_a_name(one: str, other: str) -> None:
    """Nothing is written over by its neighbour."""
    assert (file_name(one) == file_name(other)) == (one == other)


def test_an_id_as_the_gateway_gives_them_is_its_own_name() -> None:
    """So a session's file is found by it."""
    assert file_name("01a6d753-d844-41b7-8f37-f0e46e6be377") == "01a6d753-d844-41b7-8f37-f0e46e6be377"
