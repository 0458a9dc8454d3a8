"""Who is calling: the client's address and scheme, believed from listed proxies only."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def is_trusted(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip in network for network in settings.AUTHSVC_TRUSTED_PROXIES)


def client_address(peer: str, forwarded_for: str) -> str:
    """The nearest address that is not a trusted proxy, walking from the peer outwards.

    What stands further left in `X-Forwarded-For` was written by whoever that is, and proves nothing.
    """
    address = peer
    for hop in reversed([part.strip() for part in forwarded_for.split(",")][-20:]):
        if not is_trusted(address):
            return address
        try:
            address = str(ipaddress.ip_address(hop))
        except ValueError:
            return address
    return address


class TrustedProxyMiddleware:
    """Puts the client's own address into REMOTE_ADDR, and the scheme it used, when a trusted proxy tells them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        peer = request.META.get("REMOTE_ADDR", "")
        if settings.AUTHSVC_TRUSTED_PROXIES and is_trusted(peer):
            request.META["REMOTE_ADDR"] = client_address(peer, request.headers.get("X-Forwarded-For", ""))
            if request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https":
                request.META["wsgi.url_scheme"] = request.environ["wsgi.url_scheme"] = "https"  # type: ignore[attr-defined] # WSGI only
        return self.get_response(request)
