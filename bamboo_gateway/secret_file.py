"""Secrets that stand in a file of their own, as systemd's credentials and the secrets of containers do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .errors import ConfigError

MAX_BYTES = 64 * 1024
"""Of such a file: a secret is one line, and whoever names a disk by mistake shall be told so."""


def read_secret(name: str, environ: Mapping[str, str]) -> str | None:
    """
    The variable *name*, or the text of the file that *name*`_FILE` names; None where both are unset or empty.

    Raises:
        ConfigError: Both are set, or the file cannot be used. No text repeats what is secret.
    """
    text, path = environ.get(name), environ.get(f"{name}_FILE")
    if not path:
        return text or None
    if text:
        raise ConfigError(f"{name} and {name}_FILE are both set; take one of them away")
    try:
        with Path(path).open("rb") as file:
            secret = file.read(MAX_BYTES + 1).decode().strip()
    except OSError as error:
        raise ConfigError(f"{name}_FILE: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}_FILE: {path}: it is no text") from None
    if not secret or len(secret) > MAX_BYTES:
        raise ConfigError(f"{name}_FILE: {path}: it must hold the secret, and nothing else")
    return secret
