"""Addresses that clients register: which may be, and which of them a request names. Exactly, but for loopback ports."""

import re
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

LOOPBACK = ("127.0.0.1", "::1", "localhost")
# RFC 8252 7.1: an application's own scheme is its domain name turned around, so it has a dot.
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+\Z")
_ODD = re.compile(r"[\s\\*<>\"{}|^`\x00-\x20\x7f]")


def _split(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 # raises for one that is not a number
    except ValueError:
        return None
    return parts


def redirect_problem(uri: str) -> str:
    """What is wrong with a redirect URI, in words, or nothing."""
    parts = _split(uri)
    if parts is None or _ODD.search(uri) or not uri.isascii() or len(uri) > 1000:
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
    return (
        ""
        if _OWN_SCHEME.match(parts.scheme)
        else _("must be https, or an application's own scheme with a dot in it")
    )


def origin_problem(origin: str) -> str:
    """What is wrong with an origin (scheme, host and port as a browser sends them), or nothing."""
    parts = _split(origin)
    if parts is None or _ODD.search(origin) or not parts.hostname or "@" in parts.netloc:
        return _("is not an origin")
    if origin != f"{parts.scheme}://{parts.netloc.lower()}":
        return _("must be scheme, host and port only, in lower case")
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return ""
    return _("must be https, or http on loopback")


def callback_problem(uri: str) -> str:
    """What is wrong with an address that we call, or nothing."""
    problem = redirect_problem(uri)
    if problem:
        return problem
    if urlsplit(uri).scheme != "https" and not settings.INSECURE_HTTP:
        return _("must be https")
    return "" if urlsplit(uri).scheme in ("http", "https") else _("must be https")


def allowed(uri: str, registered: list[str]) -> bool:
    """Whether a request's address is one of those registered: by its very characters; only the port of http on
    a loopback address is free (RFC 8252 7.3)."""
    if uri in registered:
        return True
    asked = _without_port(uri)
    return asked is not None and any(_without_port(one) == asked for one in registered)


def _without_port(uri: str) -> tuple[str, str] | None:
    """Host and all that follows the port of an http address on loopback."""
    match = re.match(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?(/[^#\s\\@]*)?\Z", uri)
    return (match[1], match[2] or "") if match else None
