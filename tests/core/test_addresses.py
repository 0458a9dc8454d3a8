"""Blocks of addresses: what limits count and logs show. P1, P2"""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import block_of, network_of


@pytest.mark.parametrize(
    ("address", "network", "block"),
    [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::ffff:203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("", "unknown", "unknown"),
        ("not an address", "unknown", "unknown"),
        ("203.0.113.7:443", "unknown", "unknown"),
    ],
)
def test_addresses(address: str, network: str, block: str) -> None:
    assert (network_of(address), block_of(address)) == (network, block)


@given(st.ip_addresses())
def test_an_address_lies_in_its_block_and_the_block_does_not_tell_it(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    block = ipaddress.ip_network(block_of(str(address)))

    assert block.num_addresses >= 256
    mapped = getattr(address, "ipv4_mapped", None)
    assert (mapped or address) in block
