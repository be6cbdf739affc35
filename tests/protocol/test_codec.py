from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import example, given, strategies as st

from bamboo_gateway.errors import ErrorCode, InvalidMessageError
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.messages import (
    MAX_CHANNEL_CURSORS,
    MAX_ID_LENGTH,
    AgentComplete,
    AgentStart,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    Chat,
    ClientInfo,
    ClientMessage,
    Command,
    CommandResult,
    Connect,
    Connected,
    Error,
    GatewayEvent,
    Json,
    Limits,
    LoggedEvent,
    Ping,
    Pong,
    TokenUsage,
    UserMessage,
)
from bamboo_gateway.protocol.strict_json import MAX_EVENT_NESTING, MAX_NESTING
from bamboo_gateway.protocol.tags import CLIENT_TAGS
from tests.protocol.corruptions import Breakage, body_of, frame, missing_fields, wrong_kinds
from tests.strategies import client_messages, dialects, events, json_objects, json_values, logged_events

USAGE = '{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'
TOO_MANY_CURSORS = {str(number): 0 for number in range(MAX_CHANNEL_CURSORS + 1)}


def decode_any(cls: type, text: str, dialect: Dialect) -> ClientMessage | GatewayEvent:
    """Decode in the direction in which messages of class *cls* go."""
    return codec.decode(text, dialect) if cls in CLIENT_TAGS else codec.decode_event(text, dialect)


class TestRoundTrip:
    @given(client_messages, dialects)
    @example(Connect(), Dialect.TAGGED)
    @example(Connect(), Dialect.SERDE)
    def test_of_client_messages(self, message: ClientMessage, dialect: Dialect) -> None:
        """What a client encodes, the gateway decodes to the same; encoded again, it is the same bytes."""
        encoded = codec.encode(message, dialect)
        decoded = codec.decode(encoded.decode(), dialect)
        assert decoded == message
        assert codec.encode(decoded, dialect) == encoded

    @given(events, dialects)
    def test_of_events(self, event: GatewayEvent, dialect: Dialect) -> None:
        """What the gateway encodes, a client decodes to the same; encoded again, it is the same bytes."""
        encoded = codec.encode(event, dialect)
        decoded = codec.decode_event(encoded.decode(), dialect)
        assert decoded == event
        assert codec.encode(decoded, dialect) == encoded

    @given(client_messages | events, dialects)
    def test_leaves_out_what_is_none(self, message: Any, dialect: Dialect) -> None:
        """An optional field without a value is not in the frame; the dialects differ in the name alone."""
        body = body_of(message)
        optional = {field.name for field in attrs.fields(type(message)) if field.default is None}
        assert all(body[name] is not None for name in optional & body.keys())
        value = json.loads(codec.encode(message, dialect))
        assert value == json.loads(frame(type(message), body, dialect))

    @given(st.text(), json_objects | st.none())
    def test_of_a_chat_that_is_told_on(self, content: str, metadata: dict[str, Json] | None) -> None:
        """Whatever a client's chat may hold can be said to others, in either dialect."""
        chat = codec.decode(codec.encode(Chat(content, "s", metadata=metadata)).decode())
        assert isinstance(chat, Chat)
        told = UserMessage("s", chat.content, metadata=chat.metadata)
        for dialect in Dialect:
            assert codec.decode_event(codec.encode(told, dialect).decode(), dialect) == told

    @pytest.mark.parametrize("dialect", Dialect)
    def test_of_the_deepest_chat_that_is_told_on(self, dialect: Dialect) -> None:
        """Metadata as deep as a client may send it does not get too deep inside an event or a result."""
        deepest: Json = 0
        for _ in range(MAX_NESTING - 2):
            deepest = [deepest]
        text = json.dumps({"type": "chat", "content": "", "session_id": "s", "metadata": {"k": deepest}})
        chat = codec.decode(text)
        assert isinstance(chat, Chat)
        for event in (
            UserMessage("s", "", metadata=chat.metadata),
            CommandResult("session.history", ok=True, result={"messages": [{"metadata": chat.metadata}]}),
        ):
            assert codec.decode_event(codec.encode(event, dialect).decode(), dialect) == event


