from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.identity.address import address_key


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("127.0.0.1", "127.0.0.1"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_what_stands_for_a_client(address: str, key: str) -> None:
    """Loopback and unknown addresses, too: nobody is beyond the limits."""
    assert address_key(address) == key


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_client_cannot_leave_its_network(network: int, one: int, another: int) -> None:
    """Of an IPv6 address, what a provider gives away by the thousands counts as one."""
    first, second = (str(ipaddress.IPv6Address(network << 64 | host)) for host in (one, another))
    if network:  # below it are IPv4 addresses in IPv6's clothes
        assert address_key(first) == address_key(second)


@given(st.text())
def test_any_text_has_a_key(text: str) -> None:
    """A proxy may say what it likes."""
    assert isinstance(address_key(text), str)
