"""The files of `deploy/`, and how a test makes them its own."""

from __future__ import annotations

from collections.abc import Mapping

from tests.cli.process import ROOT

DEPLOY = ROOT / "deploy"


def shipped(name: str, changes: Mapping[str, str] | None = None) -> str:
    """The text of a file, with places and ports replaced; what is not there cannot be, and fails."""
    text = (DEPLOY / name).read_text()
    for old, new in (changes or {}).items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text