class TestWriting:
    """The exact bytes that the original gateway's clients know."""

    @pytest.mark.parametrize(
        ("message", "tagged", "serde"),
        [
            (Connect(), '{"type":"connect"}', '{"Connect":{}}'),
            (
                Connect("s", "token"),
                '{"type":"connect","session_id":"s","auth":"token"}',
                '{"Connect":{"session_id":"s","auth":"token"}}',
            ),
            (
                Chat("hi", "s"),
                '{"type":"chat","content":"hi","session_id":"s"}',
                '{"Chat":{"content":"hi","session_id":"s"}}',
            ),
            (
                Command("status", {}),
                '{"type":"command","name":"status","args":{}}',
                '{"Command":{"name":"status","args":{}}}',
            ),
            (
                Command("status", None),
                '{"type":"command","name":"status","args":null}',
                '{"Command":{"name":"status","args":null}}',
            ),
            (Ping(7), '{"type":"ping","timestamp":7}', '{"Ping":{"timestamp":7}}'),
            (Pong(7), '{"type":"pong","timestamp":7}', '{"Pong":{"timestamp":7}}'),
            (
                AgentToken("s", "你好"),
                '{"type":"agent_token","session_id":"s","token":"你好"}',
                '{"AgentToken":{"session_id":"s","token":"你好"}}',
            ),
            (
                AgentToolComplete("s", "t", "42", seq=3, ts=9, ok=True),
                '{"type":"agent_tool_complete","session_id":"s","tool":"t","result":"42","ok":true,"seq":3,"ts":9}',
                '{"AgentToolComplete":{"session_id":"s","tool":"t","result":"42","ok":true,"seq":3,"ts":9}}',
            ),
            (
                AgentComplete("s", TokenUsage(1, 2, 3)),
                f'{{"type":"agent_complete","session_id":"s","usage":{USAGE}}}',
                f'{{"AgentComplete":{{"session_id":"s","usage":{USAGE}}}}}',
            ),
            (
                Error(ErrorCode.NOT_CONNECTED, "connect first"),
                '{"type":"error","code":"NOT_CONNECTED","message":"connect first"}',
                '{"Error":{"code":"NOT_CONNECTED","message":"connect first"}}',
            ),
        ],
    )
    def test_is_as_the_seed_has_it(
        self, message: ClientMessage | GatewayEvent, tagged: str, serde: str
    ) -> None:
        """The seed's fields come first, in the seed's order, then the extensions that have a value."""
        assert codec.encode(message).decode() == tagged
        assert codec.encode(message, Dialect.SERDE).decode() == serde

    def test_of_a_log_entry_is_shared(self) -> None:
        """A body is encoded once and named for each dialect."""
        event = AgentStart("s", seq=1)
        body = codec.encode_body(event)
        for dialect in Dialect:
            assert codec.wrap(AgentStart, body, dialect) == codec.encode(event, dialect)

    @pytest.mark.parametrize(
        ("cls", "fields", "says"),
        [
            (
                AgentToken,
                {"token": 5},
                "AgentToken cannot be encoded: token: expected a string, got an integer",
            ),
            (AgentToken, {"ts": 1.5}, "ts: expected an integer, got a fraction"),
            (AgentToken, {"run_id": b"r"}, "run_id: expected a string, got a Python bytes"),
            (AgentToken, {"session_id": None}, "session_id: expected a string, got null"),
            (AgentComplete, {"usage": {}}, "usage: expected TokenUsage, got an object"),
            (
                AgentComplete,
                {"usage": TokenUsage(1, True)},
                "usage: completion_tokens: expected an integer, got",
            ),
            (Pong, {"timestamp": 2**63}, "timestamp: expected an integer of 64 bits"),
            (Error, {"retryable": 1}, "retryable: expected a boolean, got an integer"),
            (Error, {"retry_after": float("nan")}, "retry_after: expected a finite number"),
            (Error, {"retry_after": 10**400}, "retry_after: expected a finite number"),
            (Error, {"retry_after": "1"}, "retry_after: expected a number, got a string"),
            (Connect, {"replay": "some"}, "replay: expected one of 'exact', 'merged'"),
            (Chat, {"metadata": {1: 1}}, "metadata: expected a string, got an integer"),
            (Chat, {"metadata": 5}, "metadata: expected an object, got an integer"),
            (AgentToolStart, {"args": {None: 1}}, "args: expected a string, got null"),
            (AgentToolStart, {"args": [2**63]}, "args: expected an integer of 64 bits"),
            (AgentToolStart, {"args": [float("inf")]}, "args: expected a finite number"),
            (AgentToolStart, {"args": {"k": {1, 2}}}, "type set is not JSON serializable"),
            (AgentToolStart, {"args": object()}, "type object is not JSON serializable"),
            (AgentToken, {"token": "\ud800"}, "a lone surrogate is no character"),
            (Chat, {"metadata": {"\udfff": 1}}, "a lone surrogate is no character"),
        ],
    )
    def test_refuses_what_the_type_forbids(self, cls: type, fields: dict[str, Any], says: str) -> None:
        """An embedder's or agent's slip is an error that names the field; no strict client ever sees it."""
        strings = {field.name: "" for field in attrs.fields(cls) if field.default is attrs.NOTHING}
        with pytest.raises(InvalidMessageError) as caught:
            codec.encode(cls(**strings | fields))
        assert says in str(caught.value)

    def test_refuses_cycles(self) -> None:
        """A value that holds itself is an error, not an endless frame or an overflow."""
        cycle: dict[str, Json] = {}
        cycle["again"] = [cycle]
        with pytest.raises(InvalidMessageError, match="holds itself"):
            codec.encode(AgentToolStart("s", "t", args=cycle))

    def test_refuses_what_is_nested_deeper_than_clients_read(self) -> None:
        """What the gateway sends has `MAX_EVENT_NESTING` levels at most, in both dialects."""
        value: Json = 0
        for _ in range(MAX_EVENT_NESTING - 2):
            value = [value]
        event = AgentToolStart("s", "t", args=value)
        for dialect in Dialect:
            assert codec.decode_event(codec.encode(event, dialect).decode(), dialect) == event
        with pytest.raises(InvalidMessageError, match="deeper"):
            codec.encode(attrs.evolve(event, args=[value]))

    @given(
        logged_events,
        st.sampled_from([5, 1.5, True, b"", None, [], {}, object(), "text", "\ud800"]),
        st.data(),
    )
    def test_lets_out_what_comes_in_again(self, event: Any, value: object, data: st.DataObject) -> None:
        """Whatever is put in one field, it is refused or can be read: nothing half right is ever sent."""
        # A `seq` that is none does not even make an event.
        name = data.draw(st.sampled_from([f.name for f in attrs.fields(type(event)) if f.name != "seq"]))
        changed = attrs.evolve(event, **{name: value})
        try:
            encoded = codec.encode(changed)
        except InvalidMessageError:
            return
        assert codec.encode(codec.decode_event(encoded.decode())) == encoded

    def test_takes_what_python_counts_as_the_same(self) -> None:
        """String enums, tuples, any mapping and attrs values are the JSON that they look like."""
        limits = Limits(max_message_bytes=1, max_queued_chats=2, heartbeat_interval=3)
        args = MappingProxyType({"code": ErrorCode.GAP, "list": (1, limits)})
        assert json.loads(codec.encode(AgentToolStart("s", "x", args=args)))["args"] == {
            "code": "GAP",
            "list": [1, {"max_message_bytes": 1, "max_queued_chats": 2, "heartbeat_interval": 3.0}],
        }
        with pytest.raises(InvalidMessageError, match="args: expected a string, got an integer"):
            codec.encode(AgentToolStart("s", "x", args=[MappingProxyType({1: 1})]))

    def test_takes_a_plain_result_as_it_is(self) -> None:
        """The result of a command was made plain when it was made; what was not is refused all the same."""
        with pytest.raises(InvalidMessageError, match="mappingproxy is not JSON"):
            codec.encode(CommandResult("x", ok=True, result=MappingProxyType({})))


