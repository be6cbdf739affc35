"""
A process whose files may not grow beyond a limit, until they may: `python -m tests.storage.full_disk PATH`.

It prints the error, then what is there after the same batch was committed once more.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import trio

from bamboo_gateway.errors import StorageError
from bamboo_gateway.session.effects import SaveSession
from tests.storage.stage import opened, seqs, session, tokens

LIMIT = 300_000


async def fill(path: Path) -> None:
    """Commit until it fails; then make room, and go on."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
        last = 0
        try:
            while True:
                await storage.commit(tokens(range(last + 1, last + 101), text="x" * 100))
                last += 100
        except StorageError as error:
            sys.stdout.write(f"{error}\n")
        for _ in range(3):
            try:
                await storage.commit(tokens([last + 1], text="x" * 9_000))
            except StorageError:
                assert await seqs(storage) == list(range(1, last + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await storage.commit(tokens(range(last + 1, last + 101), text="x" * 100))
        assert await seqs(storage) == list(range(1, last + 101))
        sys.stdout.write(f"{last + 100}\n")


if __name__ == "__main__":
    trio.run(fill, Path(sys.argv[1]))
