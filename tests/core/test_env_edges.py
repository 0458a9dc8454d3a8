"""Edges of the readers, found by mutation testing: what is taken as it is, and what only looks like a value."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from core import env


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("X", "X_FILE"):
        monkeypatch.setenv(name, "to be restored")
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('X=""', ""),
        ("X=''", ""),
        ("X='a'", "a"),
        ("X=XaX", "XaX"),
        ('X="', '"'),
        ("X=\"a'", "\"a'"),
        ("X=", ""),
    ],
)
def test_one_pair_of_quotes_is_taken_away_and_nothing_else(line: str, value: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"{line}\n")

    env.load_dotenv(file)

    assert env.text("X", "unset") == (value or "unset")


@pytest.mark.parametrize("default", [True, False])
def test_an_unset_boolean_is_its_default(default: bool) -> None:
    assert env.boolean("X", default=default) is default


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("10.1.2.3/8", ["10.0.0.0/8"]),
        ("2001:db8::1/32", ["2001:db8::/32"]),
        ("192.0.2.1", ["192.0.2.1/32"]),
        (" 10.0.0.0/8 ,, ::1 ", ["10.0.0.0/8", "::1/128"]),
        (",", []),
    ],
)
def test_an_address_with_a_length_is_its_network(
    text: str, networks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", text)

    assert [str(network) for network in env.networks("X")] == networks


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.example/vX", "https://api.example/vX"),
        ("https://api.example///", "https://api.example"),
        ("http://127.0.0.1:9009", "http://127.0.0.1:9009"),
        (" https://api.example/a/b/ ", "https://api.example/a/b"),
        ("https://[2001:db8::1]:8443/v1", "https://[2001:db8::1]:8443/v1"),
    ],
)
def test_a_url_keeps_all_but_its_last_slashes(text: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", text)

    assert env.url("X") == url


@pytest.mark.parametrize(
    "text", ["https://api.example?", "https://api.example/#", "https://api.example/v1?", "HTTPX://a.example"]
)
def test_an_empty_query_or_fragment_is_one_too_many(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path would be appended behind it."""
    monkeypatch.setenv("X", text)

    with pytest.raises(ImproperlyConfigured, match=r"^X must be a URL"):
        env.url("X")


def test_http_away_from_this_machine_is_refused_with_the_number_of_its_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("X", "http://login.example.com")

    with pytest.raises(ImproperlyConfigured) as caught:
        env.origin("X", insecure_only_on_loopback=True)
    assert str(caught.value) == (
        "X must be https in production: http is for loopback names only (authsvc.E004)"
    )


@pytest.mark.parametrize(
    ("text", "engine", "name"),
    [
        ("sqlite://", "sqlite3", ":memory:"),
        ("sqlite:///", "sqlite3", ":memory:"),
        ("sqlite:///:memory:", "sqlite3", ":memory:"),
        ("sqlite:///var/a.sqlite3", "sqlite3", "var/a.sqlite3"),
        ("postgresql://me@db.example/Xdata", "postgresql", "Xdata"),
        ("postgres://me@db.example/a%2Fb", "postgresql", "a/b"),
        ("postgres://%2Frun%2Fpostgresql/data", "postgresql", "data"),
    ],
)
def test_databases_by_engine_and_name(
    text: str, engine: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", text)

    database = env.database("X", "")

    assert (database["ENGINE"], database["NAME"]) == (f"django.db.backends.{engine}", name)


def test_a_database_without_a_port_leaves_it_to_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "postgres:///data")

    database = env.database("X", "")

    assert [database[name] for name in ("HOST", "PORT", "USER", "PASSWORD")] == ["", "", "", ""]
