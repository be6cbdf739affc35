"""What a person has typed in earlier talks, in a file that is theirs alone."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from prompt_toolkit.history import History

MAX_LINES = 1000
"""Entries kept; the oldest go first."""

MAX_BYTES = 64 * 1024
"""Of one entry: more was pasted, and not typed."""

_TOKEN = re.compile(r"bamboo_[0-9a-f]{8}_|\b(Bearer|sk-|ghp_|eyJ[\w-]{20})")
"""How tokens begin, ours and those that people have most of."""


class InputHistory(History):
    """
    Keeps entries in *path*, a JSON text a line.

    Invariant: nothing that looks like a token gets there, nor any of *secrets*.
    A file that cannot be read or written is as good as none.
    """

    def __init__(self, path: Path, secrets: Iterable[str | None] = ()) -> None:
        super().__init__()
        self._path = path
        self._secrets = [secret for secret in secrets if secret]

    def load_history_strings(self) -> Iterable[str]:
        """Read the entries, newest first."""
        entries = self._read()
        if len(entries) > MAX_LINES:
            self._write(entries[-MAX_LINES:])
        return reversed(entries[-MAX_LINES:])

    def store_string(self, string: str) -> None:
        """Add an entry, if it may be kept."""
        if self._is_secret(string) or len(string.encode(errors="replace")) > MAX_BYTES:
            return
        with suppress(OSError), _open(self._path, os.O_APPEND) as file:
            file.write(json.dumps(string) + "\n")

    def _is_secret(self, text: str) -> bool:
        return _TOKEN.search(text) is not None or any(secret in text for secret in self._secrets)

    def _read(self) -> list[str]:
        try:
            lines = self._path.read_text(errors="replace").splitlines()
        except OSError:
            return []
        entries: list[str] = []
        for line in lines:
            with suppress(ValueError):  # it was cut off, or somebody has edited it
                entry = json.loads(line)
                if isinstance(entry, str):
                    entries.append(entry)
        return entries

    def _write(self, entries: Iterable[str]) -> None:
        new = self._path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            with _open(new, os.O_TRUNC) as file:
                file.writelines(json.dumps(entry) + "\n" for entry in entries)
            new.replace(self._path)


def _open(path: Path, flag: int) -> TextIO:
    """Open *path* to write, for this user alone, with the folders that it needs."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | flag, 0o600)
    os.fchmod(fd, 0o600)
    return os.fdopen(fd, "w")


def history_path() -> Path:
    """Where it is: the platform's place for a user's state."""
    import platformdirs  # noqa: PLC0415 -- only a talk in a terminal needs it

    return platformdirs.user_state_path("bamboo-gateway", appauthor=False) / "chat-history.jsonl"
