"""Clients that remember all they were ever told, over many connections and many lives of one gateway."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress

import attrs
import trio

from tests.integration.ledger import Ledger, Reading
from tests.plain_wire import DialectName, Event
from tests.sansio_client import SansIOClient

CHANNEL = "news"
MAX_OPEN = 2
"""Chats of one witness that may run or wait."""

_CHUNK_BYTES = 64 * 1024


class Session:
    """
    One session, and what all its witnesses together know of it.

    Invariant: its log, as the first witness reads it, is the truth that all
    else is held against.
    """

    def __init__(self, news: Ledger) -> None:
        self.id = ""
        self.epoch = ""
        self.log = Ledger("session")
        self.news = news
        self.asked: dict[str, str] = {}
        """Every chat that was ever said: its id, and what it asks for."""
        self.told = 0
        """The greatest `seq` that anybody had been told of when the last gateway ended."""
        self._followed = 0
        self._runs: dict[str, str] = {}
        self._running: set[str] = set()
        self._ended: set[str] = set()

    def is_over(self, chat_id: str) -> bool:
        """Has the log closed the turn of this chat?"""
        self._follow()
        return self._runs.get(chat_id) in self._ended

    def is_running(self) -> bool:
        """Was a turn begun, and not yet ended?"""
        self._follow()
        return bool(self._running)

    def _follow(self) -> None:
        for event in self.log.span(self._followed, self.log.whole_to):
            run_id = event["run_id"]
            match event["type"]:
                case "user_message":
                    self._runs[event["id"]] = run_id
                case "agent_start":
                    self._running.add(run_id)
                case "agent_complete" | "error":
                    self._running.remove(run_id)
                    self._ended.add(run_id)
                case _:
                    assert run_id in self._running, f"a turn speaks out of turn: {event}"
        self._followed = self.log.whole_to


@attrs.define(eq=False)
class Witness:
    """
    One client: how it speaks, what it has said, and what it was told.

    It comes back as a client should: with its cursors, and with every message
    again that it does not know to have been heard.
    """

    name: str
    session: Session
    rng: random.Random
    protocol: int = 2
    dialect: DialectName = "tagged"
    is_exact: bool = False
    acks: dict[str, list[Event]] = attrs.field(factory=dict)
    """What it was answered, by the id of the chat; in protocol 1 the first token of the answer is the ack."""
    sent: dict[str, bool] = attrs.field(factory=dict)
    """What it has sent to the channel; True: it was told so."""
    results: dict[str, Event] = attrs.field(factory=dict)
    """`command_result` by the id of the command."""
    resumes: int = 0
    repeats: int = 0
    """Chats and commands that were said again."""
    is_quiet: bool = False
    """It says nothing new."""
    own: Reading = attrs.field(init=False)
    news: Reading = attrs.field(init=False)
    _chats: list[str] = attrs.field(factory=list)
    _wire: SansIOClient = attrs.field(init=False)
    _is_connected: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin to read at the beginning."""
        self.own = Reading(self.session.log, self.protocol, self.is_exact)
        self.news = Reading(self.session.news, self.protocol, self.is_exact)

    # ── one connection ───────────────────────────────────────────────────────

    async def attend(self, port: int, changed: trio.MemorySendChannel[None] | None = None) -> None:
        """Connect, and hear everything until the gateway is gone."""
        self._wire = SansIOClient(self.dialect)
        self._is_connected = False
        with suppress(OSError, trio.BrokenResourceError):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            async with stream:
                await stream.send_all(self._wire.upgrade())
                while data := await stream.receive_some(_CHUNK_BYTES):
                    was_open = self._wire.accepted
                    # All is heard first: an answer may be lost to a socket that is broken by now.
                    for event in self._wire.hear(bytes(data)):
                        self._hear(event)
                    if self._wire.accepted and not was_open:
                        await stream.send_all(self._wire.say("connect", **self._cursors()))
                    if words := self._wire.take_replies() + b"".join(self._words()):
                        await stream.send_all(words)
                    if changed is not None:
                        with suppress(trio.WouldBlock, trio.BrokenResourceError):
                            changed.send_nowait(None)

    def ask(self, command_id: str, command: str, **args: object) -> bytes:
        """The bytes of a command."""
        return self._wire.say("command", id=command_id, name=command, args=args)

    def _cursors(self) -> dict[str, object]:
        fields: dict[str, object] = {"protocol": self.protocol}
        if self.session.id:
            fields |= {"session_id": self.session.id, "epoch": self.session.epoch}
            fields |= {"last_seq": self.own.cursor}
        if self.protocol > 1:
            fields["channels"] = {CHANNEL: self.news.cursor}
        if self.is_exact:
            fields["replay"] = "exact"
        return fields

    def _words(self) -> Iterator[bytes]:
        """What it wants to say now."""
        if self._is_connected and not self.is_quiet:
            if sum(not self.session.is_over(each) for each in self._chats) < MAX_OPEN:
                yield self._chat(self._new_chat())
            if self.protocol > 1 and all(self.sent.values()) and self.rng.random() < 0.05:
                yield self._send(self._new_message())

    def _again(self) -> Iterator[bytes]:
        """What it does not know to have been heard; and something that it does know, to be sure."""
        unheard = [each for each in self._chats if each not in self.acks]
        heard = [each for each in self._chats if each in self.acks]
        for chat_id in unheard + self.rng.sample(heard, min(1, len(heard))):
            self.repeats += 1
            yield self._chat(chat_id)
        for message in [message for message, is_told in self.sent.items() if not is_told]:
            self.repeats += 1
            yield self._send(message)

    def _new_chat(self) -> str:
        chat_id = f"{self.name}-{len(self._chats)}"
        self._chats.append(chat_id)
        self.session.asked[chat_id] = str(self.rng.randint(1, 40))
        return chat_id

    def _chat(self, chat_id: str) -> bytes:
        content = self.session.asked[chat_id]
        return self._wire.say("chat", id=chat_id, content=content, session_id=self.session.id)

    def _new_message(self) -> str:
        message = f"{self.name} says {len(self.sent)}"
        self.sent[message] = False
        return message

    def _send(self, message: str) -> bytes:
        return self.ask(message, "channel.send", name=CHANNEL, content=message)

    # ── what it is told ──────────────────────────────────────────────────────

    def _hear(self, event: Event) -> None:
        if "seq" in event:
            (self.own if event.get("channel") is None else self.news).hear(event)
            self._take_as_ack(event)
            return
        match event["type"]:
            case "connected":
                self._be_greeted(event)
            case "chat_accepted":
                self._take_ack(event["id"], event)
            case "command_result":
                assert event["ok"] is True, event
                self.results[event["id"]] = event
                if event["id"] in self.sent:
                    self.sent[event["id"]] = True
            case "presence" | "shutdown":
                pass
            case _:
                raise AssertionError(f"{self.name} was told {event}")

    def _be_greeted(self, event: Event) -> None:
        session = self.session
        assert event["protocol"] == self.protocol, event
        if session.id:
            assert (event["session_id"], event["epoch"]) == (session.id, session.epoch), event
            assert event["resumed"] is True, event
            assert event["last_seq"] >= session.told, (
                f"{self.name}: what was told up to {session.told} is forgotten: {event}"
            )
            self.resumes += 1
            self._wire.replies += b"".join(self._again())
        session.id, session.epoch = event["session_id"], event["epoch"]
        self._is_connected = True

    def _take_ack(self, chat_id: str, ack: Event) -> None:
        acks = self.acks.setdefault(chat_id, [])
        acks.append(ack)
        assert ack["run_id"] == acks[0]["run_id"], f"{self.name}: two turns of one chat: {acks}"

    def _take_as_ack(self, event: Event) -> None:
        """Protocol 1 has no word for it; but here the tokens name the chat that they answer."""
        if self.protocol == 1 and event["type"] == "agent_token" and event.get("channel") is None:
            chat_id = event["token"].split(".")[0]
            if chat_id in self._chats:
                self._take_ack(chat_id, event)

    # ── when all is said ─────────────────────────────────────────────────────

    def check(self) -> None:
        """The gateway has ended: hold what it told this client against what it told the others."""
        self.session.told = self.session.log.newest
        self.own.check()
        self.news.check()

    def is_content(self, last_seq: int) -> bool:
        """Has it seen everything up to *last_seq*, and been told of all that it said?"""
        is_told = self.protocol == 1 or (set(self._chats) <= set(self.acks) and all(self.sent.values()))
        has_seen = self.own.cursor == last_seq or self.protocol == 1
        return is_told and has_seen and all(self.session.is_over(each) for each in self._chats)

    def acked_runs(self) -> Sequence[tuple[str, str]]:
        """Each chat that was acked, and the turn that it was told."""
        return [(chat_id, acks[0]["run_id"]) for chat_id, acks in self.acks.items()]
