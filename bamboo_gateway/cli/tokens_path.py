"""Where the tokens file is."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError
from ..storage.location import default_path


def tokens_path(given: str | None) -> Path:
    """
    The file that `--tokens` names; where that was left out, the one beside the sessions of this user.

    Raises:
        ConfigError: `~` stands for nobody's home.
    """
    if given is None:
        return default_path().with_name("tokens.json")
    try:
        return Path(given).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"tokens: {given:.80}: {error}") from error
