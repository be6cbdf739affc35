"""The real command line behind every test here, and the tools that some of them need."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import Serving, serving

NODE_FOLDER = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Serving]:
    """`bamboo-gateway serve`, with nothing but a port of the system's choice."""
    with serving() as served:
        yield served
        code, _, log = served.stop()
        assert (code, "Traceback" in log) == (0, False), log


@pytest.fixture(scope="module")
def locked() -> Iterator[Serving]:
    """The same, which asks for the token `sesame`."""
    with serving("--auth-token", "sesame") as served:
        yield served
        assert served.stop()[0] == 0


@pytest.fixture(scope="session")
def node() -> str:
    """The Node program, where it has `ws`; without, the test is skipped, or fails if none may be."""
    program = shutil.which("node")
    if program and (NODE_FOLDER / "node_modules" / "ws").is_dir():
        return program
    reason = "needs node, and `npm ci` in tests/integration/node"
    if os.environ.get("BAMBOO_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)
