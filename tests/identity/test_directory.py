from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

import attrs
import pytest
from structlog.testing import capture_logs

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.errors import ConfigError
from bamboo_gateway.identity.directory import TokenDirectory
from bamboo_gateway.identity.token import Token, make_token
from bamboo_gateway.identity.tokens_file import TokensFileError, editing
from bamboo_gateway.principal import LOCAL, Credentials, Principal, Quotas, Scope
from bamboo_gateway.token_record import TokenRecord

NOW = 1_700_000_000.0


def record(token: Token, user_id: str = "ann", **fields: Any) -> TokenRecord:
    """What is known of *token*."""
    plain = TokenRecord(token.id, user_id, frozenset({Scope.CHAT}), token.digest)
    return attrs.evolve(plain, **fields)


def put(path: Path, *records: TokenRecord) -> None:
    """Have the file hold exactly *records*."""
    with editing(path) as tokens:
        tokens.clear()
        tokens.update({each.id: each for each in records})


async def whose(directory: TokenDirectory, token: Token | str | None) -> Principal | None:
    """Who shows *token*."""
    text = token.text if isinstance(token, Token) else token
    return await directory(Credentials(text))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a file that is not there yet."""
    return tmp_path / "tokens.json"


# ── who it is ────────────────────────────────────────────────────────────────


async def test_without_tokens_nobody_is_asked(path: Path) -> None:
    """As in the seed: everybody is the operator."""
    for directory in (TokenDirectory(GatewayConfig()), TokenDirectory(GatewayConfig(), path)):
        assert not directory.asks
        assert await whose(directory, None) is LOCAL
        assert await whose(directory, "anything") is LOCAL
        assert directory.still_holds(LOCAL)


async def test_each_token_is_its_users(path: Path) -> None:
    """From the file as from the settings; anything else is nobody's."""
    ann, bob = make_token(), make_token()
    put(path, record(ann, quotas=Quotas(max_sessions=1), expires_at=NOW + 1))
    config = GatewayConfig(principals=(record(bob, "bob"),), auth_token="sesame")
    directory = TokenDirectory(config, path, clock=lambda: NOW)
    assert directory.asks
    scopes = frozenset({Scope.CHAT})
    assert await whose(directory, ann) == Principal(
        "ann", scopes, NOW + 1, Quotas(max_sessions=1), ann.id, ann.digest
    )
    assert await whose(directory, bob) == Principal("bob", scopes, None, Quotas(), bob.id, bob.digest)
    operator = await whose(directory, "sesame")
    assert operator is not None
    assert operator.is_operator
    for wrong in (None, "", "sesam", ann.text[:-1], ann.text + "x", ann.digest, make_token(ann.id), "\ud800"):
        assert await whose(directory, wrong) is None


async def test_a_token_that_has_expired_is_nobodys(path: Path) -> None:
    """From that moment on."""
    token, now = make_token(), NOW
    put(path, record(token, expires_at=NOW + 10))
    directory = TokenDirectory(GatewayConfig(), path, clock=lambda: now)
    principal = await whose(directory, token)
    assert principal is not None
    assert directory.still_holds(principal)
    now += 10
    assert await whose(directory, token) is None
    assert not directory.still_holds(principal)


async def test_a_file_without_tokens_lets_nobody_in(path: Path) -> None:
    """It is there, so identity is asked; so it is where the file is named, and not there yet."""
    put(path)
    directory = TokenDirectory(GatewayConfig(), path)
    named = TokenDirectory(GatewayConfig(), path.with_name("other.json"), is_required=True)
    for each in (directory, named):
        assert each.asks
        assert await whose(each, None) is None
        assert not each.still_holds(LOCAL)


def test_one_id_is_one_token(path: Path) -> None:
    """Whether in the settings or in the file; which one counts must not be a matter of luck."""
    token = make_token()
    put(path, record(token))
    with pytest.raises(ConfigError, match="two tokens have the id"):
        GatewayConfig(principals=(record(token), record(token)))
    config = GatewayConfig(principals=(record(token, "bob"),))
    with pytest.raises(TokensFileError, match=f"tokens.json: there are two tokens with the id {token.id}"):
        TokenDirectory(config, path)


