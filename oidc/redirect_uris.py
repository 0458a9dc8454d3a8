"""URIs that clients register: which are acceptable, and exact matching with free ports on loopback."""

import re
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

from core import outgoing

LOOPBACK = ("127.0.0.1", "::1", "localhost")
# RFC 8252 7.1: an application's own scheme is its reversed domain name, so it has a dot.
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+\Z")
_FORBIDDEN = re.compile(r"[\s\\*<>\"{}|^`\x00-\x20\x7f]")


def _split(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 # raises for one that is not a number
    except ValueError:
        return None
    return parts


def redirect_problem(uri: str) -> str:
    """What is wrong with a redirect URI, "" if nothing."""
    parts = _split(uri)
    if parts is None or _FORBIDDEN.search(uri) or not uri.isascii() or len(uri) > 1000:
        return _("is not an address")
    if "#" in uri:
        return _("must not have a fragment")
    if "@" in parts.netloc:
        return _("must not have a user name")
    if any(part in (".", "..") for part in parts.path.split("/")):
        return _("must not have dots as a part of its path")
    if parts.scheme == "https":
        return "" if parts.hostname else _("has no host")
    if parts.scheme == "http":
        return "" if parts.hostname in LOOPBACK else _("must be https, or http on loopback")
    own = _OWN_SCHEME.match(parts.scheme)
    return "" if own else _("must be https, or an application's own scheme with a dot in it")


def origin_problem(origin: str) -> str:
    """What is wrong with an origin (scheme, host and port as a browser sends them), "" if nothing."""
    parts = _split(origin)
    if parts is None or _FORBIDDEN.search(origin) or not parts.hostname or "@" in parts.netloc:
        return _("is not an origin")
    if origin != f"{parts.scheme}://{parts.netloc.lower()}":
        return _("must be scheme, host and port only, in lower case")
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return ""
    return _("must be https, or http on loopback")


def callback_problem(uri: str) -> str:
    """What is wrong with a URI that we call, "" if nothing."""
    return redirect_problem(uri) or outgoing.url_problem(uri)


def allowed(uri: str, registered: list[str]) -> bool:
    """Whether a URI equals a registered one. The port may differ for http on a loopback address (RFC 8252 7.3)."""
    if uri in registered:
        return True
    loopback = _without_port(uri)
    return loopback is not None and any(_without_port(item) == loopback for item in registered)


def _without_port(uri: str) -> tuple[str, str] | None:
    """Host and path of an http URI on loopback; None for any other."""
    match = re.match(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?(/[^#\s\\@]*)?\Z", uri)
    return (match[1], match[2] or "") if match else None
