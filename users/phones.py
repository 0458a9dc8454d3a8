"""Phone numbers: reading what people type, and showing no more of it than needed. The only user of `phonenumbers`.

The same person always gets the same E.164 form. WhatsApp's own spelling of a number (`wa_id`) never comes here.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

LONGEST_INPUT = 64
LONGEST_CODE_INPUT = 64
_MOST_DIGITS = 15  # ITU-T E.164, country code included; the library allows some longer national numbers


class PhoneProblem(StrEnum):
    NOT_A_NUMBER = "not_a_number"
    NOT_POSSIBLE = "not_possible"  # too short or too long for its country
    NOT_VALID = "not_valid"  # no such prefix
    LANDLINE = "landline"
    NO_MESSAGES = "no_messages"  # premium, shared cost, toll free, pager …: never receives a message


class NumberType(StrEnum):
    MOBILE = "mobile"
    FIXED_OR_MOBILE = "fixed_or_mobile"  # North America and others: cannot be told apart
    VOIP = "voip"
    PERSONAL = "personal"


class InvalidPhone(ValueError):
    """What was typed is not a number that we send to. The text never holds the number."""

    def __init__(self, problem: PhoneProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A number in E.164. Printing it masks it."""

    e164: str = field(repr=False)
    country: str  # ISO 3166 alpha-2, "" for numbers of no country
    type: NumberType

    def __str__(self) -> str:
        return mask(self.e164)


_TYPES = {
    PhoneNumberType.MOBILE: NumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberType.FIXED_OR_MOBILE,
    PhoneNumberType.VOIP: NumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER: NumberType.PERSONAL,
}
# Between digits people put these; the wide ones come from Japanese and Chinese keyboards.
_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\u30fc")
_MARKS = frozenset(".()/\uff0e\uff08\uff09\uff0f")
# Exotic spaces and bidi marks come with pasted text.
_SPACES = frozenset(" \t\r\n\u2060\ufeff\u200b\u00ad")
_BIDI = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _is_blank(character: str) -> bool:
    return character in _SPACES or character in _BIDI or unicodedata.category(character) == "Zs"


def _ascii(text: str) -> str:
    """`+` (if it was first) and ASCII digits. Raises InvalidPhone for anything that is not part of a number."""
    if len(text) > LONGEST_INPUT:
        raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
    typed = "".join(character for character in text if not _is_blank(character))
    kept: list[str] = []
    for character in typed[4:] if typed[:4].lower() == "tel:" else typed:
        if character in _DASHES or character in _MARKS:
            continue
        if character in "+＋﹢":
            if kept:
                raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
            kept.append("+")
            continue
        digit = unicodedata.decimal(character, None)
        if digit is None:
            raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
        kept.append(str(digit))
    return "".join(kept)


