"""The numbering plans of `phonenumbers`, compiled: what the library says of a number that is written "+<digits>".

Nearly every number that is read or masked is written so, and nothing of it has to be stripped or guessed. Of such a one
the library is asked for its patterns alone, which saves nine of ten function calls. `users.phones` asks the library
itself about everything else (tests compare them).
"""

import re
from dataclasses import dataclass
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberType
from phonenumbers.phonemetadata import PhoneNumberDesc

_LONGEST_CODE = 3
_PLAIN = re.compile(r"\+[1-9][0-9]{6,14}")  # fifteen digits: ITU-T E.164
_CODES = {str(code): code for code in COUNTRY_CODE_TO_REGION_CODE}
_ANY_LENGTH = range(20)
# The library's order: a number is of the first of these kinds that it fits. `UNKNOWN` stands for the whole plan, which
# it has to fit as well.
_KINDS = {
    "general_desc": PhoneNumberType.UNKNOWN,
    "premium_rate": PhoneNumberType.PREMIUM_RATE,
    "toll_free": PhoneNumberType.TOLL_FREE,
    "shared_cost": PhoneNumberType.SHARED_COST,
    "voip": PhoneNumberType.VOIP,
    "personal_number": PhoneNumberType.PERSONAL_NUMBER,
    "pager": PhoneNumberType.PAGER,
    "uan": PhoneNumberType.UAN,
    "voicemail": PhoneNumberType.VOICEMAIL,
    "fixed_line": PhoneNumberType.FIXED_LINE,
    "mobile": PhoneNumberType.MOBILE,
}
_FIXED_AND_MOBILE = [PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE]


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """Of one region, or of one calling code without a region."""

    leading_digits: (
        re.Pattern[str] | None
    )  # these alone tell its numbers from those of others with its calling code
    national_prefix: re.Pattern[str] | None
    kinds: tuple[tuple[int, tuple[int, ...] | range, re.Pattern[str]], ...]  # and their possible lengths


@cache  # one for each region: the library loads them as they are asked for
def _plan(code: int, region: str) -> _Plan:
    data = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if data is None:
        raise LookupError(region)
    shared = data.same_mobile_and_fixed_line_pattern
    kinds = []
    for name, kind in _KINDS.items():
        described: PhoneNumberDesc | None = getattr(data, name)
        if described and described.national_number_pattern and not (shared and name == "mobile"):
            both = shared and name == "fixed_line"
            kinds.append(
                (
                    PhoneNumberType.FIXED_LINE_OR_MOBILE if both else kind,
                    described.possible_length or _ANY_LENGTH,
                    re.compile(described.national_number_pattern),
                )
            )
    is_alone = len(COUNTRY_CODE_TO_REGION_CODE[code]) == 1
    leading, prefix = data.leading_digits, data.national_prefix_for_parsing
    return _Plan(
        leading_digits=re.compile(leading) if leading and not is_alone else None,
        national_prefix=re.compile(prefix) if prefix else None,
        kinds=tuple(kinds),
    )


def split(text: str) -> tuple[int, str] | None:
    """Calling code and national number of "+<digits>"; None for what the library has to read."""
    if not _PLAIN.fullmatch(text):
        return None
    for end in range(2, _LONGEST_CODE + 2):  # no calling code begins like another
        code = _CODES.get(text[1:end])
        if code:
            break
    else:
        return None
    national = text[end:]
    prefix = _plan(code, COUNTRY_CODE_TO_REGION_CODE[code][0]).national_prefix
    stripped = prefix and prefix.match(national)
    return None if stripped and (stripped.end() or stripped.lastindex) else (code, national)


def region_and_kind(code: int, national: str) -> tuple[str, int]:
    """The region of a number that was split, and its PhoneNumberType: `UNKNOWN` unless it is valid."""
    for region in COUNTRY_CODE_TO_REGION_CODE[code]:
        plan = _plan(code, region)
        if plan.leading_digits and not plan.leading_digits.match(national):
            continue
        fitting = [
            kind
            for kind, lengths, pattern in plan.kinds
            if len(national) in lengths and pattern.fullmatch(national)
        ]
        kinds = fitting[1:] if fitting[:1] == [PhoneNumberType.UNKNOWN] else []
        if kinds == _FIXED_AND_MOBILE:
            return region, PhoneNumberType.FIXED_LINE_OR_MOBILE
        if kinds:
            return region, kinds[0]
        if plan.leading_digits:
            break  # the library looks no further
    return "", PhoneNumberType.UNKNOWN
