"""Spellings that can only mean one mobile are read; what may mean two, or a landline, is refused with its reason."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.users.numbers import REGIONS, e164_of, mobile_of
from users import phones, spellings
from users.phones import InvalidPhone, PhoneProblem


@pytest.mark.parametrize(
    ("typed", "country", "expected"),
    [
        # Argentina: 9 left out, 15 and 9 together, the trunk 0 behind the 9.
        ("11 2345-6789", "AR", "+5491123456789"),
        ("+54 11 2345-6789", None, "+5491123456789"),
        ("011 2345-6789", "AR", "+5491123456789"),
        ("0351 234-5678", "AR", "+5493512345678"),
        ("+54 9 11 15 2345 6789", None, "+5491123456789"),
        ("+54 9 011 2345 6789", None, "+5491123456789"),
        ("+54 0 351 15 234 5678", None, "+5493512345678"),
        # In Buenos Aires the 15 alone: no other area has numbers of eight digits.
        ("15 2345-6789", "AR", "+5491123456789"),
        ("+54 15 2345-6789", None, "+5491123456789"),
        # Chile: the 9 left out, or twice.
        ("8123 4567", "CL", "+56981234567"),
        ("+56 8123 4567", None, "+56981234567"),
        ("+56 7612 3456", None, "+56976123456"),
        ("+56 9 9 8123 4567", None, "+56981234567"),
        # A national number's own zero left out, as other countries' trunk zeros are.
        ("+225 7 07 12 34 56", None, "+2250707123456"),
        ("+229 1 97 12 34 56", None, "+2290197123456"),
        ("1 97 12 34 56", "BJ", "+2290197123456"),
        ("+242 6 612 3456", None, "+242066123456"),
        # Mexico before 2019.
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("045 55 1234 5678", "MX", "+525512345678"),
        ("01 55 1234 5678", "MX", "+525512345678"),
        ("+52 044 55 1234 5678", None, "+525512345678"),
        ("+52 01 55 1234 5678", None, "+525512345678"),
        # Brazil's carrier codes and trunk zero.
        ("0 15 21 99612-3456", "BR", "+5521996123456"),
        ("+55 021 99612-3456", None, "+5521996123456"),
        ("+55 021 9612-3456", None, "+5521996123456"),
        # The Soviet 8.
        ("8 912 345 67 89", "RU", "+79123456789"),
        ("+7 8 912 345 67 89", None, "+79123456789"),
        ("+8 912 345 67 89", "RU", "+79123456789"),
        ("+8 701 234 56 78", "KZ", "+77012345678"),  # +870 is ships'
        ("8 701 234 56 78", "KZ", "+77012345678"),
        ("8 067 123 45 67", "UA", "+380671234567"),
        ("8 0 67 123 45 67", "UA", "+380671234567"),
        ("+380 8 067 123 45 67", None, "+380671234567"),
        ("8 029 123 45 67", "BY", "+375291234567"),
        ("+375 8 029 123 45 67", None, "+375291234567"),
        ("8 612 34567", "LT", "+37061234567"),
        ("+370 8 612 34567", None, "+37061234567"),
        ("8 90 123 45 67", "UZ", "+998901234567"),
        ("+374 8 91 123456", None, "+37491123456"),
        # Trunk zeros and other trunk prefixes behind the calling code.
        ("0 98765 43210", "IN", "+919876543210"),
        ("+91 0 98765 43210", None, "+919876543210"),
        ("091 98765 43210", "IN", "+919876543210"),
        ("+44 07911 123456", None, "+447911123456"),
        ("+49 0151 23456789", None, "+4915123456789"),
        ("0049 0151 23456789", None, "+4915123456789"),
        ("+90 0532 123 4567", None, "+905321234567"),
        ("+66 081 234 5678", None, "+66812345678"),
        ("+81 090 1234 5678", None, "+819012345678"),
        ("+380 067 123 45 67", None, "+380671234567"),
        ("+36 06 20 123 4567", None, "+36201234567"),
        ("+57 03 300 123 4567", None, "+573001234567"),
        ("+86 0 138 0013 8000", None, "+8613800138000"),
        ("+1 1 415 555 0132", None, "+14155550132"),
        # The calling code twice, with its own prefix or without; a plus before a trunk zero.
        ("+44 44 7911 123456", None, "+447911123456"),
        ("+44 0044 7911 123456", None, "+447911123456"),
        ("+07911 123456", "GB", "+447911123456"),
        ("+0044 7911 123456", None, "+447911123456"),
        ("+00 852 5123 4567", "GB", "+85251234567"),
    ],
)
def test_a_prefix_too_many_or_too_few(typed: str, country: str | None, expected: str) -> None:
    """N2."""
    assert phones.parse(typed, country=country).e164 == expected


@pytest.mark.parametrize(
    ("typed", "country", "problem"),
    [
        ("+44 020 7946 0958", None, PhoneProblem.LANDLINE),
        ("+49 030 123456", None, PhoneProblem.LANDLINE),
        ("+852 0 2345 6789", None, PhoneProblem.LANDLINE),
        ("+55 11 3123-4567", None, PhoneProblem.LANDLINE),
        ("8 495 123 45 67", "RU", PhoneProblem.LANDLINE),
        ("8 044 123 45 67", "UA", PhoneProblem.LANDLINE),
        ("+39 0342 1234567", None, PhoneProblem.LANDLINE),
        ("+44 0909 879 0000", None, PhoneProblem.NO_MESSAGES),
        ("+7 8 800 123 45 67", None, PhoneProblem.NO_MESSAGES),
        ("2345-6789", "AR", PhoneProblem.NOT_VALID),  # whose area?
        ("15 345-6789", "AR", PhoneProblem.NOT_POSSIBLE),
        ("2234 5678", "CL", PhoneProblem.NOT_POSSIBLE),
        ("+56 4523 4567", None, PhoneProblem.NOT_POSSIBLE),  # an old landline's spelling
        ("+800 1234 5678", "HK", PhoneProblem.NO_MESSAGES),  # its plus is believed
        ("+870 773 123 456", "KZ", PhoneProblem.NO_MESSAGES),
        ("+8 912 345 67 89", None, PhoneProblem.NOT_A_NUMBER),
        ("+7 10 44 7911 123456", None, PhoneProblem.NOT_VALID),
    ],
)
def test_what_is_no_mobile_however_it_is_read(typed: str, country: str | None, problem: PhoneProblem) -> None:
    """N2: refused with the right reason."""
    with pytest.raises(InvalidPhone) as refused:
        phones.parse(typed, country=country)

    assert refused.value.problem == problem


def test_a_number_that_may_be_two_mobiles_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """N2."""
    one, other = (spellings.read(text, None) for text in ("+85251234567", "+85261234567"))
    monkeypatch.setattr(spellings, "corrections", lambda _number: iter([one, other]))

    with pytest.raises(InvalidPhone) as refused:
        phones.parse("+852 0 0 5123 4567")

    assert refused.value.problem == PhoneProblem.NOT_VALID


@pytest.mark.parametrize("region", REGIONS)
def test_the_mobiles_of_every_country_with_what_people_add(region: str) -> None:
    """N2: the trunk prefix behind the calling code, and the calling code twice."""
    e164 = e164_of(region)
    code = str(mobile_of(region).country_code)
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or "0"
    expected = phones.parse(e164).e164

    forms = [
        f"+{code}{trunk}{e164[1 + len(code) :]}",
        f"+{code}00{e164[1:]}",
        f"+{code}0{e164[1 + len(code) :]}",
    ]

    for form in forms:
        try:
            assert phones.parse(form).e164 == expected, form
        except InvalidPhone:
            # Where the longer number exists as well (a landline with its zero), it is not mended away.
            assert phonenumbers.is_valid_number(phonenumbers.parse(form)), form


@given(st.sampled_from(REGIONS), st.text(alphabet="0123456789", min_size=5, max_size=14))
@settings(max_examples=300, deadline=None)
def test_any_digits_are_one_mobile_or_a_clear_refusal(region: str, digits: str) -> None:
    """N2: what is read is read the same again."""
    for typed in (digits, f"+{phonenumbers.country_code_for_region(region)}{digits}"):
        try:
            phone = phones.parse(typed, country=region)
        except InvalidPhone:
            continue
        assert phones.parse(phone.e164).e164 == phone.e164
