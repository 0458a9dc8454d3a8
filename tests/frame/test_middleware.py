"""Whose address counts."""

import ipaddress

import pytest
from django.conf import LazySettings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from authsvc.middleware import TrustedProxyMiddleware

PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/32"))


def seen(settings: LazySettings, peer: str, proxies: object = PROXIES, **headers: str) -> HttpRequest:
    settings.AUTHSVC_TRUSTED_PROXIES = proxies
    requests: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return HttpResponse()

    TrustedProxyMiddleware(view)(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))
    return requests[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        pytest.param(
            "203.0.113.7", "198.51.100.1", "203.0.113.7", id="not a proxy: its word counts for nothing"
        ),
        pytest.param("10.0.0.1", "198.51.100.1", "198.51.100.1", id="behind one proxy"),
        pytest.param("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1", id="behind two"),
        pytest.param("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1", id="what the client wrote itself"),
        pytest.param("10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1", id="nonsense ends the walk"),
        pytest.param("10.0.0.1", "", "10.0.0.1", id="no header"),
        pytest.param("2001:db8::1", "2001:470::5", "2001:470::5", id="IPv6"),
        pytest.param("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1", id="IPv4 in IPv6"),
        pytest.param("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3", id="proxies only: the outermost"),
    ],
)
def test_the_nearest_address_that_is_no_proxy(
    peer: str, forwarded: str, expected: str, settings: LazySettings
) -> None:
    """C6."""
    request = seen(settings, peer, **({"X-Forwarded-For": forwarded} if forwarded else {}))

    assert request.META["REMOTE_ADDR"] == expected


@pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP"])
def test_other_headers_never_count(header: str, settings: LazySettings) -> None:
    """C6."""
    request = seen(settings, "10.0.0.1", **{header: "198.51.100.1"})

    assert request.META["REMOTE_ADDR"] == "10.0.0.1"


@pytest.mark.parametrize(("peer", "secure"), [("10.0.0.1", True), ("203.0.113.7", False)])
def test_https_is_believed_from_a_proxy_only(
    peer: str, secure: bool, settings: LazySettings
) -> None:  # a table
    request = seen(settings, peer, **{"X-Forwarded-Proto": "https"})

    assert request.is_secure() is secure
    assert request.scheme == ("https" if secure else "http")


def test_without_listed_proxies_nothing_is_believed(settings: LazySettings) -> None:
    request = seen(
        settings, "10.0.0.1", proxies=(), **{"X-Forwarded-For": "1.1.1.1", "X-Forwarded-Proto": "https"}
    )

    assert request.META["REMOTE_ADDR"] == "10.0.0.1"
    assert not request.is_secure()


def test_a_hostile_header_is_bounded(settings: LazySettings) -> None:
    request = seen(settings, "10.0.0.1", **{"X-Forwarded-For": "10.0.0.1," * 5000 + "10.0.0.9"})

    assert request.META["REMOTE_ADDR"].startswith("10.0.0.")
