from __future__ import annotations

import pytest

from tests.cli.process import ROOT

from .distribution import Distribution, build


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    """What this source becomes."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))
