"""W3C Trace Context: what is valid is passed on, all else is dropped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.protocol.messages import Chat, Json
from bamboo_gateway.trace_context import MAX_STATE_LENGTH, TraceContext

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
VALID = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize("flags", ["00", "01", "02", "03"])
def test_a_valid_header_comes_out_as_it_went_in(flags: str) -> None:
    """Trace, span and the two flags that are known."""
    text = f"00-{TRACE}-{SPAN}-{flags}"
    context = TraceContext.parse(text)
    assert context is not None
    assert context == TraceContext(TRACE, SPAN, int(flags, 16))
    assert context.traceparent == text


INVALID: list[Json] = [
    None,
    5,
    [VALID],
    "",
    VALID.upper(),
    VALID + "\n",
    f" {VALID}",
    f"ff-{TRACE}-{SPAN}-01",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE[:-1]}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-1",
    f"00-{TRACE}-{SPAN}-01-",
    f"00-{TRACE}-{SPAN}-01-more",
    f"cc-{TRACE}-{SPAN}-01.more",
    f"00-{TRACE}-{SPAN}-0\u0661",
    f"00_{TRACE}_{SPAN}_01",
]


@pytest.mark.parametrize("text", INVALID, ids=repr)
def test_an_invalid_header_is_no_trace(text: Json) -> None:
    """Of another version than 0, too, the four parts that are known have to be valid (§3.2.2)."""
    assert TraceContext.parse(text, "a=1") is None


@pytest.mark.parametrize("more", ["", "-", "-what-comes-later"])
def test_a_later_version_is_read_as_far_as_it_is_known(more: str) -> None:
    """It goes on in the version that we know, without flags that we do not (§4.3)."""
    context = TraceContext.parse(f"cc-{TRACE}-{SPAN}-ff{more}")
    assert context is not None
    assert context.traceparent == f"00-{TRACE}-{SPAN}-03"


@pytest.mark.parametrize(
    ("text", "passed_on"),
    [
        ("a=1", "a=1"),
        ("a=1,b=2", "a=1,b=2"),
        (" a=1\t,, b=2 ", "a=1,b=2"),
        ("1tenant@sys=x y", "1tenant@sys=x y"),
        ("a=", None),
        ("a", None),
        ("A=1", None),
        ("a=1,a=2", None),
        ("a=1=2", None),
        ("a=1\r\nauthorization: x", None),
        ("a=ü", None),
        ("", None),
        (" , ", None),
        (7, None),
        (",".join(f"k{n}=v" for n in range(32)), ",".join(f"k{n}=v" for n in range(32))),
        (",".join(f"k{n}=v" for n in range(33)), None),
    ],
    ids=repr,
)
def test_tracestate(text: Json, passed_on: str | None) -> None:
    """A list of members, each key once; one that is not valid costs the list, and not the trace (§3.3)."""
    context = TraceContext.parse(VALID, text)
    assert context is not None
    assert context.tracestate == passed_on
    assert context.headers == {"traceparent": VALID} | ({"tracestate": passed_on} if passed_on else {})


def test_of_too_much_state_the_long_members_go_first_and_then_the_last() -> None:
    """512 characters are passed on, in whole members (§3.3.1.5)."""
    long, short = "long=" + "x" * 200, [f"k{n:02}=" + "v" * 60 for n in range(9)]
    context = TraceContext.parse(VALID, ",".join([long, *short]))
    assert context is not None
    assert context.tracestate == ",".join(short[:7])


@given(st.text() | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"), st.text())
def test_whatever_comes_in_only_a_header_goes_out(traceparent: str, tracestate: str) -> None:
    """What is passed on is valid itself, is a fixed point, and can be sent as a header."""
    context = TraceContext.parse(traceparent, tracestate)
    if context is not None:
        assert TraceContext.parse(context.traceparent, context.tracestate) == context
        for value in context.headers.values():
            assert value.isascii()
            assert value.isprintable()
            assert len(value) <= MAX_STATE_LENGTH


def test_a_chat_names_its_trace_in_its_metadata() -> None:
    """Under the names of the headers; a chat without any is in no trace."""
    assert TraceContext.of(Chat("hi", "s")) is None
    assert TraceContext.of(Chat("hi", "s", metadata={"x": 1})) is None
    context = TraceContext.of(Chat("hi", "s", metadata=json.loads(f'{{"traceparent": "{VALID}"}}')))
    assert context == TraceContext(TRACE, SPAN, 1)
