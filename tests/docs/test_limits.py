"""docs/limits.md, which tells people what to set."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import attrs
import pytest

from bamboo_gateway.config import GatewayConfig

TEXT = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
RECIPES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_can_be_used(recipe: str) -> None:
    """What is shown there are settings, with values that a gateway takes."""
    GatewayConfig(**tomllib.loads(recipe))


def test_each_default_is_the_gateways() -> None:
    """A limit is named with its default, and the default is that."""
    named = dict(re.findall(r"`(\w+)` \(([\d,]+)\)", TEXT))
    defaults = {field.name: field.default for field in attrs.fields(GatewayConfig)}
    assert named
    assert named == {name: f"{defaults[name]:,.0f}" for name in named}