def _read(text: str, country: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException:
        return None


def _readings(text: str, country: str | None) -> list[PhoneNumber]:
    """The ways to understand what was typed, likeliest first."""
    international: list[str] = []
    if text.startswith("+"):
        international.append(text)
    elif text.startswith("00"):
        international.append("+" + text[2:].lstrip("0"))
    readings = [_read(item, None) for item in international]
    if country and not text.startswith("+"):
        readings.append(_read(text, country))  # behind 00 too: Australia dials 0011 and Hong Kong 001
        calling_code = str(phonenumbers.country_code_for_region(country))
        if not international and text.startswith(
            calling_code
        ):  # typed with its country code but without the plus
            readings.append(_read("+" + text, None))
    return [number for number in readings if number]


def _without_kept_zero(number: PhoneNumber) -> PhoneNumber | None:
    """`+44 07…` and `+852 0…`: a trunk zero that was wrongly kept after the country code."""
    national = phonenumbers.national_significant_number(number)
    if not national.startswith("0"):
        return None
    return _read(f"+{number.country_code}{national.lstrip('0')}", None)


def _canonical(number: PhoneNumber) -> PhoneNumber:
    """Mexico dropped the 1 behind its code in 2019: +52 1 and +52 name the same subscriber.

    Argentina's 15 becomes 9 in the library. Brazil's ninth digit is never added: without it a number is not valid.
    """
    national = phonenumbers.national_significant_number(number)
    if number.country_code == 52 and len(national) == 11 and national.startswith("1"):
        return _read(f"+52{national[1:]}", None) or number
    return number


def _best(readings: list[PhoneNumber]) -> tuple[PhoneNumber, int]:
    """The likeliest reading that can get a message, and its type. Raises InvalidPhone with what the likeliest is.

    A zero is dropped only where it makes sense of nonsense: in Italy +39 0342 … is a landline and +39 342 …
    somebody else's mobile.
    """
    valid = _valid(readings) or _valid([_canonical(n) for n in map(_without_kept_zero, readings) if n])
    if not valid:
        possible = any(phonenumbers.is_possible_number(number) for number in readings)
        raise InvalidPhone(PhoneProblem.NOT_VALID if possible else PhoneProblem.NOT_POSSIBLE)
    for number, kind in valid:
        if kind in _TYPES:
            return number, kind
    landline = valid[0][1] == PhoneNumberType.FIXED_LINE
    raise InvalidPhone(PhoneProblem.LANDLINE if landline else PhoneProblem.NO_MESSAGES)


def _valid(readings: list[PhoneNumber]) -> list[tuple[PhoneNumber, int]]:
    return [
        (number, phonenumbers.number_type(number))
        for number in readings
        if phonenumbers.is_valid_number(number)
    ]


def parse(text: str, *, country: str | None = None) -> Phone:
    """What a person typed, with the country they chose as a hint (a typed `+` or `00` wins over it).

    Raises InvalidPhone.
    """
    digits_typed = _ascii(text)
    if not digits_typed.strip("+"):
        raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
    hint = country.upper() if country and len(country) == 2 else None
    readings = [_canonical(number) for number in _readings(digits_typed, hint)]
    if not readings:
        raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
    valid, kind = _best(readings)
    e164 = phonenumbers.format_number(valid, PhoneNumberFormat.E164)
    if len(e164) > _MOST_DIGITS + 1:
        raise InvalidPhone(PhoneProblem.NOT_POSSIBLE)
    region = phonenumbers.region_code_for_number(valid) or ""
    return Phone(e164=e164, country=region if region.isalpha() else "", type=_TYPES[kind])


def digits(text: str) -> str:
    """A typed one-time code as ASCII digits: any script's digits, without spaces, dashes and bidi marks.

    "" when there is anything else in it, or too much of it.
    """
    if len(text) > LONGEST_CODE_INPUT:
        return ""
    kept: list[str] = []
    for character in text:
        if character in _DASHES or _is_blank(character):
            continue
        digit = unicodedata.decimal(character, None)
        if digit is None:
            return ""
        kept.append(str(digit))
    return "".join(kept)


def mask(e164: str) -> str:
    """`+852 •••• ••67`: the calling code and the last two digits, never more."""
    number = _read(e164, None)
    if number is None:
        return "••••" + e164[-2:] if len(e164) > 6 else "••••"
    national = phonenumbers.national_significant_number(number)
    shown = national[-2:] if len(national) > 3 else ""  # Tokelau has four; of fewer, two give it away
    hidden = "•" * max(len(national) - len(shown), 4) + shown
    groups = " ".join(hidden[start : start + 4] for start in range(0, len(hidden), 4))
    return f"+{number.country_code} {groups}"


# In free text. Our own ids, hashes and times stay readable; everything else with seven digits in a row is a number,
# whatever stands around it ("user-852…", "%2B852…"). Linear: each repetition is bounded, or cannot fail once begun.
_BETWEEN = r"[^\S\n]|[().\-/\u00ad\u200b\u200e\u200f\u2010-\u2015\u202a-\u202e\u2060\u2066-\u2069]"
_TELLING = re.compile(
    r"""
    (?P<kept>
        (?<![0-9A-Za-z-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z-])      # UUID
        | (?<![0-9A-Za-z])(?:[A-Z]{2})?(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9A-Za-z])  # hash, sid
        | (?<!\d)20\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,6})?)?(?!\d)    # ISO 8601
    )
    | (?P<wamid>wamid\.[\w+/=%\\-]+)
    | (?P<phone>\+?\d(?:(?:"""
    + _BETWEEN
    + r"""){0,3}\d){6,})
    """,
    re.VERBOSE,
)


def _hide(found: re.Match[str]) -> str:
    if found["kept"]:
        return found["kept"]
    return "wamid.••••" if found["wamid"] else "••••" + found["phone"][-2:]


def mask_text(text: str) -> str:
    """Free text with whatever looks like a phone number masked, and WhatsApp's message ids, which hold one."""
    return _TELLING.sub(_hide, text)


@cache
def calling_codes() -> dict[str, int]:
    """ISO country → calling code, for every country that has mobile numbers."""
    return {
        region: phonenumbers.country_code_for_region(region)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    }
