from __future__ import annotations

import re
from pathlib import Path

import attrs

from bamboo_gateway.config import GatewayConfig, Setting

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text()


def test_each_limit_is_in_the_table() -> None:
    """Every setting that 0 switches off stands there with its default."""
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", TEXT, re.MULTILINE))
    limits = {field.name: field for field in attrs.fields(GatewayConfig)}
    expected = {name: str(field.default) for name, field in limits.items() if Setting.of(field).can_be_off}
    assert {name: rows.get(name) for name in expected} == expected
    assert all(str(limits[name].default) == default for name, default in rows.items())
