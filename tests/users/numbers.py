"""Example numbers of every country, for tests that go through all of them."""

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

REGIONS = sorted(
    region
    for region in phonenumbers.SUPPORTED_REGIONS
    if phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
)


def mobile_of(region: str) -> PhoneNumber:
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    assert number is not None
    return number


def e164_of(region: str) -> str:
    return phonenumbers.format_number(mobile_of(region), PhoneNumberFormat.E164)
