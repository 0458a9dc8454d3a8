"""The country guessed from odd language headers, and the order of names with accents."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from login import countries


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("zh-Hant", "TW"),
        ("zh-Hans", "CN"),
        ("zh-Hant-HK", "HK"),
        ("zh", "CN"),
        ("ZH-hk", "HK"),
        ("en-UK", "GB"),
        ("es-419,pt-BR", "BR"),
        ("en-001", "AU"),
        ("en-u-ca-gregory", "US"),
        ("de-DE-u-co-phonebk", "DE"),
        ("en-x-hk", "US"),
        ("fr;q=0.5,de;q=0.9", "DE"),
        ("fr;q=0,de;q=0.1", "DE"),
        ("fr; Q=0.5 , de", "DE"),
        ("fr;q=high,de;q=0.2", "AU"),
        ("fr;v=1", "AU"),
        ("ja;q=1.,de", "JP"),
        ("fr;q=٠.٥", "AU"),
        ("xx-ßß,\u0130-TR", "AU"),
    ],
)
def test_the_country_that_a_language_tag_means(header: str, expected: str) -> None:
    assert countries.guess(header, allowed=None, pinned=("AU",)) == expected


@given(st.text(alphabet="abezht-_*;,q=0.159 ßé", max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_header_gives_an_allowed_country_or_none(header: str) -> None:
    allowed = frozenset({"HK", "GB"})

    assert countries.guess(header, allowed=allowed, pinned=()) in ("HK", "GB", "")
    assert countries.guess(header, allowed=allowed, pinned=("GB",)) in ("HK", "GB")


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("de", "Österreich", "Peru"),
        ("en", "Åland Islands", "Albania"),
        ("en", "Curaçao", "Cyprus"),
        ("fr", "Éthiopie", "Fidji"),
        ("cs", "Čína", "Dánsko"),
        ("tr", "Çin", "Danimarka"),
    ],
)
def test_letters_with_accents_stand_beside_those_without(language: str, first: str, second: str) -> None:
    names = [country.name for country in countries.choices(language=language, allowed=None, pinned=())]

    assert names.index(first) < names.index(second)


@pytest.mark.parametrize("language", ["", "x", "\0", "../../etc/passwd", "en@x", "1", "zh-", "a" * 1000])
def test_an_unknown_language_reads_english(language: str) -> None:
    (germany,) = countries.choices(language=language, allowed=frozenset({"DE"}), pinned=())

    assert (germany.name, germany.calling_code) == ("Germany", "49")
