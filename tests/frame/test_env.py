"""Reading the environment: typed, strict, and never echoing a value."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from authsvc import env

SECRET = "very-secret-value"  # made up


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("X", "X_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_text_takes_the_variable_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from file\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "secret"))
    assert env.text("X") == "from file"

    monkeypatch.setenv("X", "from variable")
    assert env.text("X") == "from variable"


def test_text_without_either_is_the_default() -> None:
    assert env.text("X", "default") == "default"


def test_a_file_that_cannot_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("X_FILE", str(tmp_path / "missing"))

    with pytest.raises(ImproperlyConfigured, match="X_FILE"):
        env.text("X")


@pytest.mark.parametrize("value", ["yes", "1", "True", "on", "TRUE", "tru"])
def test_a_boolean_is_exactly_true_or_false(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured, match="X must be one of true, false"):
        env.boolean("X", default=False)


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("false", False), ("", True)])
def test_booleans(value: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # a table
    monkeypatch.setenv("X", value)

    assert env.boolean("X", default=True) is expected


@pytest.mark.parametrize("value", ["", "7", "10"])
def test_integers(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)

    assert env.integer("X", 5, minimum=1, maximum=10) == int(value or 5)


@pytest.mark.parametrize("value", ["0", "11", "-1", "x", "1.5"])
def test_integers_out_of_bounds(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured, match="X must be"):
        env.integer("X", 5, minimum=1, maximum=10)


def test_words_drop_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", " a, ,b ,")

    assert env.words("X") == ["a", "b"]
    assert env.words("UNSET_FOR_SURE", ("c",)) == ["c"]


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


@pytest.mark.parametrize("value", ["a", "a:1,a:2", ":1", "a:x"])
def test_pairs_name_the_variable_and_not_the_value(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured) as error:
        env.pairs("X", int)
    assert str(error.value) == "X: entries look like name:value, each name once"


def test_pairs_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "b:2,a:1")

    assert list(env.pairs("X", int).items()) == [("b", 2), ("a", 1)]


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


def test_a_dotenv_file_fills_what_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('# comment\n\nexport X="quoted value"\nX_FILE=\n')
    env.load_dotenv(file)
    assert env.text("X") == "quoted value"

    monkeypatch.setenv("X", "kept")
    env.load_dotenv(file)
    assert env.text("X") == "kept"
    env.load_dotenv(tmp_path / "missing")


def test_a_broken_dotenv_line_is_named_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"# fine\n{SECRET}\n")

    with pytest.raises(ImproperlyConfigured) as error:
        env.load_dotenv(file)
    assert str(error.value) == ".env line 2: expected NAME=value"
