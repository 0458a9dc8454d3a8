"""Reading addresses from the environment: URLs, origins, hosts, networks and databases."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from core import env
from tests.core.secret import SECRET

pytestmark = pytest.mark.usefixtures("without_x")


def test_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "10.0.0.0/8,2001:db8::/32,192.0.2.1")

    assert [str(network) for network in env.networks("X")] == ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"]

    monkeypatch.setenv("X", "10.0.0.0/40")
    with pytest.raises(ImproperlyConfigured, match="CIDRs"):
        env.networks("X")


@pytest.mark.parametrize("value", ["example.com", "ftp://example.com", "https://", "javascript:alert(1)"])
def test_not_a_url(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured, match="must be a URL"):
        env.url("X")


def test_a_url_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "https://example.com/v26.0/")

    assert env.url("X") == "https://example.com/v26.0"


def test_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "postgres://me:p%40ss@db.example:6432/name?sslmode=require")
    assert env.database("X", "") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "name",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }

    monkeypatch.setenv("X", "sqlite:////absolute/file")
    assert env.database("X", "")["NAME"] == "/absolute/file"
    monkeypatch.setenv("X", "sqlite:///relative/file")
    assert env.database("X", "")["NAME"] == "relative/file"


@pytest.mark.parametrize("value", ["mysql://x", "postgres", "/a/file", SECRET])
def test_other_databases_are_refused_without_being_shown(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured) as error:
        env.database("X", "")
    assert value not in str(error.value).removeprefix("X must start with postgres://")


@pytest.mark.parametrize(
    "url", ["postgres://me:12se/cret@db/x", "postgres://me:se#cret@db/x", "postgres://[::1/x"]
)
def test_a_password_that_is_not_encoded_stops_the_start_without_being_shown(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the host, so that the rest of it stands where a port belongs."""
    monkeypatch.setenv("X", url)

    with pytest.raises(
        ImproperlyConfigured, match=r"^X must start .*; / \? # and @ in a password are %2F"
    ) as caught:
        env.database("X", "")
    assert "cret" not in str(caught.value)


def read_origin(monkeypatch: pytest.MonkeyPatch, value: str, *, production: bool) -> str:
    monkeypatch.setenv("X", value)
    return env.origin("X", insecure_only_on_loopback=production)


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        ("", ""),
        ("https://login.example.com", "https://login.example.com"),
        ("https://login.example.com/", "https://login.example.com"),
        (" HTTPS://Login.Example.com.:443 ", "https://login.example.com"),
        ("https://login.example.com:8443", "https://login.example.com:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://LOCALHOST", "http://localhost"),
        ("http://acme.localhost:8000", "http://acme.localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_canonical(value: str, origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """D5."""
    assert read_origin(monkeypatch, value, production=True) == origin


@pytest.mark.parametrize(
    "value",
    [
        "http://localhost.evil.example", "http://localhost@evil.example", "http://127.0.0.1.evil.example",
        "http://localhost:8000@evil.example", "http://evil.example?http://localhost", "http://127.0.0.2",
        "http://127.1", "http://2130706433", "http://login.example.com", "HTTP://login.example.com",
        "https://user:secret@login.example.com", "https://login.example.com/login", "https://login.example.com?x",
        "https://login.example.com#x", "https://login.example.com:99999", "https://login_example.com", "login.example.com",
        "https://", "ftp://login.example.com", "https://a.example, https://b.example",
    ],
)  # fmt: skip
def test_what_only_begins_like_an_origin_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """D5: by its parts, not by how it begins; and the value is in no message."""
    with pytest.raises(ImproperlyConfigured, match=r"^X must be https") as caught:
        read_origin(monkeypatch, value, production=True)

    assert "secret" not in str(caught.value)


def test_outside_production_http_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_origin(monkeypatch, "http://web.example:80", production=False) == "http://web.example"


@pytest.mark.parametrize(
    "value",
    ["https://user@api.example", "https://u:p@api.example/v1", "https://api.example/?key=1", "https://api.example/#x",
     "https://api.example:port", "https://api .example", "https://api_example", "https://[::1", "//api.example"],
)  # fmt: skip
def test_an_url_is_scheme_host_and_path(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """D5: the other settings of the kind."""
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured, match=r"^X must"):
        env.url("X")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("login.example.com,Other.Example.", ["login.example.com", "other.example"]),
        (".Example.com, *", [".example.com", "*"]),
        ("bücher.example,[::1],127.0.0.1", ["xn--bcher-kva.example", "[::1]", "127.0.0.1"]),
    ],
)
def test_host_names_are_compared_in_one_spelling(
    value: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """L3."""
    monkeypatch.setenv("X", value)

    assert env.host_names("X") == names


@pytest.mark.parametrize(
    "value", ["https://a.example", "a.example:8000", "a.example/x", "a b", "*.a.example", "_a.example"]
)
def test_what_would_never_match_is_no_host_name(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """D6: a setting that cannot work stops the start."""
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured, match=r"^X must be host names"):
        env.host_names("X")


@pytest.mark.parametrize(
    ("value", "address"),
    [("localhost", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::1", "::1"), ("", "127.0.0.1")],
)
def test_an_address_to_listen_on(value: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)

    assert env.address("X", "localhost") == address


@pytest.mark.parametrize(
    "value", ["localhost6", "xlocalhost", "example.com", "127.0.0.1:8000", "1.2.3", "[::1]"]
)
def test_a_name_is_no_address_to_listen_on(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured, match="must be an IP address"):
        env.address("X", "127.0.0.1")
