"""The canonical origin of a request, independent of how its Host header is written. Issuer, links, cookies and messages
use it; nothing else may derive an origin from a request."""

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest

from core.hosts import DEFAULT_PORTS, Host, Origin, is_loopback, read_host, read_origin
from projects.config import Claim, Closed, ProjectConfig, Projects, Site, projects
from projects.models import Project

_SITE = "authsvc.site"
# Cached forms of the Host header for one configuration: a caller who sends many must not fill the memory.
_MAX_SITES = 512


# Error texts for programs, where the project of the host is closed.
CLOSED_TEXTS = {
    Closed.NOT_SET_UP: "the project of this host is not set up yet",
    Closed.ARCHIVED: "the project of this host is archived",
}


class Misdirected(Exception):
    """The Host header has no canonical form: answered with 421."""


def site_of(request: HttpRequest) -> Site:
    """Raises Misdirected, and Django's DisallowedHost."""
    result = request.META.get(_SITE)
    if result is None:
        try:
            result = _look_up(request)
        except (Misdirected, DatabaseError) as error:
            result = error  # cached too, so that the request does not wait for the database twice
        request.META[_SITE] = result
    if isinstance(result, Site):
        return result
    raise result


def forget_site(request: HttpRequest) -> None:
    """It is looked up again, under the configuration of then."""
    request.META.pop(_SITE, None)


def origin_of(request: HttpRequest) -> str:
    """`https://login.acme.example`, without a slash. Raises Misdirected, and Django's DisallowedHost."""
    return site_of(request).origin


def project_of(request: HttpRequest) -> ProjectConfig | None:
    """The project that serves this host; None also where the host has no canonical form."""
    try:
        return site_of(request).project
    except Misdirected:
        return None


def address_of(request: HttpRequest) -> str:
    """Scheme and host of this request, canonical if possible: for webhooks and the admin, which any host may serve."""
    try:
        site = site_of(request)
    except Misdirected:
        return address_as_sent(request)
    return f"{site.scheme}://{site.host}"


def address_as_sent(request: HttpRequest) -> str:
    """As the caller sent it: only to compare it with other values from the same caller."""
    return f"{request.scheme}://{request.get_host()}"


def origin_of_project(project: Project, request: HttpRequest) -> str:
    """Where a project answers, as the admin shows and links it. One without a domain answers where the admin does."""
    domain = project.domains.order_by("pk").values_list("host", flat=True).first()
    try:
        return locate(projects.get(), domain or request.get_host(), scheme=request.scheme or "http").origin
    except Misdirected:
        return f"https://{domain}" if domain else address_as_sent(request)


def _look_up(request: HttpRequest) -> Site:
    host, scheme = request.get_host(), request.scheme or "http"
    current, public = projects.get(), settings.AUTHSVC_PUBLIC_URL
    key = (host, scheme, public, settings.INSECURE_HTTP)
    site = current.sites.get(key)
    if site is None:
        site = locate(current, host, scheme=scheme)
        if len(current.sites) < _MAX_SITES:
            current.sites[key] = site
    return site


def locate(current: Projects, host_header: str, *, scheme: str) -> Site:
    """The site of a Host header. Raises Misdirected."""
    host, public = read_host(host_header), read_origin(settings.AUTHSVC_PUBLIC_URL)
    if host is None:
        raise Misdirected
    claim = current.claim_of(host.name)
    own = _own_origin(host, scheme, claim, public)
    origin = public if public and not claim.is_named and _is_public_origin(public, own, current) else own
    return Site(
        origin=str(origin), scheme=own.scheme, host=str(own.host), project=claim.project, closed=claim.closed
    )


def _is_public_origin(public: Origin, own: Origin, current: Projects) -> bool:
    """Whether AUTHSVC_PUBLIC_URL is the origin of an unclaimed host: only while the default project has no domains, and
    not between loopback names, which are interchangeable on a developer's machine."""
    both_local = is_loopback(own.host.name) and is_loopback(public.host.name)
    return not current.default_has_domains and not both_local


def _own_origin(host: Host, received_scheme: str, claim: Claim, public: Origin | None) -> Origin:
    if is_loopback(host.name):
        port = None if host.port == DEFAULT_PORTS[received_scheme] else host.port
        return Origin(scheme=received_scheme, host=Host(name=host.name, port=port))
    # In production origins are https: over http browsers would not return the login cookie.
    scheme = received_scheme if settings.INSECURE_HTTP else "https"
    ports = set(claim.ports)
    if public is not None and public.host.name == host.name:
        scheme = public.scheme
        # Its port applies to a domain without one.
        ports = {public.host.port} if ports <= {None} else ports | {public.host.port}
    port = None if host.port in (DEFAULT_PORTS[scheme], DEFAULT_PORTS[received_scheme]) else host.port
    if port is None and len(ports) == 1:
        port = next(iter(ports))  # proxies omit the port from Host
    elif port not in ports:
        raise Misdirected
    return Origin(scheme=scheme, host=Host(name=host.name, port=port))
