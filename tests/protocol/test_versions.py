from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol import codec, versions
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.messages import (
    AgentStart,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    CommandError,
    CommandResult,
    Error,
    Gap,
    GatewayEvent,
    Json,
    Pong,
    SessionEnded,
)
from tests.strategies import dialects, events, instances, json_objects, json_values, scalars

# ── a strict client of the seed ──────────────────────────────────────────────
# What serde makes of the seed's `enum GatewayEvent`: each variant with exactly
# these fields, each of exactly this type, and other fields ignored. Internally
# tagged in snake_case (the original gateway), or externally tagged (the bare derive).

Check = Callable[[Json], bool]


def is_string(value: Json) -> bool:
    """Rust's `String`."""
    return type(value) is str


def is_i64(value: Json) -> bool:
    """Rust's `i64`."""
    return type(value) is int and -(2**63) <= value < 2**63


def is_usage(value: Json) -> bool:
    """The seed's `TokenUsage`."""
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return type(value) is dict and all(is_i64(value.get(name)) and value[name] >= 0 for name in names)


SEED_ENUM: dict[str, dict[str, Check]] = {
    "Connected": {"session_id": is_string},
    "AgentToken": {"session_id": is_string, "token": is_string},
    "AgentToolStart": {"session_id": is_string, "tool": is_string},
    "AgentToolComplete": {"session_id": is_string, "tool": is_string, "result": is_string},
    "AgentComplete": {"session_id": is_string, "usage": is_usage},
    "Error": {"code": is_string, "message": is_string},
    "Pong": {"timestamp": is_i64},
}

SNAKE_CASE = {
    "connected": "Connected",
    "agent_token": "AgentToken",
    "agent_tool_start": "AgentToolStart",
    "agent_tool_complete": "AgentToolComplete",
    "agent_complete": "AgentComplete",
    "error": "Error",
    "pong": "Pong",
}


def parsed_by_the_seed(text: str, dialect: Dialect) -> tuple[str, dict[str, Json]]:
    """Parse an event as a strict client of the seed would; a KeyError or AssertionError is its error."""
    value = json.loads(text)
    if dialect is Dialect.TAGGED:
        variant, fields = SNAKE_CASE[value["type"]], value
    else:
        [(variant, fields)] = value.items()
    for name, check in SEED_ENUM[variant].items():
        assert check(fields[name]), f"{variant}.{name}: {fields[name]!r}"
    return variant, fields


def said_in_seed_words(event: GatewayEvent, dialect: Dialect = Dialect.TAGGED) -> list[tuple[str, Any]]:
    """All that a strict client of protocol 1 is sent of *event*."""
    said = versions.translate(event, versions.SEED)
    return [parsed_by_the_seed(codec.encode(each, dialect).decode(), dialect) for each in said]


# ── the laws ─────────────────────────────────────────────────────────────────


@given(events, dialects)
def test_protocol_1_is_the_seed_s(event: GatewayEvent, dialect: Dialect) -> None:
    """Whatever happens, a strict client of the seed can parse every frame that it is sent."""
    said = said_in_seed_words(event, dialect)
    if type(event) in versions.SEED_EVENTS:
        [(variant, fields)] = said
        assert variant == type(event).__name__
        assert fields.items() >= json.loads(codec.encode_body(event)).items()


@given(
    st.sampled_from(["ping", "status", "help", "search"]),
    st.booleans(),
    json_values
    | st.fixed_dictionaries({"timestamp": scalars})
    | st.fixed_dictionaries({"session_id": scalars, "state": scalars, "protocol": scalars}),
    st.none() | instances(CommandError),
    dialects,
)
@example("ping", True, {"timestamp": True}, None, Dialect.TAGGED)
@example("ping", True, {"timestamp": 1.0}, None, Dialect.TAGGED)
@example("status", True, {"session_id": 1, "state": "idle", "protocol": 1}, None, Dialect.SERDE)
def test_protocol_1_answers_every_command(
    name: str, ok: bool, result: Json, error: CommandError | None, dialect: Dialect
) -> None:
    """A command's answer is in the seed's words, whatever the result looks like."""
    answer = CommandResult(name, ok=ok, session_id="s", result=result, error=error)
    assert said_in_seed_words(answer, dialect)


