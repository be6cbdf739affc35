"""Where sessions are looked at: in a gateway that runs, or in the storage of one that does not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Protocol, TypeAlias

import attrs
import click

from ..client import Client, ClientLimits, ClosedError, ConnectError, RefusedError
from ..client.nursery import open_background_nursery
from ..commands.session import describe
from ..errors import ConfigError, ErrorCode, StorageError, StorageInUseError
from ..ports import SessionStorage
from ..principal import LOCAL
from ..protocol import codec
from ..session.effects import DropSession, SaveChannel, SaveMessage
from ..session.history import History, NumberedMessage
from ..session.live import LiveSession
from ..session.log import Log, LogLimits
from ..session.outcomes import OutcomeLimits, Outcomes
from ..session.stored import StoredChannel, StoredSession, StoredState
from ..storage import parse_storage
from ..storage.location import default_path
from .patience import ask_patiently
from .target import Target

Record: TypeAlias = dict[str, Any]
"""A session as `session.get` shows it, or a message as `session.history` does."""

PAGE = 100
"""Sessions asked for at a time."""

MESSAGES = 10
"""Messages asked for at a time: each may be a megabyte, and twice that as JSON."""

_LIMITS = ClientLimits(max_message_bytes=64 * 1024 * 1024)
"""Room for that many."""


class UnknownSessionError(Exception):
    """There is no session of this id."""


class SessionSource(Protocol):
    """Every method raises `UnknownSessionError` for an id that is none."""

    async def list(
        self, after: int, limit: int, *, newest_first: bool = False, search: str = ""
    ) -> tuple[Sequence[Record], int | None]:
        """At most *limit* sessions, and the `after` of the next page; None: there is none."""
        ...

    async def get(self, session_id: str) -> Record:
        """One session."""
        ...

    async def history(self, session_id: str, limit: int, before: int | None) -> tuple[Sequence[Record], int]:
        """The last *limit* messages ahead of number *before* (None: of all), and the number of the first."""
        ...

    async def delete(self, session_id: str) -> None:
        """End a session."""
        ...


class LiveSource:
    """Asks a gateway by its commands. The session that it is in meanwhile is temporary: no list has it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(
        self, after: int, limit: int, *, newest_first: bool = False, search: str = ""
    ) -> tuple[Sequence[Record], int | None]:
        """Ask `session.list`."""
        order = "newest" if newest_first else "oldest"
        page = await self._ask("session.list", after=after, limit=limit, order=order, search=search)
        return page["sessions"], page["next"]

    async def get(self, session_id: str) -> Record:
        """Ask `session.get`."""
        return await self._ask("session.get", session_id=session_id)

    async def history(self, session_id: str, limit: int, before: int | None) -> tuple[Sequence[Record], int]:
        """Ask `session.history`."""
        page = await self._ask("session.history", session_id=session_id, limit=limit, before=before)
        return page["messages"], page["first"]

    async def delete(self, session_id: str) -> None:
        """Ask `session.delete`."""
        await self._ask("session.delete", session_id=session_id)

    async def _ask(self, name: str, **args: Any) -> Record:
        try:
            result: Record = await ask_patiently(self._client, name, args)
        except RefusedError as error:
            if error.code == ErrorCode.SESSION_NOT_FOUND:
                raise UnknownSessionError(args["session_id"]) from None
            raise
        return result


class StoredSource:
    """Reads a storage that no gateway uses, and is its only user meanwhile."""

    def __init__(self, storage: SessionStorage, state: StoredState) -> None:
        self._storage = storage
        self._members = {channel.number: channel for channel in state.channels}
        self._looked_at: tuple[StoredSession, Sequence[NumberedMessage]] | None = None
        """The last session that was asked for, and its newest messages: nobody else can change them."""

    async def list(
        self, after: int, limit: int, *, newest_first: bool = False, search: str = ""
    ) -> tuple[Sequence[Record], int | None]:
        """Read a page, and one more to see whether that was the last."""
        found = await self._storage.list(None, after, limit + 1, newest_first=newest_first, search=search)
        page = found[:limit]
        records = [codec.unstructure(describe(session, LOCAL)) for session in page]
        return records, page[-1].number if len(found) > limit else None

    async def get(self, session_id: str) -> Record:
        """Read one session."""
        stored, _ = await self._look_at(session_id)
        record: Record = codec.unstructure(describe(stored.session, LOCAL))
        return record

    async def history(self, session_id: str, limit: int, before: int | None) -> tuple[Sequence[Record], int]:
        """Read a part of the conversation."""
        _, newest = await self._look_at(session_id)
        count = newest[-1].number + 1 if newest else 0
        end = count if before is None else min(before, count)
        first = max(0, end - limit)
        messages = {each.number: each for each in await self._storage.read_messages(session_id, first, end)}
        messages |= {each.number: each for each in newest if first <= each.number < end}
        return [codec.unstructure(each.message) for _, each in sorted(messages.items())], first

    async def delete(self, session_id: str) -> None:
        """Forget a session and all that belongs to it; its channels have one member less."""
        stored, _ = await self._look_at(session_id)
        session, self._looked_at = stored.session, None
        left = [
            SaveChannel(each.number, each.name, each.members, each.user_id)
            for each in self._leave(session.channels)
        ]
        await self._storage.commit([*left, DropSession(session_id)])
        await self._storage.expire(0, 2**62, 0)  # nothing more, but what is forgotten leaves the file

    async def _look_at(self, session_id: str) -> tuple[StoredSession, Sequence[NumberedMessage]]:
        if self._looked_at is None or self._looked_at[0].session.id != session_id:
            stored = await self._storage.load(session_id, LogLimits(1, 1), history_bytes=0)
            if stored is None:
                raise UnknownSessionError(session_id)
            self._looked_at = stored, [*stored.messages, *_interrupted(stored)]
        return self._looked_at

    def _leave(self, channels: Mapping[str, int]) -> Sequence[StoredChannel]:
        numbers = [number for number in channels.values() if number in self._members]  # or it was deleted
        for number in numbers:
            channel = self._members[number]
            self._members[number] = attrs.evolve(channel, members=channel.members - 1)
        return [self._members[number] for number in numbers]


