"""Messages of every kind and none, in good frames: each has its answer, and the socket stays open."""

from __future__ import annotations

from hypothesis import example, given, strategies as st

from bamboo_gateway.protocol.codec import Dialect
from tests import plain_wire
from tests.fuzz.expectations import Expectations, is_answer
from tests.fuzz.hostile_messages import OWN_SESSION, texts
from tests.fuzz.neighbour import AT_MOST, Neighbour, neighbourhood
from tests.plain_wire import Event
from tests.stream_client import StreamClient, dial

FIRST_MARK = -(2**62)
"""A timestamp that no ping of the fuzzer's own is likely to have."""

A_BROADCAST = plain_wire.write("tagged", "command", name="broadcast.send", args={"content": "to all"})
"""What the neighbour hears too."""

dialogues = st.one_of(
    [st.tuples(st.just(each), st.lists(texts(each), min_size=1, max_size=12)) for each in Dialect]
)


async def _exchange(client: StreamClient, said: str, mark: int | None) -> list[Event]:
    """
    Say something; hear the answers to it.

    A ping with the timestamp *mark* shows where they end; before `connect`, where
    no ping comes back, there is exactly one.
    """
    await client.say_text(said)
    if mark is None:
        return [await client.next()]
    await client.say("ping", timestamp=mark)
    answers: list[Event] = []
    while (event := await client.next()) != {"type": "pong", "timestamp": mark}:
        if is_answer(event):
            answers.append(event)
    return answers


async def _converse(neighbour: Neighbour, dialect: Dialect, dialogue: list[str]) -> None:
    expectations = Expectations(dialect)
    session_id = ""
    async with dial(neighbour.address.host, neighbour.address.port, dialect.value) as client:
        await client.open()
        await client.say("ping", timestamp=0)  # the first frame decides the dialect
        assert (await client.next())["code"] == "NOT_CONNECTED"
        for number, line in enumerate(dialogue):
            said = line.replace(OWN_SESSION, session_id)
            answers = await _exchange(client, said, FIRST_MARK + number if expectations.protocol else None)
            expectations.judge(said, answers)
            for connected in (event for event in answers if event["type"] == "connected"):
                session_id = connected["session_id"]
            await neighbour.check()


@AT_MOST
@given(talk=dialogues)
async def test_dialogues(talk: tuple[Dialect, list[str]]) -> None:
    """Whatever a text frame holds, it is answered as the protocol says, and the socket stays open."""
    dialect, dialogue = talk
    async with neighbourhood() as neighbour:
        await _converse(neighbour, dialect, dialogue)
        await neighbour.check_alone()


@AT_MOST
@given(talk=dialogues, protocol=st.sampled_from([1, 2]))
@example(talk=(Dialect.TAGGED, [A_BROADCAST]), protocol=2)
async def test_connected_dialogues(talk: tuple[Dialect, list[str]], protocol: int) -> None:
    """The same from a client that has connected first."""
    dialect, dialogue = talk
    async with neighbourhood() as neighbour:
        connect = plain_wire.write(dialect.value, "connect", protocol=protocol)
        await _converse(neighbour, dialect, [connect, *dialogue])
        await neighbour.check_alone()
