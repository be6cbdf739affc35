"""What the protocol has a gateway say to one message: the oracle of the structured fuzzer."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from bamboo_gateway.errors import InvalidMessageError
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.messages import Chat, Command, Connect, Ping
from tests.plain_wire import Event

_PUSHED = {"presence", "session_ended", "gap"}
_PUSHED_ERRORS = {"GAP", "SESSION_ENDED"}

_CHAT_ERRORS = {
    "SESSION_MISMATCH",
    "QUEUE_FULL",
    "NOT_CONNECTED",
    "INVALID_MESSAGE",
    "CHANNEL_NOT_FOUND",
    "NOT_A_MEMBER",
}


def is_answer(event: Event) -> bool:
    """Is *event* said to this connection alone, because of what it has sent?"""
    is_pushed = event["type"] in _PUSHED or event.get("code") in _PUSHED_ERRORS
    return "seq" not in event and not is_pushed


@attrs.define
class Expectations:
    """
    What one connection has said so far, as far as it decides what it is told next.

    `judge` takes the messages in the order in which they were sent.
    """

    dialect: Dialect
    protocol: int = 0
    """0: it has not connected yet."""

    def judge(self, text: str, answers: Sequence[Event]) -> None:
        """Check the *answers* to *text*."""
        try:
            message = codec.decode(text, self.dialect)
        except InvalidMessageError:
            assert _codes(answers) == ["INVALID_MESSAGE"], (text, answers)
            return
        if isinstance(message, Connect):
            self.protocol = min(message.protocol or 1, 2)
            assert _kinds(answers) == ["connected"], (text, answers)
        elif not self.protocol:
            assert _codes(answers) == ["NOT_CONNECTED"], (text, answers)
        else:
            assert self._is_answer_to(message, answers), (text, answers)

    def _is_answer_to(self, message: Chat | Command | Ping, answers: Sequence[Event]) -> bool:
        match message:
            case Ping(timestamp):
                return list(answers) == [{"type": "pong", "timestamp": timestamp}]
            case Chat():
                accepted = ["chat_accepted"] if self.protocol > 1 else []
                return _kinds(answers) == accepted or _codes(answers)[0] in _CHAT_ERRORS
            case Command(name):
                return self._is_result(name, answers)

    def _is_result(self, name: str, answers: Sequence[Event]) -> bool:
        kinds = _kinds(answers)
        if self.protocol > 1:
            return kinds == ["command_result"] and answers[0]["name"] == name
        if kinds in (["pong"], ["agent_token"]):
            return name in ("ping", "status")
        named = {event.get("tool") for event in answers}
        return kinds == ["agent_tool_start", "agent_tool_complete"] and named == {name}


def _kinds(answers: Sequence[Event]) -> list[str]:
    return [event["type"] for event in answers]


def _codes(answers: Sequence[Event]) -> list[str]:
    return [event.get("code", "no error") for event in answers] or ["no answer"]
