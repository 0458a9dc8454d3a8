"""All middleware of this project, in the order of settings: request id, proxies, probes, canonical host, programs."""

import ipaddress
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import ResolverMatch, resolve
from structlog.contextvars import bind_contextvars, clear_contextvars

from core import config_version, metrics
from core.addresses import block_of
from ops import metrics as metrics_page
from ops import probes
from projects.origin import Misdirected, site_of
from webhooks.registry import WEBHOOKS

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Callers can make X-Forwarded-For arbitrarily long: only the nearest hops are read.
_MOST_HOPS = 20
_WITH_PORT = re.compile(r"(?P<v4>[0-9.]+)(?::[0-9]{1,5})?|\[(?P<v6>[^\]]+)\](?::[0-9]{1,5})?")
_FOR_PREFIX = re.compile(r"^for\s*=\s*", re.IGNORECASE)
# Paths whose Host stays as it is: providers call by the name they know, static files and the demo belong to no project,
# and the views of the API look the site up after they have authenticated the request.
_KEEP_HOST = ("/api/", "/whatsapp/", "/sms/", "/static/", "/demo/")
# Pages that only show something, and the poll of one: asked for a few times in each login.
_SHOWN = frozenset({"/login/", "/login/code/", "/login/status/"})
# How old the version of the configuration may be that they go by. What is posted goes by the newest.
_SHOWN_BY_SECONDS = 0.1
_SAFE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,64}")

PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": probes.healthz,
    "/readyz": probes.readyz,
    "/metrics": metrics_page.metrics,
}


class _Middleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response


class RequestContextMiddleware(_Middleware):
    """First of all: everything logged during a request carries its id."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = request_id_of(request.META)
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        try:
            with config_version.pinned():
                response = self.get_response(request)
        finally:
            clear_contextvars()
        response["X-Request-ID"] = request_id
        if request.path not in PROBES:
            seconds = time.perf_counter() - started
            view = name_of(request.resolver_match)
            metrics.REQUESTS.labels(view, str(response.status_code)).observe(seconds)
        return response


def request_id_of(environ: Mapping[str, Any]) -> str:
    """What a trusted proxy sent, or a new one. Not from `request.headers`: making that mapping costs more than any
    check of the API."""
    sent_id = environ.get("HTTP_X_REQUEST_ID", "")
    is_usable = sent_id and is_trusted(environ.get("REMOTE_ADDR", "")) and _SAFE_ID.fullmatch(sent_id)
    return sent_id if is_usable else os.urandom(16).hex()


def name_of(match: ResolverMatch | None) -> str:
    """A view in metrics."""
    return (match.view_name or match.func.__name__) if match else "none"


@lru_cache(maxsize=1024)
def read_address(text: str) -> Address | None:
    """One hop in any spelling of proxies: bare, with a port, in brackets, quoted, after `for=`. None: not an address.

    Zones are dropped and IPv4-mapped IPv6 becomes IPv4, so that one client counts as one.
    """
    bare = _FOR_PREFIX.sub("", text.strip()).strip('"').strip()
    match = _WITH_PORT.fullmatch(bare)
    bare = (match["v4"] or match["v6"]) if match else bare
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        # A full IPv6 address without brackets and a port: nothing else has nine groups.
        if bare.count(":") == 8 and "::" not in bare:
            return read_address(f"[{bare.rpartition(':')[0]}]")
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_proxy(address: Address | None) -> bool:
    return address is not None and any(address in network for network in settings.AUTHSVC_TRUSTED_PROXIES)


def is_trusted(address: str) -> bool:
    return bool(settings.AUTHSVC_TRUSTED_PROXIES) and _is_proxy(read_address(address))


def client_address(peer: str, hops: Sequence[str]) -> tuple[str, int]:
    """The nearest address that is not a trusted proxy, walking from the peer outwards, and how many hops that took.

    Entries further left in `X-Forwarded-For` were written by that address and prove nothing. If a hop cannot be read,
    the walk ends at the proxy that wrote it, because everything further left may be forged.
    """
    address, taken = peer, 0
    for hop in reversed(hops):
        if not is_trusted(address):
            break
        outer = read_address(hop)
        if outer is None:
            break
        address, taken = str(outer), taken + 1
    return address, taken


def client_scheme(schemes: Sequence[str], *, hops: int, taken: int) -> str:
    """The scheme that the outermost trusted proxy saw: proxies add a scheme whenever they add a hop.

    If every hop is trusted, or some proxies add to one of the headers only, it is the outermost scheme.
    """
    if taken == hops:
        return schemes[0]
    return schemes[-min(max(taken, 1), len(schemes))]


def _list(value: str) -> list[str]:
    """The nearest entries of a header; several lines of one header arrive as one list."""
    return [part.strip() for part in value.split(",")][-_MOST_HOPS:] if value.strip() else []


class TrustedProxyMiddleware(_Middleware):
    """Takes the client's address (REMOTE_ADDR) and scheme from the headers of trusted proxies."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        believe_proxies(request.META)
        # Every line of this request: starts, refusals and guesses tell where they come from (docs/security.md, P1).
        bind_contextvars(address_block=block_of(str(request.META.get("REMOTE_ADDR", ""))))
        return self.get_response(request)