@given(events, st.integers(2, 9))
def test_protocol_2_says_everything_as_it_is(event: GatewayEvent, protocol: int) -> None:
    """Later protocols are not translated into."""
    assert list(versions.translate(event, protocol)) == [event]


@given(st.none() | st.integers(1, 2**63 - 1))
@example(None)
@example(1)
@example(2)
def test_negotiation_takes_the_best_that_both_know(requested: int | None) -> None:
    """Without a wish it is the seed's protocol; a client from the future gets the latest."""
    assert versions.negotiate(requested) == {None: 1, 1: 1}.get(requested, 2)


# ── the words ────────────────────────────────────────────────────────────────


def test_ping_answers_with_a_pong() -> None:
    """As in the original gateway."""
    answer = CommandResult("ping", ok=True, result={"timestamp": 5})
    assert list(versions.translate(answer, 1)) == [Pong(5)]


def test_status_answers_with_a_token() -> None:
    """As in the original gateway: the text has the session's id."""
    result = {"session_id": "s-1", "state": "idle", "protocol": 1, "queued": 0}
    answer = CommandResult("status", ok=True, result=result)
    assert list(versions.translate(answer, 1)) == [AgentToken("s-1", "session s-1: idle, protocol 1")]


@given(json_objects | st.text())
def test_other_commands_answer_as_tools(result: Json) -> None:
    """The result is JSON in the seed's string; what is a string already stays as it is."""
    answer = CommandResult("search", ok=True, id="c", session_id="s", result=result)
    start, complete = versions.translate(answer, 1)
    assert start == AgentToolStart("s", "search", tool_call_id="c")
    assert isinstance(complete, AgentToolComplete)
    assert (complete.tool, complete.tool_call_id, complete.ok) == ("search", "c", True)
    assert result == (complete.result if isinstance(result, str) else json.loads(complete.result))


@pytest.mark.parametrize("name", ["ping", "status", "nonsense"])
def test_a_refused_command_is_a_tool_that_failed(name: str) -> None:
    """The error's code stands first in the result, so that a program can tell it."""
    error = CommandError(ErrorCode.UNKNOWN_COMMAND, "no such command")
    answer = CommandResult(name, ok=False, session_id="s", error=error)
    _, complete = versions.translate(answer, 1)
    assert complete == AgentToolComplete("s", name, "UNKNOWN_COMMAND: no such command", ok=False)


def test_a_gap_is_an_error() -> None:
    """It says which events are gone, by the numbers that the client knows."""
    gap = Gap(requested=3, earliest=7, latest=9, epoch="e", session_id="s")
    [error] = versions.translate(gap, 1)
    assert error == Error("GAP", "events 3 to 6 are no longer in the log", session_id="s")


@pytest.mark.parametrize(
    ("requested", "earliest", "latest", "holds"),
    [(500, 1, 10, "events 1 to 10"), (5, 5, 5, "events 5 to 5"), (1, 1, 0, "no event yet")],
)
def test_a_gap_between_epochs_names_no_missing_events(
    requested: int, earliest: int, latest: int, holds: str
) -> None:
    """When the log was begun anew, the client's numbers mean nothing in it."""
    gap = Gap(requested=requested, earliest=earliest, latest=latest, epoch="e", channel="*")
    [error] = versions.translate(gap, 1)
    assert error == Error("GAP", f"the log was begun anew and holds {holds}", channel="*")


def test_an_ended_session_is_an_error() -> None:
    """It carries the reason."""
    [error] = versions.translate(SessionEnded("s", "the session was deleted"), 1)
    assert error == Error("SESSION_ENDED", "the session was deleted", session_id="s")


def test_what_has_no_words_is_not_said() -> None:
    """An event that only protocol 2 knows is left out."""
    assert list(versions.translate(AgentStart("s", seq=1), 1)) == []
