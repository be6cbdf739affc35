"""The commands on sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from hypothesis import given, strategies as st

from bamboo_gateway.commands.session import MAX_PAGE
from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import AgentComplete, Error, Json
from bamboo_gateway.session.effects import Dismiss
from bamboo_gateway.session.metadata import MAX_METADATA_BYTES
from bamboo_gateway.session.requests import Caller
from bamboo_gateway.turn import Turn
from tests.backstage import Backstage, backstage
from tests.session.tables import EPOCH, TS


async def parrot(turn: Turn) -> None:
    """An agent that repeats what it is told, unless that is to sleep."""
    if turn.message.content == "sleep":
        await trio.sleep_forever()
    async with turn.tool("squawk", {"n": 1}) as call:
        call.result = "!"
    await turn.token(turn.message.content)


class Client:
    """Somebody who watches a session and sends commands."""

    def __init__(self, stage: Backstage, caller: Caller) -> None:
        self.stage = stage
        self.caller = caller
        self.chats = 0

    async def get(self, command: str, session_id: str | None = None, /, **args: Json) -> Any:
        """The result of a command that goes well."""
        answer = await self.stage.command(self.caller, command, args, session_id)
        assert answer.ok, answer.error
        return answer.result

    async def refused(self, command: str, session_id: str | None = None, /, **args: Json) -> str:
        """The code of one that does not."""
        answer = await self.stage.command(self.caller, command, args, session_id)
        assert answer.error is not None
        return answer.error.code

    async def chat(self, content: str, session_id: str = "s1") -> str:
        """Say something, without waiting for the answer."""
        self.chats += 1
        run_id = f"r{self.chats}"
        await self.stage.chat(self.caller, content, run_id, session_id)
        return run_id

    async def hear(self, content: str) -> None:
        """Say something, and wait until it is answered."""
        run_id = await self.chat(content)
        await self.stage.wait_until(lambda: isinstance(self.stage.turn(run_id)[-1], AgentComplete | Error))


@asynccontextmanager
async def client(**settings: Any) -> AsyncIterator[Client]:
    """Ann, who watches session s1."""
    async with backstage(parrot, **settings) as stage:
        yield Client(stage, await stage.connect())


async def test_get_shows_a_session() -> None:
    """Its own where none is named; each field in the words of the wire."""
    async with client() as ann:
        shown = await ann.get("session.get")
        assert shown == {
            "session_id": "s1",
            "user_id": "ann",
            "name": None,
            "created_at": TS,
            "last_activity": TS,
            "state": "idle",
            "run_id": None,
            "queued": 0,
            "watchers": 1,
            "channels": [],
            "metadata": {},
            "last_seq": 0,
            "epoch": EPOCH,
            "access": "own",
            "shares": {},
        }
        assert await ann.get("session.get", session_id="s1") == shown
        await ann.chat("sleep")
        await ann.chat("sleep")
        running = await ann.get("session.get")
        assert (running["state"], running["run_id"], running["queued"], running["last_seq"]) == (
            "running",
            "r1",
            1,
            3,
        )


async def test_the_message_may_name_the_session_too() -> None:
    """An argument goes before it."""
    async with client() as ann:
        other = (await ann.get("session.create"))["session_id"]
        assert (await ann.get("session.get", other))["session_id"] == other
        result = await ann.stage.command(ann.caller, "session.get", {"session_id": "s1"}, other)
        assert result.result["session_id"] == "s1"


async def test_create_makes_a_session_of_the_caller_s() -> None:
    """Which nobody watches, least of all the caller."""
    async with client() as ann:
        made = await ann.get("session.create", name="tea", metadata={"a": 1, "b": None})
        assert (made["user_id"], made["name"], made["metadata"], made["watchers"]) == (
            "ann",
            "tea",
            {"a": 1},
            0,
        )
        assert (await ann.get("session.get"))["session_id"] == "s1"
    async with client(max_sessions=1) as ann:
        assert await ann.refused("session.create") == ErrorCode.LIMIT_EXCEEDED


async def test_rename_and_set_metadata_change_it() -> None:
    """And null takes away again."""
    async with client() as ann:
        assert (await ann.get("session.rename", name="tea"))["name"] == "tea"
        assert (await ann.get("session.rename", name=None))["name"] is None
        await ann.get("session.set_metadata", metadata={"a": 1, "b": {"c": None}})
        shown = await ann.get("session.set_metadata", metadata={"a": None, "d": "x"})
        assert shown["metadata"] == {"b": {"c": None}, "d": "x"}


async def test_metadata_is_bounded() -> None:
    """However it is set, and what is there already counts."""
    too_much = {"a": "x" * MAX_METADATA_BYTES}
    half = {"a": "x" * (MAX_METADATA_BYTES // 2)}
    async with client() as ann:
        assert await ann.refused("session.create", metadata=too_much) == ErrorCode.LIMIT_EXCEEDED
        assert await ann.refused("session.set_metadata", metadata=too_much) == ErrorCode.LIMIT_EXCEEDED
        await ann.get("session.set_metadata", metadata=half)
        more = {"b": half["a"]}
        assert await ann.refused("session.set_metadata", metadata=more) == ErrorCode.LIMIT_EXCEEDED
        assert (await ann.get("session.get"))["metadata"] == half
        await ann.get("session.set_metadata", metadata={"a": None} | more)


async def test_list_shows_the_caller_s_sessions_page_by_page() -> None:
    """Nobody else's."""
    async with client() as ann:
        await ann.stage.sessions.create("bob")
        made = [(await ann.get("session.create"))["session_id"] for _ in range(2)]
        page = await ann.get("session.list", limit=2)
        assert [session["session_id"] for session in page["sessions"]] == ["s1", made[0]]
        rest = await ann.get("session.list", limit=2, after=page["next"])
        assert [session["session_id"] for session in rest["sessions"]] == [made[1]]
        assert rest["next"] is None