def test_a_wrong_file_is_told_at_the_start(path: Path) -> None:
    """Before anybody has connected."""
    path.write_text("{")
    path.chmod(0o600)
    with pytest.raises(TokensFileError, match="no JSON"):
        TokenDirectory(GatewayConfig(), path)


# ── changes ──────────────────────────────────────────────────────────────────


async def test_it_sees_what_becomes_of_the_file(path: Path) -> None:
    """Created, revoked and rotated; the last token that goes leaves nobody in."""
    ann, bob = make_token(), make_token()
    put(path, record(ann))
    directory = TokenDirectory(GatewayConfig(), path)
    directory.refresh()
    assert not directory.refresh()
    was_ann = await whose(directory, ann)
    assert was_ann is not None

    put(path, record(ann), record(bob, "bob"))
    assert directory.refresh()
    assert not directory.refresh()
    assert await whose(directory, bob)
    assert directory.still_holds(was_ann)

    rotated = make_token(ann.id)
    put(path, record(rotated))
    assert directory.refresh()
    assert not directory.still_holds(was_ann)
    assert await whose(directory, ann) is None
    is_ann = await whose(directory, rotated)
    assert is_ann is not None
    assert directory.still_holds(is_ann)

    put(path)
    assert directory.refresh()
    assert not directory.still_holds(is_ann)
    assert await whose(directory, None) is None
    assert directory.asks


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({"scopes": frozenset()}, False),
        ({"scopes": frozenset({Scope.CHAT, Scope.ADMIN})}, False),
        ({"expires_at": NOW}, False),
        ({"user_id": "bob"}, False),
        ({"label": "phone"}, True),
        ({"quotas": Quotas(max_sessions=1)}, True),
    ],
)
async def test_a_principal_holds_while_its_token_says_the_same(
    path: Path, change: dict[str, Any], holds: bool
) -> None:
    """Whose it is, what it allows and for how long; its name for people is no matter."""
    token = make_token()
    put(path, record(token))
    directory = TokenDirectory(GatewayConfig(), path)
    principal = await whose(directory, token)
    assert principal is not None
    put(path, record(token, **change))
    assert directory.refresh()
    assert directory.still_holds(principal) is holds


async def test_a_file_that_cannot_be_read_withdraws_nothing(path: Path) -> None:
    """What was last read holds, the log says so once; and mended, it holds again."""
    token = make_token()
    put(path, record(token))
    directory = TokenDirectory(GatewayConfig(), path)
    principal = await whose(directory, token)
    assert principal is not None
    directory.refresh()
    path.write_text('{"version": 1, "tokens": [')
    with capture_logs() as logs:
        assert not any(directory.refresh() for _ in range(5))
    [line] = logs
    assert (line["event"], line["tokens"]) == ("tokens file not read", "as before")
    assert directory.still_holds(principal)
    assert await whose(directory, token) == principal
    assert await whose(directory, None) is None
    path.unlink()
    put(path)
    assert directory.refresh()
    assert not directory.still_holds(principal)


async def test_a_folder_that_is_none_withdraws_nothing(path: Path) -> None:
    """Nobody knows whether the file is there."""
    token, place = make_token(), path.parent / "data" / "tokens.json"
    put(place, record(token))
    directory = TokenDirectory(GatewayConfig(), place)
    place.parent.rename(path.parent / "away")
    place.parent.touch()
    with capture_logs() as logs:
        directory.refresh()
        directory.refresh()
    assert [line["event"] for line in logs] == ["tokens file not read"]
    assert await whose(directory, token)


async def test_a_file_that_is_gone_lets_nobody_in(path: Path) -> None:
    """Its tokens went with it, and nothing is open for that; when it is back, so are they."""
    token = make_token()
    put(path, record(token))
    directory = TokenDirectory(GatewayConfig(), path)
    principal = await whose(directory, token)
    assert principal is not None
    path.rename(path.with_name("away"))
    with capture_logs() as logs:
        assert directory.refresh()
        assert not directory.refresh()
    assert [line["event"] for line in logs] == ["tokens file is gone: its tokens hold no longer"]
    assert not directory.still_holds(principal)
    assert await whose(directory, token) is None
    assert directory.asks
    path.with_name("away").rename(path)
    assert directory.refresh()
    assert directory.still_holds(principal)


