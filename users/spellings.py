"""Invalid spellings of mobile numbers, with a prefix too many or too few, as data, and their possible corrections.

`users.phones` chooses among these.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber

from users.renumberings import present_form

# Digits after the calling code (or typed without one) → the number meant, as dialled within the country.
_REWRITES: Mapping[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    # Until 2019 mobiles were dialled with 044, 045, 01 or 1.
    "MX": ((re.compile(r"0?(?:44|45|1)(\d{10})"), r"\1"),),
    # The 9 replaces the 15 of domestic calls; people write both, or the trunk 0 after the 9. Eight digits after a 15
    # alone are a number of Buenos Aires: all other areas have shorter ones.
    "AR": ((re.compile(r"90?(\d{10,13})"), r"0\1"), (re.compile(r"15(\d{8})"), r"911\1")),
    # The 9 omitted, where no landline area begins so, or doubled.
    "CL": ((re.compile(r"([89]\d{7}|7[6-9]\d{6})"), r"9\1"), (re.compile(r"9(9\d{8})"), r"\1")),
    # The trunk prefix of the Soviet plan: 8, then the area code with or without its 0.
    **{
        country: ((re.compile(r"8(0?\d{8,10})"), r"\1"),)
        for country in ("AM", "AZ", "BY", "EE", "GE", "KG", "KZ", "LT", "LV", "MD", "RU", "TJ", "TM", "UA", "UZ")
    },
}  # fmt: skip
# The prefix that distinguishes a mobile from the landline with the same digits. People omit it.
_MOBILE_PREFIXES: Mapping[str, str] = {"AR": "9"}


@lru_cache(maxsize=256)
def parse(text: str, country: str | None) -> PhoneNumber | None:
    """By libphonenumber; not to be changed. Kept for a moment, because the corrections of a number meet."""
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException:
        return None


def split(text: str) -> tuple[int, str] | None:
    """Calling code and national number of what stands for itself; None if it is no number."""
    number = parse(text, None)
    return (number.country_code or 0, phonenumbers.national_significant_number(number)) if number else None


def read(text: str, country: str | None) -> PhoneNumber | None:
    """Parse, and return the present form of the line."""
    number = parse(text, country)
    if number is None:
        return None
    e164 = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    present = present_form(e164)
    if present == e164:
        return number
    moved = read(present, None)
    return moved if moved and phonenumbers.is_valid_number(moved) else number


def mobile_of_landline(number: PhoneNumber) -> PhoneNumber | None:
    """The mobile with the same digits as a landline, where only the prefix differs."""
    prefix = _MOBILE_PREFIXES.get(phonenumbers.region_code_for_number(number) or "")
    if not prefix:
        return None
    return read(f"+{number.country_code}{prefix}{phonenumbers.national_significant_number(number)}", None)


def corrections(number: PhoneNumber) -> Iterator[PhoneNumber]:
    """Possible corrections of an invalid number. Some may be invalid themselves: the caller checks."""
    code = number.country_code or 0
    region = phonenumbers.region_code_for_country_code(code)
    national = phonenumbers.national_significant_number(number)
    for typed in _nationals(national, str(code), region):
        for reading in (read(f"+{code}{typed}", None), read(typed, region)):
            # Parsed as domestic digits, it may turn out to be an international call, which was not meant.
            if reading and reading.country_code == code:
                yield reading


def _nationals(national: str, code: str, region: str) -> Iterator[str]:
    """The national digits, and variants without doubled or extra prefixes."""
    yield national
    yield national.removeprefix("0")
    yield "0" + national  # some national numbers begin with a zero, which people omit: +225 7 07 12 34 56
    bare = national.lstrip("0")
    yield bare
    if bare.startswith(code):
        yield bare.removeprefix(code)
    for pattern, replacement in _REWRITES.get(region, ()):
        match = pattern.fullmatch(national)
        if match:
            yield match.expand(replacement)
