from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

from bamboo_gateway.config import GatewayConfig, Setting

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", TEXT)))


@pytest.mark.parametrize("name", NAMED)
def test_each_test_that_is_named_exists(name: str) -> None:
    """What docs/security.md says to be shown by a test can be looked up, and run."""
    path, _, function = name.partition("::")
    assert (ROOT / path).is_file()
    assert not function or re.search(
        rf"^ *(async )?def {function}\(", (ROOT / path).read_text(), re.MULTILINE
    )


def test_each_limit_is_in_the_table() -> None:
    """Every setting that 0 switches off stands there with its default."""
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", TEXT, re.MULTILINE))
    limits = {field.name: field for field in attrs.fields(GatewayConfig)}
    expected = {name: str(field.default) for name, field in limits.items() if Setting.of(field).can_be_off}
    assert {name: rows.get(name) for name in expected} == expected
    assert all(str(limits[name].default) == default for name, default in rows.items())
