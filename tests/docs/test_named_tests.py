"""The tests that documents name as a promise's proof."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = sorted(
    {
        (document, name)
        for document in ("guarantees.md", "security.md")
        for name in re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", (ROOT / "docs" / document).read_text())
    }
)


@pytest.mark.parametrize(("document", "name"), NAMED)
def test_each_test_that_is_named_exists(document: str, name: str) -> None:
    """What docs/security.md and docs/guarantees.md say to be shown by a test can be looked up, and run."""
    path, _, function = name.partition("::")
    assert (ROOT / path).is_file(), document
    assert not function or re.search(
        rf"^ *(async )?def {function}\(", (ROOT / path).read_text(), re.MULTILINE
    )


def test_each_promise_says_how_it_is_kept_shown_and_where_it_ends() -> None:
    """No promise in docs/guarantees.md goes without its proof and its limits."""
    text = (ROOT / "docs" / "guarantees.md").read_text()
    *promises, _ = text.split("\n## ")[1:]
    parts = ["**The promise.**", "**How it is kept.**", "**Shown by**", "**Where it ends.**"]
    assert promises
    assert [
        promise.splitlines()[0] for promise in promises if not all(part in promise for part in parts)
    ] == []
