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
        pytest.param("10.0.0.1", "203.0.113.7:51234", "203.0.113.7", id="D1: a port (Azure, IIS)"),
        pytest.param("10.0.0.1", "[2001:470::1]:443", "2001:470::1", id="D1: IPv6 with a port"),
        pytest.param("10.0.0.1", "[2001:470::1]", "2001:470::1", id="D1: IPv6 in brackets"),
        pytest.param("10.0.0.1", '"[2001:470::1]:443"', "2001:470::1", id="D1: in quotes"),
        pytest.param("10.0.0.1", '"203.0.113.7:51234"', "203.0.113.7", id="D1: IPv4 in quotes"),
        pytest.param("10.0.0.1", "for=203.0.113.7", "203.0.113.7", id="D1: named as in Forwarded"),
        pytest.param("10.0.0.1", 'For = "[2001:470::1]:9"', "2001:470::1", id="D1: named and quoted"),
        pytest.param("10.0.0.1", "\t 203.0.113.7 \t", "203.0.113.7", id="D1: blanks"),
        pytest.param("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7", id="D1: IPv4 in IPv6"),
        pytest.param("10.0.0.1", "[::ffff:203.0.113.7]:80", "203.0.113.7", id="D1: the same with a port"),
        pytest.param("10.0.0.1", "2001:470:0:0:0:0:0:1:443", "2001:470::1", id="D1: IPv6 with a bare port"),
        pytest.param("10.0.0.1", "2001:0470:0000::0001", "2001:470::1", id="D1: another spelling of IPv6"),
        pytest.param("10.0.0.1", "fe80::1%eth0", "fe80::1", id="D1: a zone"),
        pytest.param("10.0.0.1", "[fe80::1%25eth0]:80", "fe80::1", id="D1: a zone in brackets"),
        pytest.param("10.0.0.1", "203.0.113.7:1, 10.0.0.2:2", "203.0.113.7", id="D1: two with ports"),
        pytest.param(
            "10.0.0.1", "1.1.1.1, 203.0.113.7:1", "203.0.113.7", id="D1: the client wrote one itself"
        ),
        pytest.param("[2001:db8::1]:9", "203.0.113.7", "203.0.113.7", id="D1: a peer with a port"),
        pytest.param("10.0.0.1", "1.1.1.1, unknown", "10.0.0.1", id="D1: unknown is not passed over"),
        pytest.param("10.0.0.1", "1.1.1.1, _hidden, 10.0.0.2", "10.0.0.2", id="D1: nor a hidden one"),
        pytest.param("10.0.0.1", "1.1.1.1,", "10.0.0.1", id="D1: nor an empty one"),
        pytest.param("10.0.0.1", "1.1.1.1, unix:", "10.0.0.1", id="D1: nor a socket"),
        pytest.param("10.0.0.1", "1.1.1.1, 203.0.113.7:port", "10.0.0.1", id="D1: nor a port that is none"),
        pytest.param("10.0.0.1", "1.1.1.1, 203.0.113.256", "10.0.0.1", id="D1: nor a number that is none"),
        pytest.param("10.0.0.1", "1.1.1.1, 203.0.113.7:1:2", "10.0.0.1", id="D1: nor two ports"),
        pytest.param("10.0.0.1", ",", "10.0.0.1", id="D1: nothing but a comma"),
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


@pytest.mark.parametrize(
    ("peer", "hops", "schemes", "scheme"),
    [
        pytest.param("10.0.0.1", "", "https,http", "https", id="the outermost of those who tell"),
        pytest.param("10.0.0.1", "", "http,https", "http", id="and it says http"),
        pytest.param("10.0.0.1", "203.0.113.7", "https", "https", id="one proxy"),
        pytest.param("10.0.0.1", "203.0.113.7", "HTTPS", "https", id="in capitals"),
        pytest.param("10.0.0.1", "203.0.113.7", '"https"', "https", id="in quotes"),
        pytest.param("10.0.0.1", "203.0.113.7", "https,http", "https", id="one of two proxies names no hop"),
        pytest.param("10.0.0.1", "203.0.113.7, 10.0.0.2", "https, http", "https", id="two proxies"),
        pytest.param(
            "10.0.0.1", "203.0.113.7, 10.0.0.2", "http, https", "http", id="TLS between proxies only"
        ),
        pytest.param("10.0.0.1", "203.0.113.7, 10.0.0.2", "https", "https", id="two, one of them tells"),
        pytest.param(
            "10.0.0.1", "1.1.1.1, 203.0.113.7", "https, http", "http", id="the client wrote one itself"
        ),
        pytest.param(
            "10.0.0.1", "1.1.1.1, 203.0.113.7, 10.0.0.2", "https, http, http", "http", id="before two"
        ),
        pytest.param(
            "10.0.0.1", "1.1.1.1, 203.0.113.7, 10.0.0.2", "http, https, http", "https", id="and truly https"
        ),
        pytest.param("10.0.0.1", "1.1.1.1, unknown", "https, http", "http", id="a hop that cannot be read"),
        pytest.param("10.0.0.1", "", "ftp", "http", id="no scheme of ours"),
        pytest.param("10.0.0.1", "", ",", "http", id="nothing but a comma"),
        pytest.param("10.0.0.1", "", "https;http", "http", id="no list"),
        pytest.param("203.0.113.7", "", "https,http", "http", id="not a proxy"),
        pytest.param("203.0.113.7", "", "https", "http", id="its word counts for nothing"),
    ],
)
def test_the_scheme_is_read_by_the_same_rule_as_the_address(
    peer: str, hops: str, schemes: str, scheme: str, settings: LazySettings
) -> None:
    """D2."""
    headers = {"X-Forwarded-Proto": schemes} | ({"X-Forwarded-For": hops} if hops else {})

    request = seen(settings, peer, **headers)

    assert (request.scheme, request.is_secure()) == (scheme, scheme == "https")


def test_without_listed_proxies_nothing_is_believed(settings: LazySettings) -> None:
    request = seen(
        settings, "10.0.0.1", proxies=(), **{"X-Forwarded-For": "1.1.1.1", "X-Forwarded-Proto": "https"}
    )

    assert request.META["REMOTE_ADDR"] == "10.0.0.1"
    assert not request.is_secure()


def test_a_hostile_header_is_bounded(settings: LazySettings) -> None:
    request = seen(settings, "10.0.0.1", **{"X-Forwarded-For": "10.0.0.1," * 5000 + "10.0.0.9"})

    assert request.META["REMOTE_ADDR"].startswith("10.0.0.")
