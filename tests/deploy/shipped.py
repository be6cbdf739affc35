"""The files of `deploy/`, and how a test makes them its own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.process import ROOT

DEPLOY = ROOT / "deploy"


def shipped(name: str, changes: Mapping[str, str] | None = None) -> str:
    """The text of a file, with places and ports replaced; what is not there cannot be, and fails."""
    text = (DEPLOY / name).read_text()
    for old, new in (changes or {}).items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def program(name: str) -> str:
    """Where a program is; without it the test is skipped, or fails if none may be."""
    folders = (str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin")
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found:
        return found
    reason = f"needs {name}"
    if os.environ.get("BAMBOO_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)
