"""A session's metadata: merged key by key, held to JSON and to a size."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.protocol.messages import Json
from bamboo_gateway.session.metadata import MAX_METADATA_BYTES, merge
from tests.strategies import json_objects


@given(metadata=json_objects, changes=json_objects)
def test_changes_win_and_null_takes_away(metadata: dict[str, Json], changes: dict[str, Json]) -> None:
    """What is not named stays, what is named is set, and a null is no value but the end of one."""
    merged = merge(metadata, changes)
    for key, value in {**metadata, **changes}.items():
        if value is None:
            assert key not in merged
        else:
            assert merged[key] == value


def test_nobody_else_holds_a_part_of_it() -> None:
    """What the program that set it does with its own objects later on is no change of the session."""
    theirs: dict[str, Any] = {"list": [1]}
    merged = merge({}, theirs)
    theirs["list"].append(2)
    assert merged == {"list": [1]}


def nested(levels: int) -> Json:
    """Lists in lists."""
    value: Json = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [float("nan"), "\ud800", object(), {1: 2}, 2**63, nested(64), nested(100_000)],
    ids=["nan", "surrogate", "object", "key", "integer", "nesting", "depth"],
)
def test_what_no_client_could_send_is_refused(value: object) -> None:
    """A program is held to the JSON of the wire, or its slip would break the frame of whoever looks."""
    with pytest.raises(GatewayError) as caught:
        merge({}, {"key": value})
    assert caught.value.code is ErrorCode.INVALID_ARGUMENTS
    assert caught.value.message.startswith("metadata: ")


def test_its_size_is_bounded() -> None:
    """All keys together have so many bytes as JSON, and not one more."""
    room = MAX_METADATA_BYTES - len('{"a":"","b":1}')
    assert merge({"b": 1}, {"a": "x" * room})
    with pytest.raises(GatewayError, match="metadata has more than 16384 bytes") as caught:
        merge({"b": 1}, {"a": "x" * (room + 1)})
    assert caught.value.code is ErrorCode.LIMIT_EXCEEDED
    assert merge({"b": 1}, {"a": "x" * (room + 1), "b": None})
