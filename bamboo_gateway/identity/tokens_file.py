"""The file of tokens: read by the gateway whenever it has changed, written by `bamboo-gateway token`."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from ..errors import ConfigError, InvalidMessageError
from ..protocol import strict_json
from ..protocol.messages import Json
from ..token_record import TokenRecord, read_record, write_record

log = structlog.get_logger(__name__)

VERSION = 1
"""Of the file's form."""


class TokensFileError(ConfigError):
    """The tokens file cannot be used; the text says what, where and how to fix it."""


def read_tokens(path: Path) -> Sequence[TokenRecord]:
    """
    Read the tokens in *path*, in the order in which they were made.

    Raises:
        TokensFileError: It cannot be read, is no tokens file, or others may write it.
    """
    try:
        with path.open(encoding="utf-8") as file:
            _check_mode(path, os.fstat(file.fileno()).st_mode)
            text = file.read()
    except OSError as error:
        raise TokensFileError(
            f"{path}: {error.strerror}; it must be a file that this user may read"
        ) from error
    except UnicodeDecodeError as error:
        raise _no_tokens_file(path, "it is no text") from error
    try:
        return _parse(text)
    except (ConfigError, InvalidMessageError) as error:
        raise _no_tokens_file(path, str(error)) from None


def _check_mode(path: Path, mode: int) -> None:
    """
    Refuse a file that others may write, and warn of one that they may read.

    Who may write it can make a token, and be anybody. Who may read it learns
    names, and digests of which no token can be made: that is worth a word, and
    not an outage.
    """
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise TokensFileError(f"{path}: others may write it, and so let in whom they like; chmod 600 it")
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        log.warning("tokens file may be read by others", path=str(path), remedy="chmod 600")


def _parse(text: str) -> Sequence[TokenRecord]:
    value = strict_json.parse(text)
    if not isinstance(value, dict) or not isinstance(value.get("tokens"), list):
        raise ConfigError('it is no object with a list of "tokens"')
    if value.get("version") != VERSION:
        raise ConfigError(
            f"its version is {value.get('version')!r:.40}, and this gateway reads version {VERSION}"
        )
    return list(index(read_record(each, f"tokens[{n}]") for n, each in enumerate(value["tokens"])).values())


def index(records: Iterable[TokenRecord]) -> Mapping[str, TokenRecord]:
    """
    The *records* by their ids.

    Raises:
        ConfigError: Two have the same.
    """
    found: dict[str, TokenRecord] = {}
    for record in records:
        if record.id in found:
            raise ConfigError(f"there are two tokens with the id {record.id}; take one of them out")
        found[record.id] = record
    return found


def _no_tokens_file(path: Path, why: str) -> TokensFileError:
    return TokensFileError(
        f"{path}: {why}; mend it, restore a copy, or move it away and make tokens anew "
        "(bamboo-gateway token create)"
    )


# ── writing ──────────────────────────────────────────────────────────────────


@contextmanager
def editing(path: Path) -> Iterator[dict[str, TokenRecord]]:
    """
    Let the block change the tokens in *path* by their ids; written when it ends well.

    Waits for another writer. Who reads meanwhile finds all of the old file, or
    all of the new one.

    Raises:
        TokensFileError: It cannot be read or written.
    """
    try:
        path = path.resolve()  # a link stays one
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _lock(path):
            tokens = dict(index(read_tokens(path) if path.exists() else ()))
            yield tokens
            _write(path, [write_record(record) for record in tokens.values()])
    except OSError as error:
        raise TokensFileError(
            f"{path}: {error.strerror}; its folder must be one that this user may write"
        ) from error


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Be the only writer; the lock is on a file beside it, because the file itself is replaced."""
    fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _write(path: Path, records: Sequence[Json]) -> None:
    """Put a whole new file in the place of the old one, which keeps its owner and its mode."""
    text = json.dumps({"version": VERSION, "tokens": records}, indent=2, ensure_ascii=False)
    fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # for this user alone
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            with suppress(FileNotFoundError):
                old = path.stat()
                # By root, say: the gateway must still be able to read it.
                os.fchown(fd, old.st_uid, old.st_gid)
                os.fchmod(fd, stat.S_IMODE(old.st_mode))
            file.write(f"{text}\n")
            file.flush()
            os.fsync(fd)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # so that a revoked token is not back after a power cut
    finally:
        os.close(folder)
