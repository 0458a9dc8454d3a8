"""Numbers as people type them, and as we show them."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.users.numbers import REGIONS, e164_of, mobile_of
from users import phones
from users.phones import InvalidPhone, NumberType, PhoneProblem
from users.renumberings import present_form


@pytest.mark.parametrize(
    ("typed", "country", "expected"),
    [
        ("+852 5123 4567", None, "+85251234567"),
        ("+852-5123-4567", "GB", "+85251234567"),
        ("(852) 51234567", "HK", "+85251234567"),
        ("00852 5123 4567", "GB", "+85251234567"),
        ("00 852 51234567", None, "+85251234567"),
        ("5123 4567", "HK", "+85251234567"),
        ("5123.4567", "HK", "+85251234567"),
        ("85251234567", "HK", "+85251234567"),
        ("tel:+85251234567", None, "+85251234567"),
        ("\u202a+852 5123 4567\u202c", None, "+85251234567"),
        ("+852\u00a05123\u20094567", None, "+85251234567"),
        ("＋８５２５１２３４５６７", None, "+85251234567"),
        ("٥١٢٣٤٥٦٧", "HK", "+85251234567"),
        ("+۸۵۲۵۱۲۳۴۵۶۷", None, "+85251234567"),
        ("+8520 5123 4567", None, "+85251234567"),
        ("07911 123456", "GB", "+447911123456"),
        ("+44 (0)7911 123456", None, "+447911123456"),
        ("+4407911123456", None, "+447911123456"),
        ("447911123456", "GB", "+447911123456"),
        ("+61 0412 345 678", None, "+61412345678"),
        ("+61 412 345 678", "US", "+61412345678"),
        ("0412 345 678", "AU", "+61412345678"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("+52 55 1234 5678", None, "+525512345678"),
        ("55 1234 5678", "MX", "+525512345678"),
        ("011 15 2345 6789", "AR", "+5491123456789"),
        ("+54 9 11 2345 6789", None, "+5491123456789"),
        ("+39 312 345 6789", None, "+393123456789"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("4915123456789", "DE", "+4915123456789"),
    ],
)
def test_every_spelling_is_the_same_number(typed: str, country: str | None, expected: str) -> None:
    """H12."""
    assert phones.parse(typed, country=country).e164 == expected


@pytest.mark.parametrize("region", REGIONS)
def test_the_mobile_numbers_of_every_country_in_every_form(region: str) -> None:
    """H12."""
    example, e164 = mobile_of(region), e164_of(region)
    present = present_form(e164)  # Gambia's and Gabon's examples are old
    arabic = e164.translate({ord(str(digit)): chr(0x660 + digit) for digit in range(10)})
    forms = {
        "international": phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
        "national": phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL),
        "00": "00" + e164[1:],
        "no plus": e164[1:],
        "arabic": arabic,
        "e164": e164,
    }

    assert {form: phones.parse(text, country=region).e164 for form, text in forms.items()} == dict.fromkeys(
        forms, present
    )


@pytest.mark.parametrize(
    ("typed", "country", "problem"),
    [
        ("", None, PhoneProblem.NOT_A_NUMBER),
        ("   ", "HK", PhoneProblem.NOT_A_NUMBER),
        ("+", None, PhoneProblem.NOT_A_NUMBER),
        ("hello", "HK", PhoneProblem.NOT_A_NUMBER),
        ("5123 4567", None, PhoneProblem.NOT_A_NUMBER),
        ("5123 4567", "??", PhoneProblem.NOT_A_NUMBER),
        ("+852 5123\x004567", None, PhoneProblem.NOT_A_NUMBER),
        ("1-800-FLOWERS", "US", PhoneProblem.NOT_A_NUMBER),
        ("+852+51234567", None, PhoneProblem.NOT_A_NUMBER),
        ("5" * 65, "HK", PhoneProblem.NOT_A_NUMBER),
        ("1" * 10_000, "HK", PhoneProblem.NOT_A_NUMBER),
        ("+852 512", None, PhoneProblem.NOT_POSSIBLE),
        ("+1 555 0100 0100 0100", None, PhoneProblem.NOT_POSSIBLE),
        ("+852 1123 4567", None, PhoneProblem.NOT_VALID),
        ("+39 06 1234 5678", None, PhoneProblem.LANDLINE),
        ("2345 6789", "HK", PhoneProblem.LANDLINE),
        ("+1 800 555 0199", None, PhoneProblem.NO_MESSAGES),
        ("0900 1234567", "NL", PhoneProblem.NO_MESSAGES),
        ("+44 909 879 0000", None, PhoneProblem.NO_MESSAGES),
    ],
)
def test_what_is_refused_and_why(typed: str, country: str | None, problem: PhoneProblem) -> None:
    with pytest.raises(InvalidPhone) as refused:
        phones.parse(typed, country=country)

    assert refused.value.problem == problem
    assert not any(character.isdigit() for character in str(refused.value))


@pytest.mark.parametrize(
    "kind",
    [
        phonenumbers.PhoneNumberType.PREMIUM_RATE,
        phonenumbers.PhoneNumberType.SHARED_COST,
        phonenumbers.PhoneNumberType.TOLL_FREE,
        phonenumbers.PhoneNumberType.PAGER,
        phonenumbers.PhoneNumberType.UAN,
        phonenumbers.PhoneNumberType.VOICEMAIL,
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
    ],
)
def test_numbers_that_cannot_get_a_message_never_do(kind: int) -> None:
    """C8: the library's example of every country that has the type."""
    tried = 0
    for region in phonenumbers.SUPPORTED_REGIONS:
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None or phonenumbers.number_type(example) != kind or region == "AR":
            continue  # Argentina's landlines are read as the mobiles of the same digits
        tried += 1
        with pytest.raises(InvalidPhone):
            phones.parse(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))

    assert tried > 10


