"""Storage in memory, beyond what every storage promises (see `tests/contracts/test_storage.py`)."""

from __future__ import annotations

from bamboo_gateway.session.effects import SaveSession
from bamboo_gateway.session.session import Session
from bamboo_gateway.storage.memory import MemoryStorage
from tests.session.test_live import BORN


async def test_it_outlives_the_gateway_that_used_it() -> None:
    """Closing lets go of nothing: a second gateway in the process finds the sessions of the first."""
    storage = MemoryStorage()
    session = Session("s1", "ann", BORN, BORN)
    await storage.commit([SaveSession(session)])
    await storage.aclose()
    assert await storage.load() == [session]
