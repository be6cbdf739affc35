"""Storage in memory, beyond what every storage promises (see `tests/contracts/test_storage.py`)."""

from __future__ import annotations

from bamboo_gateway.session.effects import SaveSession
from bamboo_gateway.session.log import LogLimits
from bamboo_gateway.session.session import Session
from bamboo_gateway.storage.memory import MemoryStorage
from tests.session.test_live import BORN

LIMITS = LogLimits(max_events=9, max_bytes=999)


async def test_it_outlives_the_gateway_that_used_it() -> None:
    """Closing lets go of nothing: a second gateway in the process finds the sessions of the first."""
    storage = MemoryStorage()
    session = Session("s1", "ann", BORN, BORN)
    before = await storage.open(LIMITS)
    await storage.commit([SaveSession(session)])
    await storage.aclose()
    after = await storage.open(LIMITS)
    assert (after.epoch, after.sessions) == (before.epoch, {"ann": 1})
    assert [each.id for each in await storage.list(None, -1, 9)] == ["s1"]
