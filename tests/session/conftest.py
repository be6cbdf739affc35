"""What the tests of the session table begin with."""

from __future__ import annotations

import pytest

from bamboo_gateway.session.table import SessionTable
from tests.session.tables import ask, attach, new_table


@pytest.fixture
def table() -> SessionTable:
    """Ann's session s1, which her connection c1 watches."""
    table = new_table()
    ask(table, attach())
    return table