async def test_delete_ends_a_session() -> None:
    """Its own, or another of the caller's; then it is unknown."""
    async with client() as ann:
        other = (await ann.get("session.create"))["session_id"]
        assert await ann.get("session.delete", session_id=other) == {"session_id": other}
        assert await ann.refused("session.delete", session_id=other) == ErrorCode.SESSION_NOT_FOUND
        assert await ann.get("session.delete") == {"session_id": "s1"}
        assert Dismiss("c1") in ann.stage.effects
        assert await ann.refused("session.get") == ErrorCode.NOT_CONNECTED


@pytest.mark.parametrize(
    "name",
    [
        "session.get",
        "session.rename",
        "session.set_metadata",
        "session.delete",
        "session.history",
        "session.abort",
        "session.share",
        "presence.list",
    ],
)
async def test_somebody_else_s_session_is_unknown(name: str) -> None:
    """Whatever is asked of it."""
    async with client() as ann:
        theirs = (await ann.stage.sessions.create("bob")).id
        args: dict[str, Json] = {"name": "mine", "metadata": {}, "user_id": "ann", "access": "read"}
        assert await ann.refused(name, session_id=theirs, **args) == ErrorCode.SESSION_NOT_FOUND
        assert await ann.stage.sessions.get(theirs) is not None


async def test_history_tells_what_was_said_and_done() -> None:
    """Questions, answers, and the tools between them."""
    async with client() as ann:
        await ann.hear("hello")
        page = await ann.get("session.history")
        call = page["messages"][1]["tool_calls"][0]
        message = {"run_id": "r1", "ts": TS, "status": "complete", "truncated": False}
        assert page == {
            "messages": [
                message | {"role": "user", "content": "hello", "tool_calls": []},
                message | {"role": "assistant", "content": "hello", "tool_calls": [call]},
            ],
            "first": 0,
            "has_more": False,
        }
        assert call == {"id": call["id"], "tool": "squawk", "args": {"n": 1}, "result": "!", "ok": True}


@given(turns=st.integers(0, 4), limit=st.integers(1, 5))
async def test_pages_of_history_join_to_the_whole(turns: int, limit: int) -> None:
    """From the newest back, each message once; `has_more` says when to stop."""
    async with client() as ann:
        for number in range(turns):
            await ann.hear(str(number))
        pages: list[Json] = []
        args: dict[str, Json] = {}
        while True:
            page = await ann.get("session.history", limit=limit, **args)
            pages[:0] = page["messages"]
            args = {"before": page["first"]}
            if not page["has_more"]:
                break
        assert pages == (await ann.get("session.history", limit=MAX_PAGE))["messages"]
        assert [message["content"] for message in pages] == [str(n) for n in range(turns) for _ in range(2)]


async def test_abort_names_the_turns_that_are_no_more() -> None:
    """One, or all."""
    async with client() as ann:
        for _ in range(3):
            await ann.chat("sleep")
        assert await ann.get("session.abort", run_id="r2") == {"aborted": ["r2"]}
        assert await ann.get("session.abort", run_id="r2") == {"aborted": []}
        assert await ann.get("session.abort") == {"aborted": ["r1", "r3"]}
        assert (await ann.get("session.get"))["state"] == "idle"


async def test_presence_lists_who_watches() -> None:
    """Each connection, in the order in which they came."""
    async with client() as ann:
        await ann.stage.connect("c2", protocol=1)
        watcher = {"user_id": "ann", "client": None, "connected_at": 0}
        assert await ann.get("presence.list") == {
            "session_id": "s1",
            "watchers": [
                watcher | {"connection_id": "c1", "protocol": 2},
                watcher | {"connection_id": "c2", "protocol": 1},
            ],
        }
