"""Numbers as they are shown, whole and masked; and a typed plus, which a chosen country does not overrule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from users import phones
from users.phones import InvalidPhone, PhoneProblem


@pytest.mark.parametrize(
    ("e164", "whole", "masked"),
    [
        ("+85251234567", "+852 5123 4567", "+852 •••• ••67"),
        ("+447911123456", "+44 7911 123456", "+44 •••• •••• 56"),
        ("+12025550123", "+1 202-555-0123", "+1 •••• •••• 23"),
        ("+6907290", "+690 7290", "+690 •••• 90"),
        ("not a number", "not a number", "••••er"),
        ("short", "short", "••••"),
        ("", "", "••••"),
    ],
)
def test_its_owner_sees_all_of_a_number_and_others_two_digits(e164: str, whole: str, masked: str) -> None:
    """What cannot be parsed, as a number of a plan that is gone, is shown as it is stored."""
    assert phones.formatted(e164) == whole
    assert phones.mask(e164) == masked


@given(number=st.integers(50_000_000, 69_999_999))
def test_all_that_is_shown_of_a_mask_are_the_calling_code_and_two_digits(number: int) -> None:
    masked = phones.mask(f"+852{number}")

    assert masked == f"+852 •••• ••{number % 100:02}"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to +85251234567 now", "to ••••67 now"),
        ("85251234567", "••••67"),
        ("+852 5123 4567, +44 7911 123456", "••••67, ••••56"),
        ("1234567", "••••67"),
        ("123456", "123456"),
        ("wamid.HBgLODUy done", "wamid.•••• done"),
    ],
)
def test_in_a_text_two_digits_are_left_of_a_number(text: str, masked: str) -> None:
    """P2."""
    assert phones.mask_text(text) == masked


@pytest.mark.parametrize(
    ("typed", "country", "elsewhere"),
    [("+5123 4567", "HK", "51234567"), ("+202 555 0123", "US", "2025550123")],
    ids=["Peru's code", "Egypt's code"],
)
def test_a_plus_means_the_country_behind_it(typed: str, country: str, elsewhere: str) -> None:
    """H12: without it the same digits are a mobile of the chosen country, and the code would go to another person."""
    assert phones.read(elsewhere, country=country).country == country

    with pytest.raises(InvalidPhone) as refused:
        phones.read(typed, country=country)
    assert refused.value.problem == PhoneProblem.NOT_VALID


@pytest.mark.parametrize(
    ("country", "is_hint"),
    [("HK", True), ("hk", True), ("", False), ("H", False), ("HKG", False), (None, False)],
)
def test_only_a_country_of_two_letters_is_a_hint(country: str | None, is_hint: bool) -> None:
    if is_hint:
        assert phones.read("51234567", country=country).e164 == "+85251234567"
        return
    with pytest.raises(InvalidPhone):
        phones.read("51234567", country=country)
