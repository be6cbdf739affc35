from __future__ import annotations

from bamboo_gateway.connection.connection import Connection
from bamboo_gateway.connection.outbox import Outbox
from bamboo_gateway.connection.states import ConnectionStates
from bamboo_gateway.principal import LOCAL


def _connection(*, known: bool, behind: bool = False) -> Connection:
    connection = Connection(Outbox(None))
    connection.principal = LOCAL if known else None
    connection.outbox.behind = behind
    return connection


def test_each_open_socket_is_in_one_state() -> None:
    """Who has not said `connect` is unauthenticated, slow or not, and so is who still shakes hands."""
    connections = [
        _connection(known=True),
        _connection(known=True),
        _connection(known=True, behind=True),
        _connection(known=False),
        _connection(known=False, behind=True),
    ]
    assert ConnectionStates.count(connections, open_sockets=7) == ConnectionStates(4, 2, 1)
    assert ConnectionStates.count([], open_sockets=0) == ConnectionStates(0, 0, 0)
