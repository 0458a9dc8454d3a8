"""Phone numbers: parsing what people type, and masking. Only this, `users.spellings` and `users.plans` use
`phonenumbers`.

A number always gets the same E.164 form. WhatsApp's own form (`wa_id`) is not parsed here.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from users import characters, plans, pseudonyms, spellings
from users.renumberings import present_form

LONGEST_INPUT = 64
_MAX_DIGITS = 15  # ITU-T E.164, country code included; the library allows some longer national numbers


class PhoneProblem(StrEnum):
    NOT_A_NUMBER = "not_a_number"
    NOT_POSSIBLE = "not_possible"  # too short or too long for its country
    NOT_VALID = "not_valid"  # no such prefix
    LANDLINE = "landline"
    NO_MESSAGES = "no_messages"  # premium, shared cost, personal, toll free, pager, satellite …


class NumberType(StrEnum):
    MOBILE = "mobile"
    FIXED_OR_MOBILE = "fixed_or_mobile"  # North America and others do not distinguish them
    VOIP = "voip"
    PERSONAL = "personal"


class InvalidPhone(ValueError):
    """Not a number that messages can be sent to. The text never contains the number."""

    def __init__(self, problem: PhoneProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A number in E.164. Printing it masks it."""

    e164: str = field(repr=False)
    country: str  # ISO 3166 alpha-2, "" for a number without a country
    type: NumberType
    network: str = ""  # "+881": the calling code of a number without a country

    def __str__(self) -> str:
        return mask(self.e164)


_TYPES = {
    PhoneNumberType.MOBILE: NumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberType.FIXED_OR_MOBILE,
    PhoneNumberType.VOIP: NumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER: NumberType.PERSONAL,
}


# Satellite phones within national plans, which the library classifies as mobile or VoIP.
_SATELLITES = ("+1600", "+61145", "+61147", "+62868", "+7954")


_DIGITS = re.compile(r"\+?[0-9]+")


def _ascii(text: str) -> str:
    """A leading `+`, if any, and ASCII digits. Raises InvalidPhone for anything that is not part of a number."""
    if len(text) > LONGEST_INPUT:
        raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
    if _DIGITS.fullmatch(text):
        return text
    typed = "".join(
        character
        for character in text
        if not (characters.is_invisible(character) or characters.is_space(character))
    )
    kept: list[str] = []
    for character in typed[4:] if typed[:4].lower() == "tel:" else typed:
        digit = characters.digit(character)
        if digit:
            kept.append(digit)
        elif character in characters.PLUS_SIGNS and not kept:
            kept.append("+")
        elif not (characters.is_dash(character) or characters.is_phone_mark(character)):
            raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
    return "".join(kept)


def _readings(text: str, country: str | None) -> list[PhoneNumber]:
    """The possible interpretations, most likely first."""
    international: list[str] = []
    if text.startswith("+00"):
        text = text.removeprefix("+")
    if text.startswith("+"):
        international.append(text)
    elif text.startswith("00"):
        international.append("+" + text[2:].lstrip("0"))
    readings = [spellings.read(item, None) for item in international]
    if country and (not text.startswith("+") or not any(map(_is_abroad, readings))):
        # Also after 00: Australia dials 0011 and Hong Kong 001. Also after a plus without a country code, "+07911 …",
        # or with one for ships, "+8 701 …" in Kazakhstan.
        readings.append(spellings.read(text.removeprefix("+"), country))
        calling_code = str(phonenumbers.country_code_for_region(country))
        if not international and text.startswith(calling_code):  # the plus is missing
            readings.append(spellings.read("+" + text, None))
    return [number for number in readings if number]


def _is_abroad(number: PhoneNumber | None) -> bool:
    """Whether it is a number of a country, or a valid number of a network without one."""
    if number is None:
        return False
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return region != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY or phonenumbers.is_valid_number(number)


def _best(readings: list[PhoneNumber]) -> tuple[PhoneNumber, int]:
    """The most likely number that can receive messages, and its type. Raises InvalidPhone.

    Only invalid numbers and landlines are corrected, and only into a single possible mobile: in Italy +39 0342 … is a
    landline and +39 342 … another person's mobile.
    """
    valid = _valid(readings)
    for number, kind in valid:
        if kind in _TYPES:
            return number, kind
    corrected = _mobiles_of([number for number, _kind in valid])
    if not valid:
        valid = corrected = _corrected(readings)
    mobiles = {_e164(number): (number, kind) for number, kind in corrected if kind in _TYPES}
    if len(mobiles) == 1:
        return next(iter(mobiles.values()))
    if mobiles or not valid:
        possible = any(phonenumbers.is_possible_number(number) for number in readings)
        raise InvalidPhone(PhoneProblem.NOT_VALID if possible or mobiles else PhoneProblem.NOT_POSSIBLE)
    is_landline = valid[0][1] == PhoneNumberType.FIXED_LINE
    raise InvalidPhone(PhoneProblem.LANDLINE if is_landline else PhoneProblem.NO_MESSAGES)


def _corrected(readings: list[PhoneNumber]) -> list[tuple[PhoneNumber, int]]:
    """The valid corrections of these invalid interpretations."""
    valid = _valid([item for number in readings for item in spellings.corrections(number)])
    return valid + _mobiles_of([number for number, _kind in valid])


def _mobiles_of(landlines: list[PhoneNumber]) -> list[tuple[PhoneNumber, int]]:
    mobiles = [spellings.mobile_of_landline(number) for number in landlines]
    return _valid([number for number in mobiles if number])


