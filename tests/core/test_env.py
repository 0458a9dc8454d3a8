"""Reading the environment: typed, strict, and never echoing a value."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ImproperlyConfigured

from core import env
from tests.core.secret import SECRET

pytestmark = pytest.mark.usefixtures("without_x")


def test_text_without_either_is_the_default() -> None:
    assert env.text("X", "default") == "default"


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


@pytest.mark.parametrize("value", ["a", "a:1,a:2", ":1", "a:x"])
def test_pairs_name_the_variable_and_not_the_value(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured) as error:
        env.pairs("X", int)
    assert str(error.value) == "X must be entries such as name:value, each name once"


def test_pairs_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "b:2,a:1")

    assert list(env.pairs("X", int).items()) == [("b", 2), ("a", 1)]


# One line for every reader ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "line"),
    [
        (lambda: env.boolean("X", default=True), "X must be one of true, false"),
        (lambda: env.choice("X", ("a", "b"), "a"), "X must be one of a, b"),
        (lambda: env.integer("X", 1), "X must be a whole number from 0 to 2147483648"),
        (lambda: env.networks("X"), "X must be a comma-separated list of CIDRs"),
        (lambda: env.address("X", "127.0.0.1"), "X must be an IP address such as 127.0.0.1 or 0.0.0.0"),
        (lambda: env.pairs("X", int), "X must be entries such as name:value, each name once"),
        (lambda: env.url("X"), "X must be a URL of https:// or http://, host and path, without user, query, fragment or blanks"),
        (lambda: env.origin("X", insecure_only_on_loopback=True), "X must be https:// and a host, with no path, query or user"),
        (lambda: env.host_names("X"), "X must be host names without scheme, port or path, comma-separated"),
        (lambda: env.database("X", ""), "X must start with postgres:// or sqlite:///"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_line_that_never_shows_it(
    read: Callable[[], object], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", f"{SECRET}/?")

    with pytest.raises(ImproperlyConfigured) as caught:
        read()
    assert str(caught.value) == line