def test_the_country_and_the_type_are_known() -> None:
    phone = phones.parse("+85251234567")

    assert (phone.country, phone.type) == ("HK", NumberType.MOBILE)
    assert phones.parse("+12125550123").type == NumberType.FIXED_OR_MOBILE


def test_a_number_does_not_print_itself() -> None:
    """G12, P2."""
    phone = phones.parse("+85251234567")

    assert "51234567" not in f"{phone} {phone!r} {[phone]}"


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_number_or_a_clear_refusal(text: str) -> None:
    try:
        phone = phones.parse(text, country="HK")
    except InvalidPhone:
        return
    assert phones.parse(phone.e164).e164 == phone.e164


@pytest.mark.parametrize("region", REGIONS)
def test_a_masked_number_shows_the_calling_code_and_two_digits(region: str) -> None:
    """G12."""
    example, e164 = mobile_of(region), e164_of(region)

    masked = phones.mask(e164)

    shown = "".join(character for character in masked if character.isdigit())
    assert shown == f"{example.country_code}{e164[-2:]}"
    assert masked.startswith(f"+{example.country_code} ")


@pytest.mark.parametrize("text", ["", "+", "12345", "nonsense", "+999"])
def test_masking_never_fails_and_never_shows_what_it_does_not_know(text: str) -> None:
    assert text[:-2] not in phones.mask(text) or len(text) < 3


@pytest.mark.parametrize(
    "text",
    [
        "to +85251234567 failed",
        "Invalid 'To' Phone Number: 85251234567",
        "number (852) 5123 4567 is bad",
        "525-550-100-123",
    ],
)
def test_numbers_in_free_text_are_masked(text: str) -> None:
    """P2."""
    masked = phones.mask_text(text)

    assert sum(character.isdigit() for character in masked) <= 2
    assert "•" in masked


def test_whatsapp_message_ids_are_masked_because_they_hold_the_number() -> None:
    masked = phones.mask_text("id wamid.HBgNNTIxNTU1MDEwMDEyMxUCABEYEkNBOTc4MTEyQ0ExQkJEQ0FGQQA= done")

    assert masked == "id wamid.•••• done"


@pytest.mark.parametrize(
    "text",
    [
        "took 123 ms",
        "2026-11-23T20:15:00Z",
        "01890000-0000-7000-8000-000000000001",
        "port 8000",
        "code 131026",
    ],
)
def test_what_is_no_number_stays(text: str) -> None:
    assert phones.mask_text(text) == text


def test_masking_hostile_text_takes_linear_time() -> None:
    import time

    begun = time.thread_time()  # what the machine does beside it does not count
    phones.mask_text("1 " * 100_000 + "x")
    phones.mask_text("+" * 100_000)

    assert time.thread_time() - begun < 2


def test_calling_codes() -> None:
    codes = phones.calling_codes()

    assert (codes["HK"], codes["US"], codes["GB"]) == (852, 1, 44)
    assert len(codes) > 200
