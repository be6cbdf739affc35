"""What was measured, as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from .results import Measurement, Result, Target


@attrs.frozen
class Saved:
    """One run of the benchmarks."""

    machine: Mapping[str, str]
    """Where it was measured, and with which versions: name → value."""
    subjects: Mapping[str, str]
    """Who was compared → what it did."""
    results: Sequence[Result]


def save(path: Path, saved: Saved) -> None:
    """Write *path*, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(attrs.asdict(saved), indent=1, ensure_ascii=False)
    path.write_text(text + "\n")


def load(path: Path) -> Saved:
    """Read what `save` has written."""
    saved = json.loads(path.read_text())
    results = [_result(each) for each in saved["results"]]
    return Saved(saved["machine"], saved["subjects"], results)


def _result(saved: dict[str, Any]) -> Result:
    return Result(saved["name"], saved["title"], [_measurement(each) for each in saved["measurements"]])


def _measurement(saved: dict[str, Any]) -> Measurement:
    targets = [Target(**target) for target in saved["targets"]]
    return Measurement(**{**saved, "targets": targets})
