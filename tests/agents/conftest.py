"""What all tests of agents need."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is reached directly, whatever the machine says about proxies."""
    monkeypatch.setenv("NO_PROXY", "*")
