"""What fails among the clients is shown as in a test."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.machines.clients")
