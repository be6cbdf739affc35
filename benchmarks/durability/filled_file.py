"""SQLite files that a gateway could have left behind, made by its own storage."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import trio

from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentStart,
    AgentToken,
    LoggedEvent,
    TokenUsage,
    UserMessage,
)
from bamboo_gateway.session.effects import Change, Deliver, SaveMessage, SaveSession
from bamboo_gateway.session.history import MESSAGE_BYTES, HistoryMessage, NumberedMessage
from bamboo_gateway.session.log import Entry, Log, LogLimits
from bamboo_gateway.session.session import Session
from bamboo_gateway.storage.sqlite import SQLiteStorage

SESSIONS_PER_COMMIT = 1000

_LIMITS = LogLimits(max_events=10_000_000, max_bytes=1024**3)
_MODEL = uuid.uuid4().hex
_RUN = uuid.uuid4().hex


@attrs.frozen
class FilledFile:
    """One such file."""

    path: Path
    epoch: str
    session_ids: Sequence[str]
    last_seq: int
    """Of each session."""


def make_file(path: Path, sessions: int, tokens: int) -> FilledFile:
    """Make a file of *sessions*, each with one question, and an answer of *tokens*."""
    return trio.run(_fill, path, sessions, tokens)


async def _fill(path: Path, sessions: int, tokens: int) -> FilledFile:
    storage = SQLiteStorage(path, "normal")
    state = await storage.open(_LIMITS)
    model = _make_log(tokens)
    ids = [uuid.uuid4().hex for _ in range(sessions)]
    for start in range(0, sessions, SESSIONS_PER_COMMIT):
        batch = enumerate(ids[start : start + SESSIONS_PER_COMMIT], start + 1)
        await storage.commit([change for number, name in batch for change in _session(name, number, model)])
    await storage.aclose()
    return FilledFile(path, state.epoch, ids, model.last_seq)


def _make_log(tokens: int) -> Log:
    """The log that all sessions have, but for their ids: to encode each anew takes most of the time."""
    log = Log(_MODEL, "", _LIMITS)
    for event in _conversation(tokens):
        log.append(event, int(time.time() * 1000))
    return log


def _conversation(tokens: int) -> Iterator[LoggedEvent]:
    yield UserMessage(_MODEL, "How tall does bamboo grow?", run_id=_RUN)
    yield AgentStart(_MODEL, run_id=_RUN)
    for number in range(tokens):
        yield AgentToken(_MODEL, f"word {number} ", run_id=_RUN)
    yield AgentComplete(_MODEL, TokenUsage(7, tokens, tokens + 7), run_id=_RUN)


def _session(session_id: str, number: int, model: Log) -> Iterator[Change]:
    now = datetime.datetime.now(datetime.UTC)
    yield SaveSession(Session(session_id, "local", now, now, number=number))
    log = Log(session_id, "", _LIMITS, number=number)
    for entry in model:
        body = entry.body.replace(_MODEL.encode(), session_id.encode())
        yield Deliver(log, Entry(entry.seq, entry.ts, entry.kind, body))
    for place, said in enumerate(_SAID):
        size = MESSAGE_BYTES + len(said.content)
        yield SaveMessage(number, NumberedMessage(place, said, size_bytes=size))


_SAID = (
    HistoryMessage("user", "How tall does bamboo grow?", _RUN, int(time.time() * 1000)),
    HistoryMessage("assistant", "Forty metres.", _RUN, int(time.time() * 1000)),
)
