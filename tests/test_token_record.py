"""What a file may say of a token, and what of it is refused."""

from __future__ import annotations

import datetime
import json
import tomllib
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.errors import ConfigError
from bamboo_gateway.principal import Principal, Quotas, Scope
from bamboo_gateway.token_record import TokenRecord, read_record, scope_names, write_record

DIGEST = "sha256:" + "0" * 64
SMALLEST: dict[str, Any] = {"id": "a", "user_id": "ann", "scopes": [], "digest": DIGEST}

_texts = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=256)
_times = st.none() | st.integers(0, 2**40) | st.floats(0, 2**40)
_counts = st.none() | st.integers(0, 2**40)

records = st.builds(
    TokenRecord,
    id=st.from_regex(r"[A-Za-z0-9-]{1,64}", fullmatch=True),
    user_id=_texts,
    scopes=st.frozensets(st.sampled_from(Scope)),
    digest=st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True),
    created_at=_times,
    expires_at=_times,
    quotas=st.builds(
        Quotas,
        message_rate=_counts | st.floats(0, 1e9),
        max_sessions=_counts,
        max_channels=_counts,
        max_queued_chats=_counts,
    ),
    label=st.none() | _texts,
)


@given(records)
def test_what_is_written_is_read(record: TokenRecord) -> None:
    """By way of JSON, whatever it holds; and what was left out comes back as that."""
    assert read_record(json.loads(json.dumps(write_record(record))), "x") == record


def test_what_was_left_out_has_a_default() -> None:
    """Nothing is allowed, and for ever; a null stands for what was left out."""
    assert read_record(SMALLEST, "x") == TokenRecord("a", "ann", frozenset(), DIGEST)
    assert read_record(SMALLEST | {"label": None, "quotas": None}, "x") == read_record(SMALLEST, "x")


def test_a_time_may_be_one_of_toml() -> None:
    """With its zone: without, it would be another moment on each machine."""
    there = tomllib.loads("expires_at = 2030-01-01T00:00:00Z")
    expected = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC).timestamp()
    assert read_record(SMALLEST | there, "x").expires_at == expected


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scope": ["chat"]}, "x: unknown key 'scope'; there are id, user_id, scopes, digest, "),
        ({"id": None}, "x: id is missing"),
        ({"id": "a_b"}, "x.id: this is no id of letters"),
        ({"id": 5}, "x.id: this is no id of letters"),
        ({"user_id": ""}, "x.user_id: this is no text of 1 to 256 printable characters"),
        ({"user_id": "a\nb"}, "x.user_id: this is no text"),
        ({"user_id": "a" * 257}, "x.user_id: this is no text"),
        ({"user_id": "\ud800"}, "x.user_id: this is no text"),
        ({"scopes": "chat"}, "x.scopes: a value of type str is no list of scopes"),
        ({"scopes": ["chta"]}, "x.scopes: 'chta' is no scope; there are chat, sessions:read, "),
        ({"scopes": [["chat"]]}, "x.scopes: ['chat'] is no scope"),
        ({"digest": "0" * 64}, "x.digest: this is no digest: sha256: and 64 hexadecimal digits"),
        ({"expires_at": "2030-01-01"}, "x.expires_at: '2030-01-01' is no time: Unix seconds, or in TOML"),
        ({"expires_at": datetime.datetime(2030, 1, 1)}, "x.expires_at: datetime.datetime("),  # noqa: DTZ001
        ({"expires_at": -1}, "x.expires_at: -1 is no time"),
        ({"expires_at": float("nan")}, "x.expires_at: nan is no time"),
        ({"expires_at": True}, "x.expires_at: True is no time"),
        ({"quotas": 5}, "x.quotas: the quotas: a value of type int stands where a table of message_rate, "),
        ({"quotas": {"max": 5}}, "x.quotas: the quotas: unknown key 'max'; there are message_rate, "),
        ({"quotas": {"max_sessions": 1.5}}, "x.quotas: the quotas.max_sessions: 1.5 is no whole number"),
        ({"quotas": {"max_sessions": True}}, "x.quotas: the quotas.max_sessions: True is no whole number"),
        ({"quotas": {"message_rate": "5"}}, "x.quotas: the quotas.message_rate: '5' is no number a second"),
        ({"label": ["a"]}, "x.label: this is no text"),
    ],
)
def test_what_will_not_do_is_one_clear_error(change: dict[str, Any], says: str) -> None:
    """Where, what, and what would do."""
    with pytest.raises(ConfigError) as caught:
        read_record(SMALLEST | change, "x")
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize("value", [None, [], "bamboo_a_secret", 5])
def test_what_is_no_table_is_refused_without_being_shown(value: object) -> None:
    """It could be a token that somebody put there."""
    with pytest.raises(ConfigError, match=r"x: a value of type .* stands where a table of id, ") as caught:
        read_record(value, "x")
    assert "secret" not in str(caught.value)


def test_a_secret_in_the_place_of_a_digest_is_not_shown() -> None:
    """The likeliest slip of all."""
    with pytest.raises(ConfigError) as caught:
        read_record(SMALLEST | {"digest": "bamboo_a_secret"}, "x")
    assert "secret" not in str(caught.value)


def test_it_makes_a_principal() -> None:
    """With all that a connection is held to, and the token that it has shown."""
    record = TokenRecord(
        "a", "ann", frozenset({Scope.CHAT}), DIGEST, 1.0, 2.0, Quotas(max_sessions=5), "phone"
    )
    expected = Principal("ann", frozenset({Scope.CHAT}), 2.0, Quotas(max_sessions=5), "a", DIGEST)
    assert record.principal() == expected


def test_it_is_over_when_it_expires() -> None:
    """From that moment on; without one, never."""
    record = read_record(SMALLEST | {"expires_at": 10}, "x")
    assert [record.is_over(now) for now in (9.9, 10.0, 11.0)] == [False, True, True]
    assert not attrs.evolve(record, expires_at=None).is_over(1e12)


def test_scopes_are_written_in_their_order() -> None:
    """Whatever the order of a set is today."""
    assert scope_names(frozenset(Scope)) == [str(scope) for scope in Scope]


def test_its_repr_is_without_the_digest() -> None:
    """It goes into logs and tracebacks."""
    assert DIGEST not in repr(read_record(SMALLEST, "x"))
