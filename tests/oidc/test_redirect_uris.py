"""What is wrong with a URI of a client, in the words that staff read."""

import pytest

from core import outgoing
from oidc import redirect_uris

LONGEST = "https://acme.example/" + "a" * 979


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("https://acme.example/callback", ""),
        (LONGEST, ""),
        (LONGEST + "a", "is not an address"),
        ("https://acme.example/ü", "is not an address"),
        ("https://acme.example/a b", "is not an address"),
        ("https://acme.example\\@evil.example/", "is not an address"),
        ("https://acme.example/*", "is not an address"),
        ("https://acme.example:port/", "is not an address"),
        ("https://acme.example/#top", "must not have a fragment"),
        ("https://acme.example/#", "must not have a fragment"),
        ("https://ann@acme.example/", "must not have a user name"),
        ("https://acme.example/a/../b", "must not have dots as a part of its path"),
        ("https://acme.example/./b", "must not have dots as a part of its path"),
        ("https://acme.example/a..b", ""),
        ("https:///callback", "has no host"),
        ("http://localhost:3000/callback", ""),
        ("http://[::1]/callback", ""),
        ("http://127.0.0.1/callback", ""),
        ("http://acme.example/callback", "must be https, or http on loopback"),
        ("http://localhost.evil.example/", "must be https, or http on loopback"),
        ("com.acme.app:/done", ""),
        ("acme:/done", "must be https, or an application's own scheme with a dot in it"),
        ("javascript:alert(1)", "must be https, or an application's own scheme with a dot in it"),
        ("/callback", "must be https, or an application's own scheme with a dot in it"),
    ],
)
def test_a_redirect_uri_is_refused_with_its_reason(uri: str, text: str) -> None:
    assert redirect_uris.redirect_problem(uri) == text


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        ("https://acme.example", ""),
        ("https://acme.example:8443", ""),
        ("http://localhost:3000", ""),
        ("http://[::1]:3000", ""),
        ("https://acme.example:port", "is not an origin"),
        ("https://acme .example", "is not an origin"),
        ("https://", "is not an origin"),
        ("https://ann@acme.example", "is not an origin"),
        ("*", "is not an origin"),
        ("null", "is not an origin"),
        ("https://acme.example/", "must be scheme, host and port only, in lower case"),
        ("https://ACME.example", "must be scheme, host and port only, in lower case"),
        ("https://acme.example?x=1", "must be scheme, host and port only, in lower case"),
        ("http://acme.example", "must be https, or http on loopback"),
        ("com.acme.app://acme.example", "must be https, or http on loopback"),
    ],
)
def test_an_origin_is_refused_with_its_reason(origin: str, text: str) -> None:
    assert redirect_uris.origin_problem(origin) == text


def test_a_uri_that_we_call_is_a_redirect_uri_that_we_may_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "url_problem", lambda _uri: "is private")

    assert redirect_uris.callback_problem("https://acme.example/#top") == "must not have a fragment"
    assert redirect_uris.callback_problem("https://acme.example/") == "is private"


@pytest.mark.parametrize(
    ("uri", "registered", "allowed"),
    [
        ("https://acme.example/a", ["https://acme.example/b", "https://acme.example/a"], True),
        ("https://acme.example/a", ["https://acme.example/A"], False),
        ("https://acme.example:444/a", ["https://acme.example/a"], False),
        ("https://acme.example/a", [], False),
        ("http://localhost:1234/a", ["http://localhost/a"], True),
        ("http://localhost/a", ["http://localhost:1234/a"], True),
        ("http://localhost:1234", ["http://localhost:1"], True),
        ("http://localhost:1234/b", ["http://localhost:1234/a"], False),
        ("http://localhost:1234/a", ["http://127.0.0.1:1234/a"], False),
        ("http://[::1]:1/a", ["http://[::1]:2/a"], True),
        ("http://localhost:123456/a", ["http://localhost/a"], False),
        ("http://localhost:1/a#b", ["http://localhost/a#b"], False),
        ("http://localhost:1@evil.example/a", ["http://localhost/a"], False),
        ("https://localhost:1/a", ["https://localhost/a"], False),
        ("http://other:1/a", ["https://acme.example/a"], False),
    ],
)
def test_only_the_port_of_a_loopback_address_is_free(uri: str, registered: list[str], allowed: bool) -> None:
    assert redirect_uris.allowed(uri, registered) is allowed
