"""What is exported: formats, and files that are there whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.session_export import FORMATS, open_output
from tests.cli.test_session_text import SAID, SESSION
from tests.strategies import json_objects


@given(session=json_objects, messages=st.lists(json_objects, max_size=4))
def test_json_lines_are_read_back(session: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    """A line each, the session first; whatever is in them, each line is one object."""
    how = FORMATS["jsonl"]
    text = how.session(session) + "".join(map(how.message, messages))
    read = [json.loads(line) for line in text.split("\n")[:-1]]
    assert read == [{"session": session}, *({"message": each} for each in messages)]


def test_markdown_is_for_people() -> None:
    """Headings, what was said as it was said, and each tool call."""
    how = FORMATS["markdown"]
    assert how.session(SESSION | {"name": "Tea"}) == (
        "# Tea\n\n01a6d753-d844-41b7-8f37-f0e46e6be377 · 2023-11-14 22:13:20Z\n\n"
    )
    calls = [{"id": "1", "tool": "search", "args": {"q": 1}, "result": "found", "ok": True}]
    assert how.message(SAID | {"tool_calls": calls, "status": "failed"}) == (
        '## assistant (failed) · 2023-11-14 22:13:20Z\n\n- `search` {"q":1} → found\n\nhello\n\n'
    )


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    """Not while it is being written, and not if that fails."""
    path = tmp_path / "out"
    with open_output(str(path), force=False) as file:
        file.write("竹")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "竹"
    broken = open_output(str(tmp_path / "half"), force=False)
    broken.__enter__().write("a")
    assert broken.__exit__(LookupError, LookupError(), None) is False
    assert list(tmp_path.iterdir()) == [path]


def test_no_file_is_lost(tmp_path: Path) -> None:
    """One that is there already is written over only by force."""
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(click.ClickException, match="--force"), open_output(str(path), force=False):
        pass
    assert path.read_text() == "old"
    with open_output(str(path), force=True) as file:
        file.write("new")
    assert path.read_text() == "new"


def test_a_file_that_cannot_be_made(tmp_path: Path) -> None:
    """Is one clear error."""
    with (
        pytest.raises(click.ClickException, match="No such file"),
        open_output(str(tmp_path / "no/out"), force=False),
    ):
        pass
