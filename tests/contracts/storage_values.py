"""Whatever a session may hold, drawn by Hypothesis: every kind of value, with all that it allows."""

from __future__ import annotations

import datetime

from hypothesis import strategies as st

from bamboo_gateway.protocol.messages import ChatAccepted, CommandResult, Error, TokenUsage
from bamboo_gateway.session.history import HistoryMessage, ToolRecord, TurnError
from bamboo_gateway.session.outcomes import Answer, MessageKey, Outcome
from bamboo_gateway.session.session import Session
from tests.contracts.storage_steps import NEW_YEAR
from tests.strategies import I64, NATURAL, instances, json_objects, json_values

moments = st.timedeltas(datetime.timedelta(days=-9999), datetime.timedelta(days=9999)).map(NEW_YEAR.__add__)

sessions = st.builds(
    Session,
    id=st.text(),
    user_id=st.text(),
    created_at=moments,
    last_activity=moments,
    name=st.none() | st.text(),
    metadata=json_objects,
    channels=st.dictionaries(st.text(), st.integers(-(2**63), -1), max_size=3),
    number=st.integers(1, 2**63 - 1),
)

tool_records = st.builds(
    ToolRecord,
    st.text(),
    st.text(),
    json_values,
    st.none() | st.text(),
    st.none() | st.booleans(),
    st.none() | I64,
    st.none() | I64,
    st.none() | I64,
)

history_messages = st.builds(
    HistoryMessage,
    st.sampled_from(["user", "assistant"]),
    st.text(),
    st.text(),
    I64,
    st.sampled_from(["running", "complete", "failed", "interrupted"]),
    st.lists(tool_records, max_size=3).map(tuple),
    st.booleans(),
    st.none() | instances(TokenUsage),
    st.none() | st.builds(TurnError, st.text(), st.text()),
)

answers: st.SearchStrategy[Answer] = instances(ChatAccepted) | instances(CommandResult) | instances(Error)

outcomes = st.builds(
    Outcome,
    st.builds(MessageKey, st.sampled_from(["chat", "command"]), st.text(), st.text(), st.text()),
    NATURAL,
    answers,
    st.booleans(),
)
