"""What is spared when a number is read and then masked changes neither."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from users import phones, spellings
from users.phones import InvalidPhone

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
numbers = st.builds(
    lambda code, rest: f"+{code}{rest}",
    st.sampled_from(CODES),
    st.text("0123456789", min_size=1, max_size=14),
)
EXAMPLES = [
    phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE)
    if (example := phonenumbers.example_number_for_type(region, kind))
]


@given(text=st.one_of(numbers, st.sampled_from(EXAMPLES)))
def test_a_number_is_valid_when_its_type_is_known(text: str) -> None:
    """The library, in any version: `phones` asks for the type only."""
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return
    is_known = phonenumbers.number_type(number) != PhoneNumberType.UNKNOWN
    assert phonenumbers.is_valid_number(number) is is_known


@given(text=st.text("+0123456789", max_size=20))
def test_digits_are_taken_as_they_are(text: str) -> None:
    """As if they were read one by one, with a space among them."""

    def read(typed: str) -> object:
        try:
            return phones.read(typed)
        except InvalidPhone as error:
            return error.problem

    assert read(text) == read(text[:1] + " " + text[1:])


@pytest.mark.parametrize(
    ("typed", "country", "parsed"),
    [
        ("+85251234567", None, []),
        ("+852 5123-4567", "HK", []),
        ("51234567", "HK", [("51234567", "HK")]),
    ],
)
def test_a_number_is_parsed_once_at_most_to_be_read_and_masked(
    typed: str, country: str | None, parsed: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    spellings.parse.cache_clear()
    asked = list[tuple[str, str | None]]()
    real = phonenumbers.parse

    def parse(text: str, country: str | None = None) -> object:
        asked.append((text, country))
        return real(text, country)

    monkeypatch.setattr(phonenumbers, "parse", parse)
    assert phones.mask(phones.read(typed, country=country).e164) == "+852 •••• ••67"
    assert asked == parsed


def test_reading_changes_no_number_that_is_kept() -> None:
    for text in EXAMPLES:
        before = str(spellings.parse(text, None))
        try:
            phones.read(text)
        except InvalidPhone:
            pass
        phones.mask(text)
        assert str(spellings.parse(text, None)) == before
