"""Spellings of hosts and origins: many in, one out, and what is none is refused."""

import pytest

from core.hosts import domain_entry, is_loopback, read_host, read_origin


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("shop.example.com", "shop.example.com"),
        ("SHOP.Example.Com", "shop.example.com"),
        ("shop.example.com.", "shop.example.com"),
        ("Shop.Example.com.:8443", "shop.example.com:8443"),
        ("shop.example.com:0443", "shop.example.com:443"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("localhost:8000", "localhost:8000"),
        ("127.0.0.1", "127.0.0.1"),
        ("[2001:DB8:0:0::1]:443", "[2001:db8::1]:443"),
        ("[0:0:0:0:0:0:0:1]", "[::1]"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_each_host_has_one_spelling(text: str, canonical: str) -> None:
    """L3."""
    assert str(read_host(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "shop..example.com", "shop.example.com..", ".shop.example.com", "-shop.example", "shop-.example",
        "shop_one.example", "shop.example.com:", "shop.example.com:0", "shop.example.com:65536",
        "shop.example.com:99999999", "shop.example.com:-1", "shop.example.com:٤٤٣", "shop.example.com:443:443",
        "shop.example.com, shop.example.com", "shop.example.com/x", "user@shop.example.com", "https://shop.example.com",
        "shop example.com", "shop.example.com\n", "\0", "[::1", "::1", "[::1]8000", "[::1%eth0]", "[shop.example]",
        "127.1", "0x7f.0.0.1", "256.1.1.1", "01.2.3.4", "shop.example.1", "a" * 64 + ".example", "a." * 126 + "example",
        "xn--\u212a.example\u200d", "*.example.com",
    ],
)  # fmt: skip
def test_what_is_no_host_has_none(text: str) -> None:
    """L3."""
    assert read_host(text) is None


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("Login.Acme.Example.", "login.acme.example"),
        (" login.acme.example ", "login.acme.example"),
        ("login.acme.example:443", "login.acme.example"),
        ("login.acme.example:80", "login.acme.example"),
        ("login.acme.example:8443", "login.acme.example:8443"),
        ("https://login.acme.example", ""),
        ("login.acme.example/", ""),
    ],
)
def test_a_domain_is_stored_in_its_one_spelling(text: str, entry: str) -> None:
    """L3."""
    assert domain_entry(text) == entry


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://login.example.com", "https://login.example.com"),
        ("https://login.example.com/", "https://login.example.com"),
        ("HTTPS://Login.Example.COM.:443", "https://login.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://login.example.com:8443", "https://login.example.com:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_each_origin_has_one_spelling(text: str, origin: str) -> None:
    """D5."""
    assert str(read_origin(text)) == origin


@pytest.mark.parametrize(
    "text",
    [
        "", "login.example.com", "//login.example.com", "https://", "https:///x", "https:login.example.com",
        "ftp://login.example.com", "javascript://login.example.com", "https://user@login.example.com",
        "https://user:pw@login.example.com", "https://login.example.com/path", "https://login.example.com//",
        "https://login.example.com?x=1", "https://login.example.com/?", "https://login.example.com#x",
        "https://login.example.com:port", "https://login.example.com:0", "https://login.example.com:70000",
        "https://login.example.com\\@evil.example", "https://login.example.com, https://evil.example",
        "https://login .example.com", "https://*.example.com", "https://[::1", "http://localhost:8000@evil.example",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(text: str) -> None:
    """D5."""
    assert read_origin(text) is None


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("localhost", True),
        ("acme.localhost", True),
        ("127.0.0.1", True),
        ("[::1]", True),
        ("localhost.evil.example", False),
        ("evillocalhost", False),
        ("127.0.0.1.evil.example", False),
        ("login.example.com", False),
    ],
)
def test_a_loopback_name_is_the_whole_name(name: str, local: bool) -> None:  # a table
    """D5."""
    assert is_loopback(name) is local