class TestRefusal:
    @given(wrong_kinds(), dialects)
    def test_of_any_field_of_a_wrong_kind(self, broken: Breakage, dialect: Dialect) -> None:
        """Nothing is coerced: one wrong kind anywhere refuses the message, and the error has its path."""
        with pytest.raises(InvalidMessageError) as caught:
            decode_any(broken.cls, broken.text(dialect), dialect)
        assert broken.path in str(caught.value)

    @given(missing_fields(), dialects)
    def test_of_any_missing_field(self, broken: Breakage, dialect: Dialect) -> None:
        """A required field that is not there refuses the message, and the error has its path."""
        with pytest.raises(InvalidMessageError) as caught:
            decode_any(broken.cls, broken.text(dialect), dialect)
        assert f"is missing @ {broken.path}" in str(caught.value)

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            ({"timestamp": "5"}, "expected an integer, got a string @ $.timestamp"),
            ({"timestamp": True}, "expected an integer, got a boolean @ $.timestamp"),
            ({"timestamp": 5.0}, "expected an integer, got a fraction @ $.timestamp"),
            ({"timestamp": None}, "expected an integer, got null @ $.timestamp"),
            ({}, "required field 'timestamp' is missing @ $.timestamp"),
        ],
    )
    @pytest.mark.parametrize("dialect", Dialect)
    def test_says_what_and_where(self, body: Json, says: str, dialect: Dialect) -> None:
        """The text of the error is enough to mend the client."""
        with pytest.raises(InvalidMessageError) as caught:
            codec.decode(frame(Ping, body, dialect), dialect)
        assert str(caught.value) == says

    @pytest.mark.parametrize(
        ("message", "body", "says"),
        [
            (Connect, {"client": {"name": 5}}, "expected a string, got an integer @ $.client.name"),
            (Connect, {"client": {}}, "required field 'name' is missing @ $.client.name"),
            (Connect, {"client": []}, "expected an object, got an array @ $.client"),
            (Connect, {"client": {"name": "x" * (MAX_ID_LENGTH + 1)}}, "must be <= 256: 257 @ $.client"),
            (Connect, {"protocol": 0}, "'protocol' must be >= 1: 0 @ $"),
            (Connect, {"last_seq": -1}, "'last_seq' must be >= 0: -1 @ $"),
            (Connect, {"replay": "fast"}, "expected one of 'exact', 'merged' @ $.replay"),
            (Connect, {"channels": {"a": 1, "b": "2"}}, "key 'b': expected an integer, got a string @ $.ch"),
            (Connect, {"channels": {"a": -1}}, "'channels' must be >= 0: -1 @ $"),
            (Connect, {"channels": TOO_MANY_CURSORS}, "Length of 'channels' must be <= 1024: 1025 @ $"),
            (Chat, {"content": "", "session_id": "", "id": ""}, "Length of 'id' must be >= 1: 0 @ $"),
            (Chat, {"content": "", "session_id": "", "metadata": []}, "got an array @ $.metadata"),
            (Command, {"name": "", "args": None}, "Length of 'name' must be >= 1: 0 @ $"),
            (Command, {"name": "x"}, "required field 'args' is missing @ $.args"),
        ],
    )  # fmt: skip
    def test_of_what_a_field_does_not_allow(self, message: type, body: Json, says: str) -> None:
        """Lengths, bounds and choices hold as kinds do."""
        for dialect in Dialect:
            with pytest.raises(InvalidMessageError) as caught:
                codec.decode(frame(message, body, dialect), dialect)
            assert says in str(caught.value)

    def test_names_every_misfit_but_not_without_end(self) -> None:
        """Several faults are told at once; how many, is bounded."""
        with pytest.raises(InvalidMessageError) as caught:
            codec.decode('{"type":"chat","content":1,"session_id":2}')
        assert "$.content; " in str(caught.value)
        names = ["session_id", "auth", "protocol", "last_seq", "epoch", "exclusive", "replay", "client"]
        every: dict[str, Json] = {name: [] for name in names}
        with pytest.raises(InvalidMessageError) as caught:
            codec.decode(frame(Connect, every, Dialect.TAGGED))
        assert str(caught.value).count("@ $.") == codec.MAX_MISFITS

    def test_does_not_echo_at_length(self) -> None:
        """An error does not carry a client's own megabyte back to it."""
        long = "x" * 100_000
        for text in (
            json.dumps({"type": long}),
            json.dumps({long: {}}),
            json.dumps({"type": [long]}),
            json.dumps({"type": "connect", "channels": {long: "0"}}),
            f'{{"{long}":0,"{long}":0}}',
            '{"type":"ping","timestamp":' + "1" * 100_000 + "}",
            '{"type":"ping","timestamp":' + "1" * 100_000 + ".0}",
        ):
            for dialect in Dialect:
                with pytest.raises(InvalidMessageError) as caught:
                    codec.decode(text, dialect)
                assert len(str(caught.value)) < 300

    @pytest.mark.parametrize(
        "text",
        ["[]", "5", '"ping"', "null", "true", "[{}]", "{}", '{"type":5}', '{"type":["ping"]}', '{"Ping":[]}'],
    )
    @pytest.mark.parametrize("dialect", Dialect)
    def test_of_what_is_no_message(self, text: str, dialect: Dialect) -> None:
        """Only an object that names a kind of message is one, in both directions."""
        for decode in (codec.decode, codec.decode_event):
            with pytest.raises(InvalidMessageError, match=r"expected an object|unknown kind|is missing"):
                decode(text, dialect)

    @given(st.text(), dialects)
    def test_of_unknown_kinds(self, name: str, dialect: Dialect) -> None:
        """An unknown kind is refused with the list of those that are known."""
        name += "?"
        text = json.dumps({"type": name} if dialect is Dialect.TAGGED else {name: {}})
        with pytest.raises(InvalidMessageError, match=r"unknown kind of message .*[Cc]onnect, [Cc]hat"):
            codec.decode(text, dialect)

    @given(events, dialects)
    def test_of_events_from_clients(self, event: GatewayEvent, dialect: Dialect) -> None:
        """A client cannot speak as the gateway, nor the gateway as a client."""
        with pytest.raises(InvalidMessageError, match="unknown kind"):
            codec.decode(codec.encode(event, dialect).decode(), dialect)

    @given(client_messages)
    def test_of_the_other_dialect(self, message: ClientMessage) -> None:
        """A connection speaks one dialect."""
        for spoken, expected in ((Dialect.TAGGED, Dialect.SERDE), (Dialect.SERDE, Dialect.TAGGED)):
            with pytest.raises(InvalidMessageError):
                codec.decode(codec.encode(message, spoken).decode(), expected)

    @given(
        client_messages, dialects, st.sampled_from(["NaN", "Infinity", "1e999", r'"\ud800"', '{"a":0,"a":0}'])
    )
    def test_of_what_strict_json_refuses(self, message: ClientMessage, dialect: Dialect, bad: str) -> None:
        """What is no strict JSON is refused even in a field that nobody reads."""
        body = {**body_of(message), "extra": "@"}
        with pytest.raises(InvalidMessageError):
            codec.decode(frame(type(message), body, dialect).replace('"@"', bad), dialect)

    @given(json_values, dialects)
    def test_of_any_json(self, value: Json, dialect: Dialect) -> None:
        """Any JSON is a message or one kind of error."""
        for name in ("connect", "Connect"):
            for body in (value, {"type": name, "session_id": value, "client": value}, {name: value}):
                for decode in (codec.decode, codec.decode_event):
                    try:
                        decode(json.dumps(body), dialect)
                    except InvalidMessageError:
                        continue

    @given(st.text(), dialects)
    @example(r'{"\ud800":0,"\ud800":0}', Dialect.TAGGED)
    @example('{"type":"\x00\u2028"}', Dialect.TAGGED)
    def test_of_any_text(self, text: str, dialect: Dialect) -> None:
        """Any text is one kind of error, whose own text can be sent to whoever sent it."""
        for decode in (codec.decode, codec.decode_event):
            with pytest.raises(InvalidMessageError) as caught:
                decode(text, dialect)
            codec.encode(Error(ErrorCode.INVALID_MESSAGE, str(caught.value)), dialect)