def _valid(readings: list[PhoneNumber]) -> list[tuple[PhoneNumber, int]]:
    kinds = [(number, phonenumbers.number_type(number)) for number in readings]
    # The library calls a number valid when it knows its type, and would look for that once more.
    return [(number, kind) for number, kind in kinds if kind != PhoneNumberType.UNKNOWN]


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def read(text: str, *, country: str | None = None) -> Phone:
    """Parse what a person typed. The chosen country is a hint; a typed `+` or `00` takes precedence.

    Expensive numbers are parsed too: `check_deliverable` applies the project's rules. Raises InvalidPhone.
    """
    digits_typed = _ascii(text)
    if phone := _read_plain(digits_typed):
        return phone
    if not digits_typed.strip("+"):
        raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
    hint = country.upper() if country and len(country) == 2 else None
    readings = _readings(digits_typed, hint)
    if not readings:
        raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
    number, kind = _best(readings)
    e164 = _e164(number)
    if len(e164) > _MAX_DIGITS + 1:
        raise InvalidPhone(PhoneProblem.NOT_POSSIBLE)
    return _phone(e164, number.country_code or 0, phonenumbers.region_code_for_number(number) or "", kind)


def _read_plain(text: str) -> Phone | None:
    """A present number in E.164 that can receive messages; None for anything else. The chosen country says nothing
    about such a one."""
    parts = plans.split(text)
    if not parts or present_form(text) != text:
        return None
    region, kind = plans.region_and_kind(*parts)
    return _phone(text, parts[0], region, kind) if kind in _TYPES else None


def _phone(e164: str, calling_code: int, region: str, kind: int) -> Phone:
    in_country = region.isalpha()
    return Phone(
        e164=e164,
        country=region if in_country else "",
        network="" if in_country else f"+{calling_code}",
        type=_TYPES[kind],
    )


def check_deliverable(phone: Phone, *, networks: Collection[str] = ()) -> None:
    """Raises InvalidPhone for a number that costs many times more than a mobile: a personal number, a satellite phone,
    or a number without a country whose calling code is not among `networks`."""
    is_excluded = bool(phone.network) and phone.network not in networks
    if phone.type is NumberType.PERSONAL or is_excluded or phone.e164.startswith(_SATELLITES):
        raise InvalidPhone(PhoneProblem.NO_MESSAGES)


def parse(text: str, *, country: str | None = None) -> Phone:
    """As `read`, for numbers that every project may send to. Raises InvalidPhone."""
    phone = read(text, country=country)
    check_deliverable(phone)
    return phone


def country_of(e164: str) -> str:
    """ISO 3166 alpha-2 of a stored number; "" for one without a country, or of an older numbering plan."""
    try:
        return read(e164).country
    except InvalidPhone:
        return ""


def mask(e164: str) -> str:
    """`+852 •••• ••67`: the calling code and the last two digits, never more. A pseudonym stays as it is."""
    if pseudonyms.is_pseudonym(e164):
        return e164
    parts = plans.split(e164) or spellings.split(e164)
    if parts is None:
        return "••••" + e164[-2:] if len(e164) > 6 else "••••"
    calling_code, national = parts
    # Tokelau has four digits; with fewer, two would reveal too much.
    shown = national[-2:] if len(national) > 3 else ""
    hidden = "•" * max(len(national) - len(shown), 4) + shown
    groups = " ".join([hidden[start : start + 4] for start in range(0, len(hidden), 4)])
    return f"+{calling_code} {groups}"


def formatted(e164: str) -> str:
    """`+852 5123 4567`: the whole number in its international format, to show to its owner."""
    number = spellings.parse(e164, None)
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) if number else e164


# Masking of free text. Our ids, hashes and times stay readable; any other seven digits in a row count as a number, in
# any context ("user-852…", "%2B852…"). Linear: each repetition is bounded, or cannot fail once started.
_SEPARATOR = r"[^\S\n]|[().\-/\u00ad\u200b\u200e\u200f\u2010-\u2015\u202a-\u202e\u2060\u2066-\u2069]"
_SENSITIVE = re.compile(
    r"""
    (?P<kept>
        (?<![0-9A-Za-z-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z-])      # UUID
        | (?<![0-9A-Za-z])(?:[A-Z]{2})?(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9A-Za-z])  # hash, sid
        | (?<!\d)20\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,6})?)?(?!\d)    # ISO 8601
    )
    | (?P<wamid>wamid\.[\w+/=%\\-]+)
    | (?P<phone>\+?\d(?:(?:"""
    + _SEPARATOR
    + r"""){0,3}\d){6,})
    """,
    re.VERBOSE,
)

# Most of what is masked is one of our words or ids, which this tells at an eighth of the time.
_HARMLESS = re.compile(
    r"(?!.*wamid)[A-Za-z_. -]*"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|[0-9a-f]{32}(?:[0-9a-f]{8}|[0-9a-f]{32})?"
)
is_harmless = _HARMLESS.fullmatch  # whether `mask_text` would leave a text as it is; it may for others


def _mask_match(match: re.Match[str]) -> str:
    if match["kept"]:
        return match["kept"]
    return "wamid.••••" if match["wamid"] else "••••" + match["phone"][-2:]


def mask_text(text: str) -> str:
    """Mask everything that looks like a phone number, and WhatsApp's message ids, which contain one."""
    return text if is_harmless(text) else _SENSITIVE.sub(_mask_match, text)


@cache
def calling_codes() -> dict[str, int]:
    """ISO country → calling code, for every country and territory that the library knows."""
    return {
        region: phonenumbers.country_code_for_region(region)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    }
