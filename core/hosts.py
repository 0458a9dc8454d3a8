"""Host names and origins, parsed into the canonical form that all comparisons use."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import idna

DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_NAME = 253  # RFC 1035
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PORT = re.compile(r"0*[1-9][0-9]{0,4}")
_IPV4 = re.compile(r"[0-9.]+|(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, kw_only=True)
class Host:
    """A lower-case ASCII name without a final dot (IPv6 in brackets), and the port if one is given."""

    name: str
    port: int | None = None

    def __str__(self) -> str:
        return self.name if self.port is None else f"{self.name}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Scheme and host as browsers send them: without a default port."""

    scheme: str
    host: Host

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}"


def is_loopback(name: str) -> bool:
    """Whether a canonical name always means the local machine."""
    return name in _LOOPBACK or name.endswith(".localhost")


def read_host(text: str) -> Host | None:
    """Parse `name` or `name:port`; None if it is not a host."""
    name, port = text, ""
    if text.startswith("["):
        name, bracket, rest = text.partition("]")
        name += bracket
        if not bracket or (rest and not rest.startswith(":")):
            return None
        colon, port = rest[:1], rest[1:]
    else:
        name, colon, port = text.partition(":")
    if colon and not _PORT.fullmatch(port):
        return None
    if port and int(port) > 65535:
        return None
    canonical = _name(name)
    return Host(name=canonical, port=int(port) if port else None) if canonical else None


def _name(text: str) -> str:
    """The canonical form of a name without a port; "" if it is not a name."""
    if text.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(text[1:-1]).compressed}]" if "%" not in text else ""
        except ValueError:
            return ""
    name = text.removesuffix(".").lower() if text.isascii() else _in_ascii(text)
    if not name or len(name) > LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        return ""
    if _IPV4.fullmatch(name):  # other notations that browsers read as an address are refused
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            return ""
    return name


def _in_ascii(text: str) -> str:
    """The ASCII form of an international name (UTS 46, as in browsers)."""
    if len(text) > LONGEST_NAME:
        return ""
    try:
        return idna.encode(text, uts46=True).decode().removesuffix(".")
    except idna.IDNAError:
        return ""


def domain_entry(text: str) -> str:
    """The stored form of a project's domain: `name`, or `name:port` for a non-default port; "" if it is not a host."""
    host = read_host(text.strip())
    if host is None:
        return ""
    return host.name if host.port in DEFAULT_PORTS.values() else str(host)


def origin_of_url(url: str) -> Origin | None:
    """The origin of any URL; None if it has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return read_origin(f"{parts.scheme}://{parts.netloc}")


@lru_cache(maxsize=64)
def read_origin(text: str) -> Origin | None:
    """Parse a URL that consists of scheme and host only; None if it is not an origin."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    scheme, rest = parts.scheme, text.partition("://")[2]
    if scheme not in DEFAULT_PORTS or rest.removesuffix("/") != parts.netloc or "@" in parts.netloc:
        return None
    host = read_host(parts.netloc)
    if host is None:
        return None
    if host.port == DEFAULT_PORTS[scheme]:
        host = Host(name=host.name)
    return Origin(scheme=scheme, host=host)
