"""The same eight steps, as a client written in Node with `ws` goes through them."""

from __future__ import annotations

import subprocess

import pytest

from tests.cli.process import HANG, Serving
from tests.integration.conftest import NODE_FOLDER
from tests.plain_wire import DialectName

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("dialect", ["tagged", "serde"])
@pytest.mark.parametrize("protocol", [1, 2])
def test_node_goes_through_the_eight_steps(
    gateway: Serving, node: str, dialect: DialectName, protocol: int
) -> None:
    """The script, which checks each step by itself, comes to its end."""
    script = subprocess.run(
        [node, "lifecycle.mjs", gateway.url, dialect, str(protocol)],
        cwd=NODE_FOLDER,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert (script.returncode, script.stderr) == (0, "")
    assert [line.split(".")[0] for line in script.stdout.splitlines()] == list("12345678")
