"""Values ⇄ rows: how each thing that is stored is written down, and read back as it was."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import attrs

from ..errors import InvalidMessageError
from ..protocol import codec
from ..protocol.messages import Chat, Json
from ..protocol.tags import EVENT_TAGS
from ..session.access import SHARED, SharedAccess
from ..session.history import HistoryMessage, NumberedMessage
from ..session.log import Entry
from ..session.outcomes import Answer, MessageKey, Outcome
from ..session.session import Session
from ..session.stored import Run
from .sqlite_errors import UnreadableRowError

T = TypeVar("T")

Row = tuple[Any, ...]

KIND_TAGS = {kind: tag.tagged for kind, tag in EVENT_TAGS.items()}
"""Class of an event → its name in `entry.kind`."""

_KINDS = {tag: kind for kind, tag in KIND_TAGS.items()}

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)

INT64_MAX = 2**63 - 1


# ── numbers ──────────────────────────────────────────────────────────────────


def microseconds(moment: datetime.datetime) -> int:
    """A moment as a number, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def bounded(number: float) -> int:
    """The nearest integer that SQLite can compare with."""
    return round(max(-INT64_MAX, min(number, INT64_MAX)))


# ── JSON ─────────────────────────────────────────────────────────────────────
# Written with the plain encoder: the depth of what is inside was bounded when it came in, and may not be
# refused for what is put around it here.

_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def to_json(value: Any) -> str:
    """Attrs values and whatever they hold."""
    return _encode(codec.unstructure(value))


def from_json(text: str, what: str) -> Json:
    """What `to_json` was given, as JSON; *what* it is, should it not be."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise UnreadableRowError(f"{what} is no JSON ({error})") from error


def _structure(text: str, cls: type[T], what: str) -> T:
    value = from_json(text, what)
    known = {field.name for field in attrs.fields(cast(Any, cls))}
    # It would be lost when the value is written again.
    if isinstance(value, dict) and (unknown := sorted(value.keys() - known)):
        raise UnreadableRowError(f"{what} has a field {unknown[0]!r:.80} that is unknown here")
    try:
        return codec.structure(value, cls)
    except InvalidMessageError as error:
        raise UnreadableRowError(f"{what} cannot be read ({error})") from error


# ── rows ─────────────────────────────────────────────────────────────────────

SESSION_COLUMNS = "id, user_id, name, metadata, created_at, last_activity, channels, number"

SESSION_NUMBER = 7
"""The place of `number` among them."""

KEPT_COLUMNS = 2
"""The first of them are never changed: who a session is, and whose."""


def session_row(session: Session) -> Row:
    """The `SESSION_COLUMNS`."""
    return (
        session.id,
        session.user_id,
        session.name,
        _encode(dict(session.metadata)),
        microseconds(session.created_at),
        microseconds(session.last_activity),
        _encode(list(session.channels.items())),
        session.number,
    )


def session_of(row: Row, shares: Mapping[str, SharedAccess], epoch: str) -> Session:
    """From the `SESSION_COLUMNS` and `log.last_seq`."""
    session_id, user_id, name, metadata, created_at, last_activity, channels, number, last_seq = row
    return Session(
        session_id,
        user_id,
        created_at=_EPOCH + created_at * _MICROSECOND,
        last_activity=_EPOCH + last_activity * _MICROSECOND,
        name=name,
        metadata=from_json(metadata, f"the metadata of session {session_id!r:.80}"),
        channels=_channels_of(channels, f"the list of channels of session {session_id!r:.80}"),
        shares=shares,
        last_seq=last_seq,
        epoch=epoch,
        number=number,
    )


def _channels_of(text: str, what: str) -> Mapping[str, int]:
    match from_json(text, what):
        case [*pairs] if all(_is_channel(pair) for pair in pairs):
            return dict(pairs)
        case _:
            raise UnreadableRowError(f"{what} does not name each by its name and number")


def _is_channel(pair: Json) -> bool:
    return isinstance(pair, list) and [type(each) for each in pair] == [str, int]


def share_of(row: Row) -> tuple[str, SharedAccess]:
    """From `user_id, access`."""
    user_id, access = row
    if access not in SHARED:
        raise UnreadableRowError(f"what {user_id!r:.80} is granted is {access!r:.80}, which is unknown here")
    return user_id, access


def entry_of(row: Row, log: int) -> Entry:
    """From `seq, ts, kind, body`."""
    seq, ts, tag, body = row
    kind = _KINDS.get(tag)
    if kind is None:
        raise UnreadableRowError(
            f"entry {seq} of log {log} is of the kind {tag!r:.80}, which is unknown here"
        )
    return Entry(seq, ts, kind, body)


def message_row(owner: int, message: NumberedMessage) -> Row:
    """`session, number, seq, size_bytes, body`."""
    return owner, message.number, message.seq, message.size_bytes, to_json(message.message)


def message_of(row: Row, owner: int) -> NumberedMessage:
    """From `number, seq, size_bytes, body`."""
    number, seq, size_bytes, body = row
    message = _structure(body, HistoryMessage, f"message {number} of session number {owner}")
    return NumberedMessage(number, message, seq, size_bytes)


def run_of(row: Row) -> Run:
    """From `run_id, chat`."""
    run_id, chat = row
    return Run(run_id, _structure(chat, Chat, f"the chat of turn {run_id!r:.80}"))


def outcome_row(owner: int, outcome: Outcome) -> Row:
    """`session, user_id, kind, id, fingerprint, ts, is_open, answer`."""
    key, answer = outcome.key, codec.encode(outcome.answer).decode()
    return owner, key.user_id, key.kind, key.id, key.fingerprint, outcome.ts, outcome.is_open, answer


def outcome_of(row: Row) -> Outcome:
    """From `user_id, kind, id, fingerprint, ts, is_open, answer`."""
    user_id, kind, key_id, fingerprint, ts, is_open, text = row
    try:
        answer = cast(Answer, codec.decode_event(text))
    except InvalidMessageError as error:
        raise UnreadableRowError(f"the answer to {kind} {key_id!r:.80} cannot be read ({error})") from error
    return Outcome(MessageKey(kind, key_id, fingerprint, user_id), ts, answer, bool(is_open))