class TestLeniency:
    @given(client_messages | events, dialects, json_values)
    def test_ignores_unknown_fields(self, message: Any, dialect: Dialect, extra: Json) -> None:
        """Fields that a newer peer has added change nothing."""
        body = {"x_unknown": extra, **body_of(message), "": extra}
        assert decode_any(type(message), frame(type(message), body, dialect), dialect) == message

    @given(client_messages | events, dialects)
    def test_takes_null_for_left_out(self, message: Any, dialect: Dialect) -> None:
        """Serializers that write null for an absent option are understood."""
        nulls = {field.name: None for field in attrs.fields(type(message)) if field.default is None}
        body = nulls | body_of(message)
        assert decode_any(type(message), frame(type(message), body, dialect), dialect) == message


class TestDetectDialect:
    @given(client_messages, dialects)
    def test_tells_by_any_client_message(self, message: ClientMessage, dialect: Dialect) -> None:
        """The first message of any client tells its dialect."""
        assert codec.detect_dialect(codec.encode(message, dialect).decode()) is dialect

    @pytest.mark.parametrize(
        ("text", "dialect"),
        [
            ('{"type":"nonsense"}', Dialect.TAGGED),
            ('{"type":5}', Dialect.TAGGED),
            ('{"Ping":{"timestamp":"wrong"}}', Dialect.SERDE),
            ('{"Chat":5}', Dialect.SERDE),
            ('{"Nonsense":{}}', None),
            ('{"Ping":{},"Chat":{}}', None),
            ("{}", None),
            ("[]", None),
            ('"Ping"', None),
            ("no JSON", None),
        ],
    )
    def test_tells_by_the_form_alone(self, text: str, dialect: Dialect | None) -> None:
        """A faulty message tells its dialect, so that the error comes back in it; nonsense tells nothing."""
        assert codec.detect_dialect(text) is dialect