def believe_proxies(environ: dict[str, Any]) -> None:
    """Replace the address and the scheme of a request that came through trusted proxies by those of the client."""
    peer = environ.get("REMOTE_ADDR", "")
    if not is_trusted(peer):
        return
    hops = _list(environ.get("HTTP_X_FORWARDED_FOR", ""))
    environ["REMOTE_ADDR"], taken = client_address(peer, hops)
    schemes = _list(environ.get("HTTP_X_FORWARDED_PROTO", ""))
    if schemes and client_scheme(schemes, hops=len(hops), taken=taken).strip('"').lower() == "https":
        environ["wsgi.url_scheme"] = "https"


class ProbeMiddleware(_Middleware):
    """Serves /healthz, /readyz and /metrics before the Host check: probes call by IP or container name."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = PROBES.get(request.path_info)
        return view(request) if view else self.get_response(request)


class OriginMiddleware(_Middleware):
    """Replaces every spelling of a host by the canonical one (projects.origin), which forms and redirects use.

    A host without a canonical form is left as it is: the views answer 421, each in its own format.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(_KEEP_HOST):
            request.get_host()
            return self.get_response(request)
        if request.path_info in _SHOWN and request.method in ("GET", "HEAD"):
            config_version.believe(seconds=_SHOWN_BY_SECONDS)
        try:
            site = site_of(request)
        except (Misdirected, DatabaseError):
            return self.get_response(request)  # the view calls site_of again and can answer it
        host = request.META.get("HTTP_HOST")
        if host != site.host or request.scheme != site.scheme:
            # A browser that used another spelling sends it in Origin, too.
            if host and request.META.get("HTTP_ORIGIN") == f"{site.scheme}://{host}":
                request.META["HTTP_ORIGIN"] = f"{site.scheme}://{site.host}"
            request.META["HTTP_HOST"] = site.host
            _set_scheme(request, site.scheme)
        return self.get_response(request)


def _set_scheme(request: HttpRequest, scheme: str) -> None:
    request.META["wsgi.url_scheme"] = request.environ["wsgi.url_scheme"] = scheme  # type: ignore[attr-defined] # WSGI only


class ApiMiddleware(_Middleware):
    """Serves what programs call, /api/ and the providers' webhooks, before the middleware that only pages need: it
    would add a tenth to the cost of a call and a third to that of a report.

    OriginMiddleware has refused hosts that are not allowed.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        match = _program_of(request.path_info)
        if match is None:
            return self.get_response(request)
        request.resolver_match = match
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        if isinstance(response, SimpleTemplateResponse):
            response = response.render()
        response.headers.setdefault("Content-Length", str(len(response.content)))  # type: ignore[attr-defined] # none streams
        return response


def _program_of(path: str) -> ResolverMatch | None:
    """The view of a path that programs call; None: it is one for people."""
    if path.startswith("/api/"):
        return resolve(path, urlconf="api.urls")
    return webhooks().get(path)


@cache
def webhooks() -> Mapping[str, ResolverMatch]:
    """By path. These have no parts that vary: one look in a table instead of a search."""
    return {path: resolve(path, urlconf="webhooks.urls") for path in WEBHOOKS}
