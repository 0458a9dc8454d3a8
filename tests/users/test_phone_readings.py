"""Spellings that can be read in two ways, and keyboards that type their own signs: one person, one number."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from users import phones
from users.phones import InvalidPhone, PhoneProblem

BETWEEN = "-./() \u00a0\u2009\u3000\u2011－（）．／\u200e\u202a\u2069"


@pytest.mark.parametrize(
    "typed", ["+39 0342 1234567", "+39 0342 123456", "00390342123456", "003903421234567"]
)
def test_an_italian_landline_is_not_read_as_a_mobile(typed: str) -> None:
    """C8, H12: without its zero it would be a mobile, and a stranger would get the code."""
    with pytest.raises(InvalidPhone) as refused:
        phones.parse(typed)

    assert refused.value.problem == PhoneProblem.LANDLINE


def test_an_italian_landline_in_its_national_form_is_refused_too() -> None:
    """C8."""
    with pytest.raises(InvalidPhone) as refused:
        phones.parse("0342 1234567", country="IT")

    assert refused.value.problem == PhoneProblem.LANDLINE


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("+44 7911 123456", None),
        ("0011 44 7911 123456", "AU"),
        ("001 44 7911 123456", "HK"),
        ("011 44 7911 123456", "US"),
        ("010 44 7911 123456", "JP"),
        ("8 10 44 7911 123456", "RU"),
        ("00 44 7911 123456", "AU"),
        ("00 44 7911 123456", "US"),
        ("0044 (0) 7911 123456", "HK"),
    ],
)
def test_the_international_prefix_of_the_chosen_country_and_00_from_everywhere(
    typed: str, country: str | None
) -> None:
    """H12."""
    assert phones.parse(typed, country=country).e164 == "+447911123456"


@pytest.mark.parametrize(
    ("typed", "country", "expected"),
    [
        ("TEL:+85251234567", None, "+85251234567"),
        ("\u200etel: +852 5123 4567", None, "+85251234567"),
        ("\u2066Tel:+852-5123-4567\u2069", None, "+85251234567"),
        ("０９０－１２３４－５６７８", "JP", "+819012345678"),
        ("（０９０）１２３４ー５６７８", "JP", "+819012345678"),
        ("＋８１／９０．１２３４．５６７８", None, "+819012345678"),
        ("+852 5123−4567", None, "+85251234567"),
    ],
)
def test_links_and_wide_keyboards(typed: str, country: str | None, expected: str) -> None:
    """H12."""
    assert phones.parse(typed, country=country).e164 == expected


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("+54 9 11 2345 6789", None),
        ("+54 11 15 2345 6789", None),
        ("011 15 2345 6789", "AR"),
        ("11 15 2345 6789", "AR"),
        ("9 11 2345 6789", "AR"),
        ("54 9 11 2345 6789", "AR"),
    ],
)
def test_argentine_mobiles_have_one_form(typed: str, country: str | None) -> None:
    """H12."""
    assert phones.parse(typed, country=country).e164 == "+5491123456789"


@pytest.mark.parametrize(
    "typed", ["+52 1 55 1234 5678", "52 1 55 1234 5678", "1 55 1234 5678", "55 1234 5678"]
)
def test_mexican_mobiles_have_one_form(typed: str) -> None:
    """H12."""
    assert phones.parse(typed, country="MX").e164 == "+525512345678"


@pytest.mark.parametrize(
    "typed", ["+44 1 tel:", "tel:", "telephone", "++85251234567", "+852(tel:)51234567", "-", "()"]
)
def test_signs_alone_are_no_number(typed: str) -> None:
    with pytest.raises(InvalidPhone) as refused:
        phones.parse(typed, country="HK")

    assert refused.value.problem == PhoneProblem.NOT_A_NUMBER


@given(st.lists(st.sampled_from(BETWEEN), min_size=8, max_size=8))
@settings(max_examples=100, deadline=None)
def test_signs_between_the_digits_change_nothing(signs: list[str]) -> None:
    """H12."""
    typed = "+852" + "".join(sign + digit for sign, digit in zip(signs, "51234567", strict=True))

    assert phones.parse(typed).e164 == "+85251234567"