async def test_a_first_token_closes_the_door(path: Path) -> None:
    """A gateway that asked nobody does so from the moment on at which there is a file."""
    directory = TokenDirectory(GatewayConfig(), path)
    directory.refresh()
    token = make_token()
    put(path, record(token))
    assert directory.refresh()
    assert directory.asks
    assert not directory.still_holds(LOCAL)
    assert await whose(directory, None) is None
    path.unlink()
    directory.refresh()
    assert directory.asks


async def test_a_file_as_large_and_as_old_is_seen_all_the_same(path: Path) -> None:
    """A change within one tick of the clock, put back by a tool that keeps times."""
    ann, bob = make_token("same"), make_token("same")
    put(path, record(ann))
    directory = TokenDirectory(GatewayConfig(), path)
    directory.refresh()
    before = path.stat()
    put(path, record(bob))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert directory.refresh()
    assert await whose(directory, ann) is None


# ── settings that are read anew ──────────────────────────────────────────────


async def test_new_settings_hold_at_once() -> None:
    """Another `auth_token`, other principals; what they no longer have is withdrawn."""
    token = make_token()
    directory = TokenDirectory(GatewayConfig(auth_token="sesame", principals=(record(token),)))
    directory.refresh()
    operator, ann = await whose(directory, "sesame"), await whose(directory, token)
    assert operator is not None
    assert ann is not None
    directory.configure(GatewayConfig(auth_token="sesame"))
    assert directory.refresh()
    assert directory.still_holds(operator)
    assert not directory.still_holds(ann)
    directory.configure(GatewayConfig(auth_token="open"))
    assert not directory.still_holds(operator)
    assert await whose(directory, "sesame") is None
    assert await whose(directory, "open")
    directory.configure(GatewayConfig())
    assert directory.asks
    assert await whose(directory, "open") is None


async def test_settings_that_will_not_do_change_nothing(path: Path) -> None:
    """A token that is in the file already."""
    token = make_token()
    put(path, record(token))
    directory = TokenDirectory(GatewayConfig(auth_token="sesame"), path)
    with pytest.raises(ConfigError, match="two tokens with the id"):
        directory.configure(GatewayConfig(principals=(record(token, "bob"),)))
    assert await whose(directory, "sesame")
    ann = await whose(directory, token)
    assert ann is not None
    assert ann.user_id == "ann"


async def test_the_time_says_nothing(path: Path) -> None:
    """Digests are compared by the function that takes the same time however wrong a token is."""
    assert TokenDirectory.__call__.__code__.co_names.count("compare_digest") == 1


async def test_a_change_that_could_not_be_read_is_read_later(path: Path) -> None:
    """For want of a descriptor, say: `stat` needs none, so what it says is kept only of what was read."""
    ann = make_token()
    put(path, record(ann))
    directory = TokenDirectory(GatewayConfig(), path)
    directory.refresh()
    put(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with capture_logs() as logs:
            assert not any(directory.refresh() for _ in range(3))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [line["event"] for line in logs] == ["tokens file not read"]
    assert await whose(directory, ann) is not None
    assert directory.refresh()
    assert await whose(directory, ann) is None


async def test_a_conflict_that_is_mended_in_the_settings_lets_the_file_be_read(path: Path) -> None:
    """Whichever side is mended: what was withdrawn in the same stroke is withdrawn."""
    ann, bob = make_token(), make_token()
    put(path, record(ann))
    directory = TokenDirectory(GatewayConfig(principals=(record(bob),)), path)
    directory.refresh()
    put(path, record(bob))
    assert not directory.refresh()
    assert await whose(directory, ann) is not None
    directory.configure(GatewayConfig())
    assert directory.refresh()
    assert await whose(directory, ann) is None


def test_a_file_of_no_use_is_read_once(path: Path) -> None:
    """And so whatever is to be said of it is said once, and not at each look, until it changes."""
    put(path, record(make_token()))
    directory = TokenDirectory(GatewayConfig(), path)
    directory.refresh()
    path.write_text("no tokens")
    path.chmod(0o644)
    with capture_logs() as logs:
        assert not any(directory.refresh() for _ in range(5))
    assert sorted(line["event"] for line in logs) == [
        "tokens file may be read by others",
        "tokens file not read",
    ]
