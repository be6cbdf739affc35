"""What fails inside the neighbourhood is shown as in a test."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.fuzz.neighbour", "tests.stream_client", "tests.sansio_client")
