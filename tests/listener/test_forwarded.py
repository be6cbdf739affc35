from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.listener.forwarded import client_address, is_trusted

PROXIES = ("10.0.0.0/8", "2001:db8::/32", "127.0.0.1")


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("1.1.1.1, 192.0.2.7", "192.0.2.7"),  # what is before it may be made up
        ("192.0.2.7, 10.1.2.3", "192.0.2.7"),  # by two proxies of ours
        ("192.0.2.7:1234", "192.0.2.7"),
        ("[2001:dead::1]:1234", "2001:dead::1"),
        ("2001:dead::1", "2001:dead::1"),
        ("", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        ("192.0.2.7, nonsense", "10.0.0.1"),
        ("10.9.9.9", "10.9.9.9"),  # a proxy that asks for itself
    ],
)
def test_who_came_by_a_proxy(header: str, client: str) -> None:
    """The last hop that no trusted proxy made; the proxy itself where nothing can be read."""
    assert client_address("10.0.0.1", header, PROXIES) == client


@given(made_up=st.text(alphabet="0123456789abcdef.:,[] x", max_size=60))
def test_what_a_client_makes_up_changes_nothing(made_up: str) -> None:
    """Whatever stands before what our proxy has seen."""
    assert client_address("10.0.0.1", f"{made_up}, 192.0.2.7", PROXIES) == "192.0.2.7"


@pytest.mark.parametrize(
    ("address", "trusted", "expected"),
    [
        ("10.1.1.1", PROXIES, True),
        ("127.0.0.1", PROXIES, True),
        ("127.0.0.2", PROXIES, False),
        ("2001:db8::5", PROXIES, True),
        ("unix", PROXIES, False),
        ("unix", ("unix",), True),
        ("10.1.1.1", ("unix",), False),
        ("", PROXIES, False),
        ("10.1.1.1", (), False),
    ],
)
def test_who_is_trusted(address: str, trusted: tuple[str, ...], *, expected: bool) -> None:
    """Only who is listed, as an address, a network, or `unix`."""
    assert is_trusted(address, trusted) is expected
