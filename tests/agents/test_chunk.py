"""What is read out of an endpoint's events, and what is not."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.agents.chunk import Chunk, reported
from bamboo_gateway.errors import InvalidMessageError
from bamboo_gateway.protocol.messages import TokenUsage

scalars = st.none() | st.booleans() | st.integers() | st.text()
keys = st.sampled_from(
    [
        "choices",
        "delta",
        "content",
        "finish_reason",
        "usage",
        "prompt_tokens",
        "completion_tokens",
        "error",
        "message",
    ]
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=8)


@given(value=st.dictionaries(keys, values))
def test_any_object_is_a_chunk(value: object) -> None:
    """However strange the object is, it is read for what it has."""
    chunk = Chunk.parse(json.dumps(value))
    assert chunk.text.encode().decode() == chunk.text
    assert chunk.usage is None or chunk.usage.total_tokens >= 0


@given(text=st.text())
def test_any_text_is_a_chunk_or_refused(text: str) -> None:
    """What is no JSON object raises the one error that says so; nothing else escapes."""
    with suppress(InvalidMessageError):
        assert isinstance(Chunk.parse(text), Chunk)
    reported(text)


@pytest.mark.parametrize(
    ("value", "chunk"),
    [
        ({"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}, Chunk("a")),
        ({"choices": [{"delta": {"content": None}, "finish_reason": "stop"}]}, Chunk("", "stop")),
        ({"choices": [], "usage": None}, Chunk()),
        ({"usage": {"prompt_tokens": 3, "completion_tokens": 4}}, Chunk(usage=TokenUsage(3, 4, 7))),
        ({"usage": {"prompt_tokens": -3, "completion_tokens": 4}}, Chunk()),
        ({"usage": {"prompt_tokens": "3", "completion_tokens": 4}}, Chunk()),
        ({"usage": {"prompt_tokens": 2**70, "completion_tokens": 4}}, Chunk()),
        ({"seed": 2**70, "choices": [{"delta": {"content": "a"}}]}, Chunk("a")),
        ({"choices": [{"delta": {"content": "a\ud83d"}}]}, Chunk("a?")),
        ({"error": None, "choices": [{"delta": {"content": "a"}}]}, Chunk("a")),
        ({"error": {"message": "full"}}, Chunk(failure="full")),
        ({"error": True}, Chunk(failure="it does not say why")),
    ],
)
def test_a_chunk_is_read_for_what_counts(value: object, chunk: Chunk) -> None:
    """The text and end of the first choice, the usage, and a failure that the endpoint reports itself."""
    assert Chunk.parse(json.dumps(value)) == chunk


@pytest.mark.parametrize("data", ["7", "[]", '"text"', "null", "", "{", "1" * 5000, "[" * 100_000])
def test_what_is_no_object_is_refused(data: str) -> None:
    """Anything but one clean JSON object is an error."""
    with pytest.raises(InvalidMessageError):
        Chunk.parse(data)


def test_an_error_nested_too_deep_says_nothing() -> None:
    """A body that overflows the parser is no message, and no crash."""
    assert reported("[" * 100_000) is None
