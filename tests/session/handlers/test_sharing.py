"""The session table: what others may do with a session that is shared with them, and what not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.principal import Principal, Scope
from bamboo_gateway.protocol.messages import Command, CommandResult, Presence, SessionEnded
from bamboo_gateway.session import requests
from bamboo_gateway.session.access import MAX_SHARES, Access, SharedAccess
from bamboo_gateway.session.effects import (
    Dismiss,
    DropSession,
    DropShare,
    SaveSession,
    SaveShare,
    Send,
)
from bamboo_gateway.session.outcomes import MessageKey
from bamboo_gateway.session.requests import (
    OPERATOR,
    AbortTurn,
    Caller,
    CreateChannel,
    CreateSession,
    DeleteSession,
    GetHistory,
    GetMember,
    GetSession,
    JoinChannel,
    LeaveChannel,
    Performed,
    PerformOnce,
    RefreshSessions,
    RenameSession,
    Request,
    SetMetadata,
    ShareSession,
)
from bamboo_gateway.session.table import SessionTable
from tests.session.tables import (
    ANN,
    BOB,
    NOW,
    ask,
    attach,
    caller,
    chat,
    handle,
    refusal,
    snapshot,
    stored,
    told,
)

BOBS = caller("c2", BOB)


def share(access: SharedAccess | None, user_id: str = "bob", who: Caller | None = None) -> ShareSession:
    """Ann's session s1, with somebody."""
    return ShareSession(who or caller(), "s1", user_id, access)


def invite(table: SessionTable, access: SharedAccess, connection_id: str = "c2") -> None:
    """Bob may do so much with session s1, and watches it."""
    ask(table, share(access))
    ask(table, attach("s1", handle(connection_id, "bob"), new_session_id=None))


# What each request takes, as somebody's who names the session.
NEEDED: dict[str, tuple[Access, Callable[[Caller], Request[Any]]]] = {
    "get": (Access.READ, lambda who: GetSession(who, "s1")),
    "history": (Access.READ, lambda who: GetHistory(who, "s1", 9)),
    "attach": (
        Access.READ,
        lambda who: attach("s1", handle("c9", who.principal.user_id), new_session_id=None),
    ),
    "abort": (Access.CHAT, lambda who: AbortTurn(who, "s1")),
    "join": (Access.CHAT, lambda who: JoinChannel(who, "s1", "talk")),
    "leave": (Access.CHAT, lambda who: LeaveChannel(who, "s1", "news")),
    "be a member": (Access.CHAT, lambda who: GetMember(who, "s1", "news")),
    "rename": (Access.OWN, lambda who: RenameSession(who, "s1", "mine")),
    "set metadata": (Access.OWN, lambda who: SetMetadata(who, "s1", {})),
    "share": (Access.OWN, lambda who: share("chat", "eve", who)),
    "delete": (Access.OWN, lambda who: DeleteSession(who, "s1")),
    "attach exclusively": (
        Access.OWN,
        lambda who: attach("s1", handle("c9", who.principal.user_id), new_session_id=None, exclusive=True),
    ),
}


def test_whatever_names_a_session_is_in_the_table_above() -> None:
    """A request that is new is tested for what it takes, or this fails."""
    kinds = {type(make(caller())) for _, make in NEEDED.values()}
    named = {
        cls
        for cls in vars(requests).values()
        if isinstance(cls, type)
        and issubclass(cls, requests.SessionRequest)
        and cls is not requests.SessionRequest
        and "caller" in attrs.fields_dict(cast(Any, cls))
    }
    # `Settle` is the gateway's own word, on what it has carried out.
    assert kinds == named - {requests.Settle}


@pytest.mark.parametrize("held", [None, Access.READ, Access.CHAT, Access.OWN])
@pytest.mark.parametrize(("needed", "make"), NEEDED.values(), ids=NEEDED)
def test_each_request_takes_what_it_says(
    table: SessionTable, needed: Access, make: Callable[[Caller], Request[Any]], held: Access | None
) -> None:
    """Whoever may do too little is refused; to whom nothing is granted, the id is unknown."""
    ask(table, CreateChannel(OPERATOR, "news"))
    ask(table, CreateChannel(OPERATOR, "talk"))
    ask(table, JoinChannel(OPERATOR, "s1", "news"))
    if held in (Access.READ, Access.CHAT):
        ask(table, share("read" if held is Access.READ else "chat"))
    request = make(Caller(ANN if held is Access.OWN else BOB))
    if held is None:
        assert refusal(table, request) is ErrorCode.SESSION_NOT_FOUND
    elif held < needed:
        assert refusal(table, request) is ErrorCode.FORBIDDEN
    else:
        ask(table, request)


