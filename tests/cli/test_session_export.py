"""What is exported, in each format."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, strategies as st

from bamboo_gateway.cli.plain_text import plain
from bamboo_gateway.cli.session_export import FORMATS
from tests.cli.test_session_text import SAID, SESSION
from tests.strategies import json_objects


@given(session=json_objects, messages=st.lists(json_objects, max_size=4))
def test_json_lines_are_read_back(session: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    """A line each, whatever is in it; the session comes first, and says how many messages follow."""
    how = FORMATS["jsonl"]
    text = how.session(session, len(messages)) + "".join(map(how.message, messages))
    assert text.replace("\n", "").isprintable()
    read = [json.loads(line) for line in text.split("\n")[:-1]]
    head = {"session": session, "messages": len(messages)}
    assert read == [head, *({"message": each} for each in messages)]


def test_markdown_is_for_people() -> None:
    """Headings, what was said as it was said, and each tool call."""
    how = FORMATS["markdown"]
    assert how.session(SESSION | {"name": "Tea"}, 3) == (
        "# Tea\n\n01a6d753-d844-41b7-8f37-f0e46e6be377 · 2023-11-14 22:13:20Z · messages: 3\n\n"
    )
    calls = [
        {"id": "1", "tool": "search", "args": {"q": 1}, "result": "a\n```\nb", "ok": True},
        {"id": "2", "tool": "clock", "result": "broken", "ok": False},
        {"id": "3", "tool": "late"},
    ]
    assert how.message(SAID | {"tool_calls": calls, "status": "failed", "truncated": True}) == (
        "## assistant (failed) (cut) · 2023-11-14 22:13:20Z\n\n"
        'Tool **search**:\n\n```json\n{"q":1}\n```\n\nIt answered:\n\n````\na\n```\nb\n````\n\n'
        "Tool **clock**:\n\n```json\nnull\n```\n\nIt failed:\n\n```\nbroken\n```\n\n"
        "Tool **late**:\n\n```json\nnull\n```\n\nIt has not answered.\n\n"
        "hello\n\n"
    )


@given(text=st.text())
def test_markdown_leaves_the_cursor_alone(text: str) -> None:
    """Nobody knows who chose the name of a session, or where an agent has its words from."""
    how = FORMATS["markdown"]
    call = {"id": text, "tool": text, "args": text, "result": text, "ok": True}
    written = how.session(SESSION | {"name": text}, 1) + how.message(
        SAID | {"content": text, "tool_calls": [call]}
    )
    assert plain(written) == written
