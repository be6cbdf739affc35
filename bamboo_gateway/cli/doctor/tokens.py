"""Is the tokens file one that a gateway takes, and does any token in it still hold?"""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...errors import ConfigError
from ...identity.tokens_file import read_tokens
from ...token_record import TokenRecord
from .. import figures
from .finding import Finding, fault, warning, well

_ABOUT = "tokens"


def judge(path: Path, records: Sequence[TokenRecord], mode: int, now: float) -> Iterator[Finding]:
    """Tell of the tokens in a file, and of its *mode*."""
    over = [record for record in records if record.is_over(now)]
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        text = f"others may read {path}: no token can be made of it, but it names your users"
        yield warning(_ABOUT, text, f"chmod 600 {path}")
    if len(over) == len(records):
        text = f"{path} has no token that holds, so nobody can come in by one"
        yield warning(_ABOUT, text, "make one: bamboo-gateway token create --user NAME")
    elif over:
        ids = ", ".join(each.id for each in over)
        text = f"{len(over)} of {len(records)} tokens in {path} have expired: {ids}"
        yield warning(
            _ABOUT, text, "take them out: bamboo-gateway token revoke ID; or renew them: token rotate ID"
        )
    else:
        yield well(_ABOUT, f"{path} has {figures.counted(len(records), 'token')}")


def look(path: Path, *, is_required: bool, is_asked_otherwise: bool) -> Iterator[Finding]:
    """Read the file at *path*, if there is one."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        yield absent(path, is_required=is_required, is_asked_otherwise=is_asked_otherwise)
        return
    except OSError as error:
        text = f"{path}: {error.strerror}"
        yield fault(_ABOUT, text, "it must be a file that this user may read")
        return
    try:
        records = read_tokens(path)
    except ConfigError as error:
        text, _, remedy = str(error).partition("; ")
        yield fault(_ABOUT, text, remedy)
        return
    yield from judge(path, records, mode, time.time())


def absent(path: Path, *, is_required: bool, is_asked_otherwise: bool) -> Finding:
    """Tell what it means that there is no file."""
    if is_required and not is_asked_otherwise:
        text = f"{path} is not there, and nobody can come in without it"
        return warning(_ABOUT, text, f"make a token: bamboo-gateway token create --user NAME --tokens {path}")
    return well(_ABOUT, f"there is no {path}")
