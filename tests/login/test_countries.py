"""The countries of the phone form."""

import pytest

from login import countries


def codes(**fields: object) -> list[str]:
    values: dict[str, object] = {"language": "en", "allowed": None, "pinned": ()}
    return [country.code for country in countries.choices(**(values | fields))]


def test_all_countries_by_name() -> None:
    names = [country.name for country in countries.choices(language="en", allowed=None, pinned=())]

    assert len(names) > 200
    assert names[:3] == ["Afghanistan", "Åland Islands", "Albania"]
    assert names[-1] == "Zimbabwe"


def test_pinned_ones_come_first_in_their_order_and_once() -> None:
    shown = codes(pinned=("MX", "HK", "MX"))

    assert shown[:2] == ["MX", "HK"]
    assert shown.count("HK") == 1


def test_only_allowed_ones_are_shown() -> None:
    """C7."""
    assert codes(allowed=frozenset({"HK", "GB"}), pinned=("US", "HK")) == ["HK", "GB"]
    assert codes(allowed=frozenset()) == []


@pytest.mark.parametrize(
    ("language", "name"),
    [("en", "Mexico"), ("es", "México"), ("zh-hant", "墨西哥"), ("ar", "المكسيك"), ("xx", "Mexico")],
)
def test_names_are_in_the_readers_language(language: str, name: str) -> None:
    (mexico,) = countries.choices(language=language, allowed=frozenset({"MX"}), pinned=())

    assert mexico.name == name
    assert mexico.calling_code == "52"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("es-MX,es;q=0.9", "MX"),
        ("zh-Hant-TW", "TW"),
        ("ja", "JP"),
        ("de;q=0.8", "DE"),
        ("fr-CH, fr;q=0.9", "CH"),
        ("*", "GB"),
        ("", "GB"),
        ("en-", "GB"),  # malformed
        ("xx-YY", "GB"),
        (",;;,", "GB"),
        ("a" * 100_000, "GB"),
    ],
)
def test_the_guess_from_the_browsers_languages(header: str, expected: str) -> None:
    assert countries.guess(header, allowed=None, pinned=("GB",)) == expected


def test_the_guess_is_allowed_or_nothing() -> None:
    allowed = frozenset({"HK", "GB"})

    assert countries.guess("es-MX,en-GB", allowed=allowed, pinned=("HK",)) == "GB"
    assert countries.guess("es-MX", allowed=allowed, pinned=("HK",)) == "HK"
    assert countries.guess("es-MX", allowed=allowed, pinned=()) == ""
    assert countries.guess("es-MX", allowed=frozenset({"HK"}), pinned=()) == "HK"
