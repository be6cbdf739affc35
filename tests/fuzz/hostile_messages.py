"""Texts in good frames, as Hypothesis strategies: right messages, nearly right ones, and no messages."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from bamboo_gateway.commands import COMMANDS
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.codec import Dialect
from tests import plain_wire
from tests.strategies import client_messages, json_objects, json_values

OWN_SESSION = "its own session"
"""Stands in a text for the id that nobody knows beforehand."""

# What goes over the wire as UTF-8 has no lone surrogates; those come as escapes, from `json.dumps`.
text = st.text(st.characters(codec="utf-8"), max_size=60)

_LITERALS = [
    '{"type":"ping","timestamp":NaN}',
    '{"type":"ping","timestamp":1,"timestamp":2}',
    '{"type":"ping","timestamp":9223372036854775808}',
    '{"type":"ping","timestamp":1.0}',
    '{"Ping":{"timestamp":1},"Ping":{"timestamp":1}}',
    '{"Ping":{"timestamp":"1"}}',
    '{"type":"chat","content":"\\ud800","session_id":"x"}',
    '{"type":"command","name":"ping","args":' + "[" * 70 + "]" * 70 + "}",
    '\ufeff{"type":"ping","timestamp":1}',
    '{"type":["ping"],"timestamp":1}',
    '{"type":null}',
    "[]",
    "",
]


@st.composite
def _commands(draw: st.DrawFn, dialect: Dialect) -> str:
    """A command that exists, with arguments that may fit it."""
    args = draw(
        json_objects
        | st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["a", "b", ""]) | json_values,
                "session_id": st.sampled_from([OWN_SESSION, "nobody"]) | json_values,
                "content": text | json_values,
                "limit": st.integers(-1, 600) | json_values,
                "metadata": json_objects | json_values,
            },
        )
    )
    return plain_wire.write(dialect.value, "command", name=draw(st.sampled_from(list(COMMANDS))), args=args)


@st.composite
def _chats(draw: st.DrawFn, dialect: Dialect) -> str:
    metadata = draw(st.none() | st.fixed_dictionaries({"channel": st.sampled_from(["a", "b", 1])}))
    content = draw(text | st.sampled_from(["/fail", "/tool echo {}", "/tokens 30", "/sleep 0"]))
    return plain_wire.write(
        dialect.value,
        "chat",
        content=content,
        session_id=OWN_SESSION,
        metadata=metadata,
        id=draw(st.none() | text),
    )


@st.composite
def _nearly_right(draw: st.DrawFn, dialect: Dialect) -> str:
    """A right message of which one field, somewhere, is lost, strange, or of another kind."""
    whole = json.loads(codec.encode(draw(client_messages), dialect))
    holder: dict[str, Any] = whole if dialect is Dialect.TAGGED else next(iter(whole.values()))
    key = draw(st.sampled_from([*holder, "type", "session_id", "name", "unknown"]))
    if draw(st.booleans()):
        holder.pop(key, None)
    else:
        holder[key] = draw(json_values)
    return json.dumps(whole)


def texts(dialect: Dialect) -> st.SearchStrategy[str]:
    """What somebody might put into a frame who means to speak *dialect*."""
    foreign = Dialect.SERDE if dialect is Dialect.TAGGED else Dialect.TAGGED
    return st.one_of(
        client_messages.map(lambda message: codec.encode(message, dialect).decode()),
        client_messages.map(lambda message: codec.encode(message, foreign).decode()),
        _commands(dialect),
        _commands(dialect),
        _chats(dialect),
        _nearly_right(dialect),
        json_values.map(json.dumps),
        st.sampled_from(_LITERALS),
        text,
    )