def test_a_chat_takes_more_than_to_read(table: SessionTable) -> None:
    """The text names what is missing, and who can grant it."""
    invite(table, "read")
    assert refusal(table, chat(who=BOBS)) is ErrorCode.FORBIDDEN
    with pytest.raises(GatewayError, match=r"shared with you to read; its owner can let you chat"):
        table.handle(chat(who=BOBS), NOW)
    with pytest.raises(GatewayError, match="only its owner or an operator"):
        table.handle(RenameSession(BOBS, None, "mine"), NOW)
    ask(table, share("chat"))
    assert ask(table, chat(who=BOBS)).run_id == "r1"


def test_a_share_is_stored_and_shown(table: SessionTable) -> None:
    """Another level takes the place of the one before; what is so already changes nothing."""
    reply, effects = table.handle(share("read"), NOW)
    assert (reply.shares, effects) == ({"bob": "read"}, [SaveShare(1, "bob", "read")])
    assert table.handle(share("chat"), NOW)[1] == [SaveShare(1, "bob", "chat")]
    assert table.handle(share("chat"), NOW)[1] == []
    assert snapshot(table).shares == {"bob": "chat"}
    assert stored(table.handle(share(None), NOW)[1]) == [DropShare(1, "bob")]
    assert table.handle(share(None), NOW)[1] == []
    assert snapshot(table).shares == {}


def test_who_is_no_longer_allowed_is_sent_away_at_once(table: SessionTable) -> None:
    """All their connections, which stay open; others see them go, and what they had asked for goes on."""
    invite(table, "chat")
    ask(table, attach("s1", handle("c3", "bob"), new_session_id=None))
    ask(table, chat(who=BOBS))
    ended = SessionEnded("s1", "it is no longer shared with you")
    left = Presence(session_id="s1", event="left", connection_id="c3", user_id="bob", watchers=1)
    effects = told(table, share(None))
    assert [each for each in effects if not isinstance(each, SaveSession)] == [
        Send("c1", attrs.evolve(left, connection_id="c2", watchers=2)),
        Send("c3", attrs.evolve(left, connection_id="c2", watchers=2)),
        Send("c2", ended),
        Dismiss("c2"),
        Send("c1", left),
        Send("c3", ended),
        Dismiss("c3"),
    ]
    assert refusal(table, GetSession(BOBS)) is ErrorCode.NOT_CONNECTED
    assert refusal(table, GetSession(BOBS, "s1")) is ErrorCode.SESSION_NOT_FOUND
    assert snapshot(table).run_id == "r1"


def test_who_may_do_less_stays_and_may_do_less(table: SessionTable) -> None:
    """From chatting to reading: the connection watches on."""
    invite(table, "chat")
    assert told(table, share("read")) == []
    assert refusal(table, chat(who=BOBS)) is ErrorCode.FORBIDDEN
    assert ask(table, GetSession(BOBS)).id == "s1"


def test_the_owner_s_connections_stay(table: SessionTable) -> None:
    """What is withdrawn from one is nobody else's matter."""
    invite(table, "read")
    ask(table, share("read", "cat"))
    ask(table, attach("s1", handle("c3", "cat"), new_session_id=None))
    ask(table, share(None))
    assert [each.id for each in snapshot(table).connections] == ["c1", "c3"]


def test_it_is_not_shared_with_its_owner_nor_with_a_crowd(table: SessionTable) -> None:
    """Who has it has it; and as many as are allowed may have another level, and no other may come."""
    assert refusal(table, share("read", "ann")) is ErrorCode.INVALID_ARGUMENTS
    assert refusal(table, share(None, "ann")) is ErrorCode.INVALID_ARGUMENTS
    for number in range(MAX_SHARES):
        ask(table, share("read", f"user {number}"))
    assert refusal(table, share("read")) is ErrorCode.LIMIT_EXCEEDED
    ask(table, share("chat", "user 0"))
    ask(table, share(None, "user 0"))
    ask(table, share("read"))


def test_its_end_is_the_end_of_its_shares(table: SessionTable) -> None:
    """One of the same name begins with none."""
    invite(table, "chat")
    assert DropSession("s1") in told(table, DeleteSession(caller(), "s1"))
    ask(table, CreateSession("ann", "s1"))
    assert snapshot(table).shares == {}
    assert refusal(table, GetSession(BOBS, "s1")) is ErrorCode.SESSION_NOT_FOUND


def test_a_list_leaves_out_what_was_withdrawn_since_it_was_read(table: SessionTable) -> None:
    """What the storage has said may be a moment old, and the table knows better."""
    ask(table, share("read"))
    listed = [snapshot(table)]
    assert ask(table, RefreshSessions(BOBS, listed)) == listed
    ask(table, share(None))
    assert ask(table, RefreshSessions(BOBS, listed)) == []
    assert ask(table, RefreshSessions(caller(), listed)) == [snapshot(table)]


