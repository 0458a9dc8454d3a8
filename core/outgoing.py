"""Where this service may post to: public addresses, and what AUTHSVC_OUTGOING_ALLOW and the provider URLs name.

URLs are judged twice: when one is saved (`url_problem`), and address by address when it is connected to
(`permitted`), because a name may lead somewhere else by then. Touches neither network nor database.
"""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import CallFailed, CallProblem

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ODD = re.compile(r"[\s\\\x00-\x20\x7f<>\"{}|^`]")
_NAME = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?\.?\Z")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # what networks without IPv4 make of a public IPv4 address
_ISATAP = (0x00005EFE, 0x02005EFE)
# Public by their number, and still inside a network: Azure's host, the anycast of 6to4 relays.
_NEVER: tuple[Network, ...] = (
    ipaddress.IPv4Network("168.63.129.16/32"),
    ipaddress.IPv4Network("192.88.99.0/24"),
)
_METADATA = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal",
     "metadata.tencentyun.com", "metadata.packet.net", "metadata.platformequinix.com"}
)  # fmt: skip
_LOCAL_ENDINGS = (".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home.arpa")


class Refused(CallFailed):
    """Nothing was sent: the address is none that this service may call. Says which rule, never what is there."""

    def __init__(self, code: str) -> None:
        super().__init__(CallProblem.REFUSED, code=code, detail="see AUTHSVC_OUTGOING_ALLOW")


NOT_PUBLIC, ODD_URL = "not-public", "odd-url"  # what alerts and outcomes say

# When it is saved ---------------------------------------------------------------------------------


def url_problem(url: str) -> str:
    """What is wrong with a URL that we are to call, in words, or nothing."""
    parts = _split(url)
    if parts is None or not parts.scheme or (parts.scheme in ("http", "https") and not parts.hostname):
        return _("is not an address")
    if parts.scheme not in ("http", "https"):
        return _("must be https")
    if "@" in parts.netloc:
        return _("must not have a user name")
    if "#" in url:
        return _("must not have a fragment")
    host = _host(parts)
    if parts.scheme == "http" and not _may_be_clear(host):
        return _("must be https")
    if not _is_well_spelled(host):
        return _("must have a host name, or an IP address as it is usually written")
    if not _may_be_saved(host, _port(parts)):
        return _("must be a public address; AUTHSVC_OUTGOING_ALLOW names exceptions")
    return ""


def may_be_public(url: str) -> bool:
    """Whether a stored URL may be called as far as can be told without asking where its name leads."""
    parts = _split(url)
    return parts is not None and _is_callable(url) and _may_be_saved(_host(parts), _port(parts))


def _may_be_clear(host: str) -> bool:
    """Codes and secrets go over http to this machine only, or where an exception is named; never in production."""
    return not settings.PRODUCTION and settings.INSECURE_HTTP and _is_excepted(host)


def _is_excepted(host: str) -> bool:
    literal = _literal(host)
    if literal:
        return _allowed(literal)
    return host in _hosts() or (_is_loopback_name(host) and _allowed(ipaddress.IPv4Address("127.0.0.1")))


def _may_be_saved(host: str, port: int) -> bool:
    literal = _literal(host)
    if host in _hosts() or (host, port) in _providers() or (literal and _allowed(literal)):
        return True
    if literal:
        return is_public(literal)
    if host in _METADATA:
        return False
    if _is_loopback_name(host):
        return _is_excepted(host)
    # A name of the inside: who named a network may use it, where it leads is seen when it is called.
    names_inside = any(not network.is_loopback for network in _networks())
    return names_inside or ("." in host and not host.endswith(_LOCAL_ENDINGS))


# When it is called --------------------------------------------------------------------------------


def check_url(url: str) -> None:
    """Before a request is made, kept connection or not. Raises Refused."""
    if not _is_callable(url):
        raise Refused(ODD_URL)


