"""Hosts and origins at their edges, found by mutation testing."""

import pytest

from core.hosts import LONGEST_NAME, Host, Origin, domain_entry, origin_of_url, read_host, read_origin

LABEL = "a" * 63


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("example.com:1", Host(name="example.com", port=1)),
        ("example.com:65535", Host(name="example.com", port=65535)),
        ("example.com:00080", Host(name="example.com", port=80)),
        ("example.com:65536", None),
        ("example.com:0", None),
        ("example.com:", None),
        ("example.com:80:80", None),
        ("example.com:-1", None),
        ("[::1]", Host(name="[::1]")),
        ("[::1]:8080", Host(name="[::1]", port=8080)),
        ("[0:0:0:0:0:0:0:1]", Host(name="[::1]")),
        ("[::1]8080", None),
        ("[::1]:", None),
        ("[::1", None),
        ("[fe80::1%eth0]", None),
        ("[example.com]", None),
        ("", None),
        (".", None),
        ("a..b", None),
        (f"{LABEL}.example", Host(name=f"{LABEL}.example")),
        (f"{LABEL}a.example", None),
        ("-a.example", None),
        ("a-.example", None),
        ("a_b.example", None),
        ("127.0.0.1", Host(name="127.0.0.1")),
        ("127.1", None),
        ("0x7f000001", None),
        ("2130706433", None),
        ("example.0x1", None),
        ("256.0.0.1", None),
        ("bücher.example", Host(name="xn--bcher-kva.example")),
        ("BÜCHER.example.", Host(name="xn--bcher-kva.example")),
        ("ü" * (LONGEST_NAME + 1), None),
        ("\u2024", None),
    ],
)
def test_a_host_is_read_into_its_canonical_form(text: str, host: Host | None) -> None:
    assert read_host(text) == host


@pytest.mark.parametrize(("length", "is_name"), [(LONGEST_NAME, True), (LONGEST_NAME + 1, False)])
def test_the_longest_name(length: int, is_name: bool) -> None:
    name = ".".join([LABEL] * 3 + ["b" * (length - 3 * 64)])

    assert len(name) == length
    assert (read_host(name) is not None) is is_name


def test_hosts_and_origins_print_as_they_are_written() -> None:
    host = Host(name="example.com", port=8443)

    assert (str(host), str(Host(name="example.com"))) == ("example.com:8443", "example.com")
    assert str(Origin(scheme="https", host=host)) == "https://example.com:8443"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("https://Example.com:443", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        ("http://example.com:443", "http://example.com:443"),
        ("https://example.com:80", "https://example.com:80"),
        ("ftp://example.com", None),
        ("example.com", None),
        ("https://", None),
        ("https://example.com//", None),
        ("https://example.com/path", None),
        ("https://example.com?query", None),
        ("https://ann@example.com", None),
        ("https://[::1", None),
        ("https://exa mple.com", None),
    ],
)
def test_an_origin_has_scheme_and_host_only(text: str, origin: str | None) -> None:
    parsed = read_origin(text)

    assert (str(parsed) if parsed else None) == origin


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://example.com/a?b=c#d", "https://example.com"),
        ("http://example.com:8080/a", "http://example.com:8080"),
        ("https://[::1", None),
        ("mailto:ann@example.com", None),
        ("/path", None),
    ],
)
def test_any_url_has_the_origin_of_its_server(url: str, origin: str | None) -> None:
    parsed = origin_of_url(url)

    assert (str(parsed) if parsed else None) == origin


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        (" example.com ", "example.com"),
        ("example.com:80", "example.com"),
        ("example.com:443", "example.com"),
        ("example.com:81", "example.com:81"),
        ("no host", ""),
    ],
)
def test_a_domain_is_stored_without_a_default_port(text: str, entry: str) -> None:
    assert domain_entry(text) == entry