def test_while_the_storage_fails_those_come_back_who_may_read(table: SessionTable) -> None:
    """It promises nothing; who may not would have a session made, which has to be kept."""
    request = attach("s1", handle("c2", "bob"), new_session_id="s2")
    assert not table.may_go_on(request)
    ask(table, share("read"))
    assert table.may_go_on(request)


def test_a_connection_that_the_program_has_put_there_may_read(table: SessionTable) -> None:
    """The embedding program lets it watch, and no more: to chat, the session has to be shared."""
    ask(table, requests.Attach(OPERATOR, handle("c2", "bob"), "s1"))
    assert ask(table, GetSession(BOBS)).id == "s1"
    assert ask(table, GetSession(BOBS, "s1")).id == "s1"
    assert refusal(table, chat(who=BOBS)) is ErrorCode.FORBIDDEN
    assert refusal(table, DeleteSession(BOBS, None)) is ErrorCode.FORBIDDEN


def test_an_operator_needs_no_share(table: SessionTable) -> None:
    """Whoever they are."""
    who = Caller(Principal("root", frozenset({Scope.ADMIN})))
    ask(table, share("chat", "eve", who))
    ask(table, RenameSession(who, "s1", "seen"))
    ask(table, DeleteSession(who, "s1"))


def test_two_who_share_a_session_count_their_messages_apart(table: SessionTable) -> None:
    """Both may begin with the same id: neither is told what the other's message has led to."""
    invite(table, "chat")
    key = MessageKey.of(Command("make", {}, id="1"))
    assert key is not None

    def once(who: Caller, name: str) -> PerformOnce:
        done = CommandResult("make", ok=True, id="1", result=name)
        return PerformOnce(who, key, CreateSession("ann", name), lambda _: done)

    for who, name in ((caller(), "s2"), (BOBS, "s3")):
        first = ask(table, once(who, name))
        assert isinstance(first, Performed)
        assert first.answer.result == name  # type: ignore[union-attr]
        assert ask(table, once(who, "s4")) == requests.Known(first.answer)


def test_chats_are_counted_apart_too(table: SessionTable) -> None:
    """A guest's chat with an id that the owner has used is a chat of its own."""
    invite(table, "chat")
    assert ask(table, chat(id="1")).run_id == "r1"
    assert ask(table, chat("else", "r2", who=BOBS, id="1")).run_id == "r2"
    assert ask(table, chat("else", "r3", who=BOBS, id="1")).run_id == "r2"
    assert refusal(table, chat("third", "r4", who=BOBS, id="1")) is ErrorCode.ID_REUSED


def test_what_a_guest_has_claimed_is_settled_for_the_guest(table: SessionTable) -> None:
    """By its own key, after it has been sent away as well."""
    invite(table, "chat")
    key = MessageKey.of(Command("dance", {}, id="1"))
    assert key is not None
    answer = CommandResult("dance", ok=True, id="1", session_id="s1")
    assert ask(table, requests.Claim(BOBS, key, answer)) == requests.Claimed("s1")
    assert ask(table, requests.Claim(caller(), key, answer)) == requests.Claimed("s1")
    ask(table, requests.Abandon(caller(), key, answer, is_new=True))
    ask(table, share(None))
    ask(table, requests.Settle(BOBS, "s1", key, answer))
    invite(table, "read")
    assert ask(table, requests.Claim(BOBS, key, answer)) == requests.Known(answer)


def test_what_a_guest_has_claimed_and_gives_up_is_open_no_longer(table: SessionTable) -> None:
    """Sent away in the midst of it, the guest's connection ends: nobody waits for its answer for ever."""
    invite(table, "chat")
    key = MessageKey.of(Command("dance", {}, id="1"))
    assert key is not None
    answer = CommandResult("dance", ok=False, id="1", session_id="s1")
    ask(table, requests.Claim(BOBS, key, answer))
    ask(table, share(None))
    assert told(table, requests.Abandon(caller("c7", BOB), key, answer, is_new=False)) == []
    ask(table, requests.Abandon(BOBS, key, answer, is_new=False))
    ask(table, requests.Detach("c1"))
    ask(table, requests.Tidy(0))
    assert not table.holds("s1")


@pytest.mark.parametrize("access", ["own", "", "READ", 1], ids=["own", "nothing", "another case", "a number"])
def test_only_what_there_is_can_be_granted(access: Any) -> None:
    """A program's slip surfaces where it was made."""
    with pytest.raises(ValueError, match="access must be one of read, chat or None"):
        share(access)