@lru_cache(maxsize=1024)
def _is_callable(url: str) -> bool:
    parts = _split(url)
    if parts is None or not parts.hostname or "@" in parts.netloc or parts.scheme not in ("http", "https"):
        return False
    return _is_well_spelled(_host(parts))


def permitted(host: str, port: int, addresses: Sequence[str]) -> list[str]:
    """Those of a host's addresses that may be connected to. Raises Refused when there are some and none may."""
    host = host.lower().rstrip(".")
    if host in _hosts() or (host, port) in _providers():
        return list(addresses)
    kept = [text for text in addresses if host not in _METADATA and _may_call(ipaddress.ip_address(text))]
    if addresses and not kept:
        raise Refused(NOT_PUBLIC)
    return kept


def _may_call(address: Address) -> bool:
    return _allowed(address) or is_public(address)


def is_public(address: Address) -> bool:
    """Whether anybody on the internet may have this address, and what is packed into it as well."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        packed = _packed(address)
        if address in _NAT64:
            return all(map(is_public, packed))
        if not all(map(is_public, packed)) or address.is_site_local:
            return False
    kinds = (address.is_multicast, address.is_reserved, address.is_link_local, address.is_loopback)
    return address.is_global and not any(kinds) and not any(address in network for network in _NEVER)


def _packed(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses inside: 6to4, Teredo (both of it), NAT64, ISATAP."""
    packed = [*(address.teredo or ()), *([address.sixtofour] if address.sixtofour else [])]
    if address in _NAT64 or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        packed.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return packed


# Parts --------------------------------------------------------------------------------------------


def _split(url: str) -> SplitResult | None:
    if _ODD.search(url) or not url.isascii():
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 # raises for one that is not a number
    except ValueError:
        return None
    return parts


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").rstrip(".")


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_well_spelled(host: str) -> bool:
    """As resolvers read them, `2130706433`, `0x7f.1` and `0177.0.0.1` are this machine."""
    if ":" in host:
        return "%" not in host and _literal(host) is not None
    if _NUMBER.match(host.rpartition(".")[2]):
        return _literal(host) is not None
    return bool(_NAME.match(host)) and len(host) <= 253


def _is_loopback_name(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


# Exceptions ---------------------------------------------------------------------------------------


def _allowed(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in _networks())


def _networks() -> tuple[Network, ...]:
    return _read(tuple(settings.AUTHSVC_OUTGOING_ALLOW))[0]


def _hosts() -> frozenset[str]:
    return _read(tuple(settings.AUTHSVC_OUTGOING_ALLOW))[1]


@lru_cache(maxsize=8)
def _read(words: tuple[str, ...]) -> tuple[tuple[Network, ...], frozenset[str]]:
    networks: list[Network] = []
    hosts: set[str] = set()
    for word in words:
        try:
            networks.append(ipaddress.ip_network(word, strict=False))
        except ValueError:
            hosts.add(word.lower().rstrip("."))
    return tuple(networks), frozenset(hosts)


def _providers() -> frozenset[tuple[str, int]]:
    """Where the environment says the providers are: the operator named them."""
    return _origins(tuple(filter(None, settings.PROVIDER_API_URLS.values())))


@lru_cache(maxsize=8)
def _origins(urls: tuple[str, ...]) -> frozenset[tuple[str, int]]:
    return frozenset((_host(urlsplit(url)), _port(urlsplit(url))) for url in urls)


def setting_problem(words: Sequence[str]) -> str:
    """What is wrong with AUTHSVC_OUTGOING_ALLOW, or nothing."""
    networks, hosts = _read(tuple(words))
    for host in sorted(hosts):
        if not _is_well_spelled(host):
            return f"AUTHSVC_OUTGOING_ALLOW: {host} is neither a network nor a host name"
    wide = [str(network) for network in networks if network.prefixlen == 0]
    return f"AUTHSVC_OUTGOING_ALLOW: {wide[0]} allows everything" if wide else ""