def _interrupted(stored: StoredSession) -> Iterator[NumberedMessage]:
    """The answer in whose midst its gateway was killed, as the next gateway will close it."""
    session = stored.session
    entries, last_seq = stored.log.entries, stored.log.last_seq
    log = Log(session.id, session.epoch, LogLimits(2**62, 2**62), last_seq=last_seq, entries=entries)
    forgetful = Outcomes(OutcomeLimits(max_age=0.0, max_count=0, max_bytes=0))
    live = LiveSession(session, log, History(2**62, stored.messages), forgetful)
    now = session.last_activity.timestamp()
    for effect in live.resume(stored.runs[:1], now, again=False, go_on=False):
        if isinstance(effect, SaveMessage):
            yield effect.message


@asynccontextmanager
async def open_source(to: Target, storage: str | None) -> AsyncIterator[SessionSource]:
    """
    Open what *storage* names; without it, talk to the gateway *to*.

    Raises:
        click.ClickException: It cannot be opened; the text says what to do.
        ClientError: The gateway does not answer.
    """
    if storage is None:
        async with _open_live(to) as live:
            yield live
    else:
        async with _open_stored(storage) as stored:
            yield stored


@asynccontextmanager
async def _open_live(to: Target) -> AsyncIterator[SessionSource]:
    try:
        async with to.visit("sessions", _LIMITS) as client, open_background_nursery() as nursery:
            nursery.start_soon(_ignore_events, client)
            yield LiveSource(client)
    except ConnectError as error:
        raise click.ClickException(f"{error}; {_HINT}{_default_file()}") from error


async def _ignore_events(client: Client) -> None:
    """Read them, or the answers would wait behind."""
    with suppress(ClosedError):
        async for _ in client:
            pass


_HINT = "where no gateway runs, `--storage sqlite:` looks into the file of the one that did"


def _default_file() -> str:
    path = default_path()
    return f", {path}" if path.exists() else "; where that is not in its usual place, `--storage sqlite:PATH`"


@asynccontextmanager
async def _open_stored(spec: str) -> AsyncIterator[SessionSource]:
    if spec == "memory:":
        raise click.UsageError("--storage: of its memory only a gateway that runs can tell; use --url")
    try:
        storage = parse_storage(spec, create=False)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    try:
        # No channel's log is wanted here.
        state = await storage.open(LogLimits(1, 1))
        try:
            yield StoredSource(storage, state)
        finally:
            await storage.aclose()
    except StorageInUseError as error:
        raise click.ClickException(f"storage: {error}; a gateway that runs is asked with --url") from error
    except StorageError as error:
        raise click.ClickException(f"storage: {error}") from error


async def every_session(source: SessionSource) -> AsyncGenerator[Record, None]:
    """All sessions, oldest first, a page at a time."""
    after: int | None = 0
    while after is not None:
        page, after = await source.list(after, PAGE)
        for session in page:
            yield session


async def count_sessions(source: SessionSource) -> int:
    """How many sessions there are now."""
    count = 0
    after: int | None = 0
    while after is not None:
        page, after = await source.list(after, PAGE)
        count += len(page)
    return count


async def newest_messages(source: SessionSource, session_id: str, count: int) -> tuple[Sequence[Record], int]:
    """The last *count* messages of a conversation, and the number of the first of them."""
    end = await count_messages(source, session_id)
    first = max(0, end - count)
    messages: list[Record] = []
    async with aclosing(every_page(source, session_id, first, end)) as pages:
        async for page in pages:
            messages += page
    return messages, first


async def count_messages(source: SessionSource, session_id: str) -> int:
    """How many messages a conversation has now."""
    newest, first = await source.history(session_id, 1, None)
    return first + len(newest)


async def every_page(
    source: SessionSource, session_id: str, start: int, end: int
) -> AsyncGenerator[Sequence[Record], None]:
    """The messages from number *start* up to and without *end*, oldest first, a page at a time."""
    for first in range(start, end, MESSAGES):
        last = min(first + MESSAGES, end)
        messages, _ = await source.history(session_id, last - first, last)
        yield messages
