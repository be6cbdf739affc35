"""How large the tests are that can be of any size: small in `make check`, large in `make soak`."""

from __future__ import annotations

import os

HANG = 60.0
"""Seconds after which a test that waits in vain fails: on a busy machine a start takes some."""


def is_soak() -> bool:
    """Has `make soak` started the tests?"""
    return bool(os.environ.get("BAMBOO_SOAK"))
