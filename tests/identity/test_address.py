from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.identity.address import address_key


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_counts_as_itself(ip: object) -> None:
    """However it is written."""
    assert address_key(str(ip)) == str(ip)
    assert address_key(f"::ffff:{ip}") == str(ip)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_an_ipv6_address_counts_as_its_network(one: int, other: int) -> None:
    """The last 64 bits are its owner's to choose, and no two of them are two."""
    prefix = "2001:db8:1:2"
    keys = {address_key(f"{prefix}:{':'.join(f'{each >> shift & 0xFFFF:x}' for shift in (48, 32, 16, 0))}")
            for each in (one, other)}  # fmt: skip
    assert keys == {"2001:db8:1:2::/64"}


@pytest.mark.parametrize("address", ["unix", "", "nonsense"])
def test_what_is_no_address_counts_as_it_is(address: str) -> None:
    """A Unix socket has but one."""
    assert address_key(address) == address
