"""`bamboo-gateway token`: who may come in, as the tokens file of a gateway has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import click

from ..errors import ConfigError
from ..identity.token import Token, make_token
from ..identity.tokens_file import editing, read_tokens
from ..principal import Quotas, Scope
from ..token_record import TokenRecord, read_record, scope_names, write_record
from . import token_text
from .duration_type import DurationType
from .plain_text import to_json
from .tokens_path import tokens_path

_Command: TypeAlias = Callable[..., None]
_Option: TypeAlias = Callable[[_Command], _Command]

_DEFAULT_SCOPES = (Scope.CHAT, Scope.SESSIONS_READ, Scope.SESSIONS_WRITE)
"""What a person's client needs; whatever reaches others is said on purpose."""


@click.group("token")
def command() -> None:
    """
    Make, list, revoke and rotate the tokens of a gateway.

    They stand in a file, without their secrets. A gateway that runs sees a
    change within a second: who has shown a token that was revoked or rotated is
    let go (4006).
    """


_path: _Option = click.option(
    "--tokens",
    "given",
    metavar="PATH",
    envvar="BAMBOO_TOKENS",
    show_envvar=True,
    help="The file; `tokens.json` in this user's data folder, where left out.",
)
_json: _Option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_id: _Option = click.argument("token_id", metavar="ID")


def _expires(otherwise: str) -> _Option:
    return click.option(
        "--expires",
        type=DurationType(fault="it would have expired at once"),
        metavar="DURATION",
        help=f"How long it holds from now on: `12h`, `90d`; {otherwise}.",
    )


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with a file or a value is told in a line."""
    try:
        yield
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


def _show(record: TokenRecord, token: Token, *, as_json: bool) -> None:
    """The secret alone is on stdout: `TOKEN=$(bamboo-gateway token create …)`."""
    click.echo(to_json(token_text.public(record) | {"token": token.text}) if as_json else token.text)


def _unknown(token_id: str, path: Path) -> click.ClickException:
    return click.ClickException(f"there is no token {token_id} in {path}; `token list` names them")


# ── create ───────────────────────────────────────────────────────────────────


@command.command("create")
@click.option(
    "--user", "user_id", metavar="USER", required=True, help="Whose it is: sessions belong to users."
)
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([str(scope) for scope in Scope]),
    metavar="SCOPE",
    multiple=True,
    default=[str(scope) for scope in _DEFAULT_SCOPES],
    help=f"What it allows: {', '.join(Scope)}. Left out: {', '.join(_DEFAULT_SCOPES)}.",
)
@_expires("left out: for ever")
@click.option("--label", metavar="TEXT", help="What it is for, to tell it from the others.")
@click.option(
    "--message-rate", type=float, metavar="N", help="Messages a second of this user; 0: any number."
)
@click.option("--max-sessions", type=int, metavar="N", help="Sessions of this user; 0: any number.")
@click.option("--max-channels", type=int, metavar="N", help="Channels of this user; 0: any number.")
@click.option(
    "--max-queued-chats", type=int, metavar="N", help="Chats of this user that run or wait; 0: any number."
)
@click.option(
    "--toml",
    "as_toml",
    is_flag=True,
    help="Write no file: an entry for the settings file goes to stderr.",
)
@_json
@_path
def create_token(
    scopes: Sequence[str], *, expires: float | None, given: str | None, as_json: bool, **fields: Any
) -> None:
    """
    Make a token.

    The token is the one line on stdout. It is shown this once: what is stored
    of it does not tell it. All else goes to stderr.
    """
    as_toml = fields.pop("as_toml")
    quotas = Quotas(**{field.name: fields.pop(field.name) for field in attrs.fields(Quotas)})
    now = time.time()
    token = make_token()
    with _told():
        record = TokenRecord(
            token.id,
            scopes=frozenset(map(Scope, scopes)),
            digest=token.digest,
            created_at=int(now),
            expires_at=None if expires is None else int(now + expires),
            quotas=quotas,
            **fields,
        )
        read_record(write_record(record), "token")
        if as_toml:
            click.echo(token_text.toml(record), err=True)
        else:
            _store(record, tokens_path(given), now)
    _show(record, token, as_json=as_json)


def _store(record: TokenRecord, path: Path, now: float) -> None:
    is_new = not path.exists()
    with editing(path) as tokens:
        if record.id in tokens:  # one in four thousand million
            raise ConfigError(f"the id {record.id} is another token's; try again")
        tokens[record.id] = record
    click.echo(
        f"token {record.id} of {record.user_id} is in {path}: {', '.join(scope_names(record.scopes))}; "
        f"expires: {token_text.expiry(record, now)}",
        err=True,
    )
    if is_new:
        click.echo("from now on, a gateway with this file asks everybody for a token", err=True)


# ── list ─────────────────────────────────────────────────────────────────────


@command.command("list")
@_json
@_path
def list_tokens(given: str | None, *, as_json: bool) -> None:
    """List the tokens, oldest first, without their secrets."""
    with _told():
        path = tokens_path(given)
        records = read_tokens(path) if path.exists() else ()
    if as_json:
        for record in records:
            click.echo(to_json(token_text.public(record)))
    elif records:
        click.echo("\n".join(token_text.rows(records, time.time())))
    else:
        click.echo(f"there are no tokens in {path}", err=True)


# ── revoke, rotate ───────────────────────────────────────────────────────────


@command.command("revoke")
@_id
@_path
def revoke_token(token_id: str, given: str | None) -> None:
    """Revoke a token: nobody comes in with it, and who has is let go."""
    with _told():
        path = tokens_path(given)
        with editing(path) as tokens:
            if tokens.pop(token_id, None) is None:
                raise _unknown(token_id, path)
    click.echo(f"token {token_id} is revoked", err=True)


@command.command("rotate")
@_id
@_expires("left out: as before")
@_json
@_path
def rotate_token(token_id: str, *, expires: float | None, given: str | None, as_json: bool) -> None:
    """
    Give a token a new secret: the old one no longer holds.

    Who has come in with that is let go, and has to show the new one, which is
    the one line on stdout.
    """
    now = time.time()
    token = make_token(token_id)
    with _told():
        path = tokens_path(given)
        with editing(path) as tokens:
            old = tokens.get(token_id)
            if old is None:
                raise _unknown(token_id, path)
            if expires is None and old.is_over(now):
                raise ConfigError(
                    f"the token {token_id} has expired; say --expires, for how long it shall hold"
                )
            expires_at = old.expires_at if expires is None else int(now + expires)
            record = attrs.evolve(old, digest=token.digest, created_at=int(now), expires_at=expires_at)
            tokens[token_id] = record
    click.echo(f"token {token_id} of {record.user_id} has a new secret", err=True)
    _show(record, token, as_json=as_json)
