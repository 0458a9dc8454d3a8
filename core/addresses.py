"""Addresses as limits and logs count them: the network that one customer holds, and the block around it."""

import ipaddress
from functools import lru_cache

UNKNOWN = "unknown"


@lru_cache(maxsize=1024)
def network_of(address: str) -> str:
    """The network that an address stands for: itself, or for IPv6 the /64 that one customer holds."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network((ip, 32 if ip.version == 4 else 64), strict=False))


@lru_cache(maxsize=1024)
def block_of(address: str) -> str:
    """The block of an address (IPv4 /24, IPv6 /48), `unknown` for what is none: what logs hold instead of it."""
    near = network_of(address)
    if near == UNKNOWN:
        return UNKNOWN
    network = ipaddress.ip_network(near)
    return str(network.supernet(new_prefix=24 if network.version == 4 else 48))
