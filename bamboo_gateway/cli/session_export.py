"""Whole conversations as text: for other programs, or for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import attrs

from .plain_text import one_line, plain, to_json
from .session_source import Record
from .session_text import moment


@attrs.frozen
class ExportFormat:
    """How a session, and then each of its messages, is written."""

    suffix: str
    """Of the names of files in this format."""
    session: Callable[[Record, int], str]
    """Writes a session, which so many messages follow."""
    message: Callable[[Record], str]


def _session_line(session: Record, messages: int) -> str:
    return to_json({"session": session, "messages": messages}) + "\n"


def _message_line(message: Record) -> str:
    return to_json({"message": message}) + "\n"


def _heading(session: Record, messages: int) -> str:
    title = one_line(session["name"] or session["session_id"])
    begun = moment(session["created_at"])
    return f"# {title}\n\n{one_line(session['session_id'])} · {begun} · messages: {messages}\n\n"


def _paragraphs(message: Record) -> str:
    marks = [message["role"]]
    if message["status"] != "complete":
        marks.append(f"({message['status']})")
    if message["truncated"]:
        marks.append("(cut)")
    parts = [f"## {' '.join(marks)} · {moment(message['ts'])}"]
    for call in message["tool_calls"]:
        parts += _tool_call(call)
    if message["content"]:
        parts.append(plain(message["content"]))
    return "\n\n".join(parts) + "\n\n"


def _tool_call(call: Record) -> list[str]:
    said = [f"Tool **{one_line(call['tool'])}**:", _fenced(to_json(call.get("args")), "json")]
    result = call.get("result")
    if result is None:
        return [*said, "It has not answered."]
    return [*said, "It failed:" if call.get("ok") is False else "It answered:", _fenced(plain(result))]


def _fenced(text: str, language: str = "") -> str:
    """A block of code around *text*, whatever fences are in that."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


FORMATS: Mapping[str, ExportFormat] = {
    "jsonl": ExportFormat(".jsonl", _session_line, _message_line),
    "markdown": ExportFormat(".md", _heading, _paragraphs),
}
"""By the name that a user gives."""