class TestStructure:
    def test_serves_other_classes(self) -> None:
        """Arguments of commands are checked as messages are."""
        assert codec.structure({"name": "n", "extra": 0}, ClientInfo) == ClientInfo("n")
        with pytest.raises(InvalidMessageError, match=r"expected an object, got an array @ \$$"):
            codec.structure([], ClientInfo)

    @given(events)
    def test_reads_what_unstructure_makes(self, event: Any) -> None:
        """The two are each other's inverse, without any text between them."""
        assert codec.structure(codec.unstructure(event), type(event)) == event

    def test_connected_has_its_defaults(self) -> None:
        """The original gateway's `connected` has a session and nothing else; here it can be read, too."""
        assert codec.decode_event('{"type":"connected","session_id":"s"}') == Connected("s")


class TestEntry:
    @given(
        logged_events,
        st.integers(min_value=1, max_value=2**63 - 1),
        st.integers(min_value=0, max_value=2**62),
        st.none() | st.text(),
        st.none() | st.text(),
    )
    def test_an_event_is_written_as_if_it_had_its_place(
        self, event: LoggedEvent, seq: int, ts: int, run_id: str | None, channel: str | None
    ) -> None:
        """The short way that tokens take writes to the byte what `encode_body` does, or is refused alike."""
        stamp: dict[str, Any] = {"seq": seq, "ts": ts, "run_id": run_id, "channel": channel}
        stamped = attrs.evolve(event, **stamp)
        try:
            expected: bytes | str = codec.encode_body(stamped)
        except InvalidMessageError as error:
            expected = str(error)
        try:
            found: bytes | str = codec.encode_entry(event, seq=seq, ts=ts, run_id=run_id, channel=channel)
        except InvalidMessageError as error:
            found = str(error)
        assert found == expected

    @pytest.mark.parametrize(
        ("token", "reason"),
        [(AgentToken("s", 7), "token: expected a string"), (AgentToken("s", "\ud800"), "a lone surrogate")],  # type: ignore[arg-type]
    )
    def test_a_token_that_is_none_is_refused_as_any_event(self, token: AgentToken, reason: str) -> None:
        """Whatever the short way cannot take is looked at the long way, which says what is wrong."""
        with pytest.raises(InvalidMessageError, match=f"AgentToken cannot be encoded: .*{reason}"):
            codec.encode_entry(token, seq=1, ts=1, run_id=None, channel=None)
