"""A process that writes until it is killed, telling of each commit: `python -m tests.storage.writer PATH`."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from bamboo_gateway.session.effects import SaveSession
from tests.storage.stage import opened, seqs, session, tokens

BATCH = 7


async def write(path: Path) -> None:
    """Commit batches, and print the last number of each when it is committed."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
        found = await seqs(storage)
        last = found[-1] if found else 0
        while True:
            await storage.commit(tokens(range(last + 1, last + 1 + BATCH)))
            last += BATCH
            sys.stdout.write(f"{last}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    trio.run(write, Path(sys.argv[1]))
