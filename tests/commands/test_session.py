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
from bamboo_gateway.principal import Quotas
from bamboo_gateway.protocol.messages import AgentComplete, Error, Json, SessionEnded
from bamboo_gateway.session.effects import Dismiss, Send
from bamboo_gateway.session.metadata import MAX_METADATA_BYTES
from bamboo_gateway.session.requests import Caller, Detach, Tidy
from bamboo_gateway.turn import Turn
from tests.backstage import Backstage, backstage
from tests.session.tables import EPOCH, TS

NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


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
            "temporary": False,
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


async def test_list_can_begin_with_the_newest() -> None:
    """And goes on from there by `next`."""
    async with client() as ann:
        made = [(await ann.get("session.create"))["session_id"] for _ in range(2)]
        page = await ann.get("session.list", limit=2, order="newest")
        assert [session["session_id"] for session in page["sessions"]] == [made[1], made[0]]
        rest = await ann.get("session.list", limit=2, order="newest", after=page["next"])
        assert [session["session_id"] for session in rest["sessions"]] == ["s1"]
        assert rest["next"] is None
        assert await ann.refused("session.list", order="random") == ErrorCode.INVALID_ARGUMENTS


async def test_list_can_be_searched() -> None:
    """By a piece of id, name or owner's id, in any case; what others own is found by nobody else."""
    async with client() as ann:
        await ann.stage.sessions.create("bob", name="Tea")
        mine = (await ann.get("session.create", name="Tea for two"))["session_id"]
        for search, found in (("tEA", [mine]), ("ANN", ["s1", mine]), ("S1", ["s1"]), ("bob", []), ("%", [])):
            page = await ann.get("session.list", search=search)
            assert [session["session_id"] for session in page["sessions"]] == found, search
        assert await ann.refused("session.list", search="x" * 257) == ErrorCode.INVALID_ARGUMENTS


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
                message | {"role": "assistant", "content": "hello", "tool_calls": [call], "usage": NOTHING},
            ],
            "first": 0,
            "has_more": False,
            "seq": 6,
            "queued": [],
        }
        assert call == {
            "id": call["id"],
            "tool": "squawk",
            "args": {"n": 1},
            "result": "!",
            "ok": True,
            "started_at": TS,
            "completed_at": TS,
            "position": 0,
        }


async def test_history_and_the_events_behind_it_are_the_whole() -> None:
    """Who asks in mid-answer applies what comes after `seq`: nothing is lost, and nothing twice."""
    async with client() as ann:
        await ann.chat("sleep")
        await ann.stage.wait_until(lambda: len(ann.stage.turn("r1")) == 2)
        await ann.chat("next")
        page = await ann.get("session.history")
        assert page["seq"] == len(ann.stage.events["s1"])
        assert [message["status"] for message in page["messages"]] == ["complete", "running"]
        assert page["queued"] == [{"run_id": "r2", "content": "next", "id": None}]
        await ann.get("session.abort", run_id="r1")
        page = await ann.get("session.history")
        assert page["messages"][1]["error"] == {"code": "AGENT_ABORTED", "message": "the turn was aborted"}
        assert page["queued"] == []


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


# ── sharing ──────────────────────────────────────────────────────────────────


async def shared(ann: Client, access: Json) -> Client:
    """Bob, who watches a session of his own, and may do so much with Ann's s1."""
    await ann.get("session.share", user_id="bob", access=access)
    return Client(ann.stage, await ann.stage.connect("b1", "s2", "bob"))


async def test_the_owner_is_shown_whom_a_session_is_shared_with() -> None:
    """And nobody else: a guest is told what the guest may do."""
    async with client() as ann:
        bob = await shared(ann, "read")
        shown = await ann.get("session.share", user_id="cat", access="chat")
        assert (shown["access"], shown["shares"]) == ("own", {"bob": "read", "cat": "chat"})
        seen = await bob.get("session.get", session_id="s1")
        assert (seen["access"], seen["shares"], seen["user_id"]) == ("read", None, "ann")
        await ann.get("session.share", user_id="bob", access="chat")
        assert (await bob.get("session.get", session_id="s1"))["access"] == "chat"
        assert (await ann.get("session.get"))["shares"] == {"bob": "chat", "cat": "chat"}


async def test_a_guest_reads_and_does_not_write() -> None:
    """The conversation, and who watches; not more, until more is granted."""
    async with client() as ann:
        await ann.hear("hello")
        bob = await shared(ann, "read")
        said = (await bob.get("session.history", session_id="s1"))["messages"]
        assert [message["content"] for message in said] == ["hello", "hello"]
        assert (await bob.get("presence.list", session_id="s1"))["watchers"][0]["user_id"] == "ann"
        assert await bob.refused("session.abort", session_id="s1") == ErrorCode.FORBIDDEN
        assert await bob.refused("session.rename", session_id="s1", name="x") == ErrorCode.FORBIDDEN
        assert (
            await bob.refused("session.share", session_id="s1", user_id="eve", access="read")
            == ErrorCode.FORBIDDEN
        )
        await ann.get("session.share", user_id="bob", access="chat")
        assert await bob.get("session.abort", session_id="s1") == {"aborted": []}


async def test_what_is_shared_is_listed_in_its_place_until_it_is_withdrawn() -> None:
    """Among one's own, whether it is in memory or not."""
    async with client() as ann:
        bob = await shared(ann, "read")
        for max_idle in (99, 0):
            await ann.stage.ask(Tidy(max_idle))
            listed = (await bob.get("session.list"))["sessions"]
            assert [(each["session_id"], each["access"]) for each in listed] == [
                ("s1", "read"),
                ("s2", "own"),
            ]
            assert [each["shares"] for each in listed] == [None, {}]
            await ann.stage.ask(Detach("c1"))
        assert not ann.stage.table.holds("s1")
        await ann.get("session.share", session_id="s1", user_id="bob", access=None)
        listed = (await bob.get("session.list"))["sessions"]
        assert [each["session_id"] for each in listed] == ["s2"]
        assert await bob.refused("session.get", session_id="s1") == ErrorCode.SESSION_NOT_FOUND


async def test_who_watches_by_a_share_is_told_of_its_end() -> None:
    """And may ask for something else on the same connection."""
    async with client() as ann:
        bob = await shared(ann, "chat")
        await ann.stage.connect("b1", "s1", "bob")
        await bob.hear("hello")
        await ann.get("session.share", user_id="bob", access=None)
        ended = SessionEnded("s1", "it is no longer shared with you")
        place = ann.stage.effects.index(Send("b1", ended))
        assert Dismiss("b1") in ann.stage.effects[place:]
        assert await bob.refused("session.get") == ErrorCode.NOT_CONNECTED
        assert (await bob.get("session.get", session_id="s2"))["access"] == "own"


async def test_what_a_principal_may_have_is_bounded() -> None:
    """Their sessions, whichever way they are made."""
    async with client(quotas=Quotas(max_sessions=2)) as ann:
        await ann.get("session.create")
        assert await ann.refused("session.create") == ErrorCode.LIMIT_EXCEEDED
