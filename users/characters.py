"""The characters that people type and paste around digits, classified by Unicode properties. Pure."""

import unicodedata
from functools import lru_cache

# Default_Ignorable_Code_Point (DerivedCoreProperties.txt): joiners, bidi marks, soft hyphens, variation selectors …
# Python's unicodedata lacks this property. Unicode reserves whole blocks for it, so the list hardly ever grows.
_IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_CONTROL_SPACES = frozenset("\t\n\v\f\r\x85")
# Not in the dash category, but typed as one: the minus signs and the long vowel of Japanese keyboards.
_OTHER_DASHES = frozenset("\u2212\u207b\u208b\u30fc\uff70\u02d7")
# What libphonenumber accepts between digits besides spaces and dashes, without the x of its placeholders.
_PHONE_MARKS = frozenset("()[]./~\uff08\uff09\uff0e\uff0f\uff3b\uff3d\u2053\u223c\uff5e")
PLUS_SIGNS = frozenset("+\uff0b\ufe62")


@lru_cache(maxsize=1024)
def is_invisible(character: str) -> bool:
    point = ord(character)
    return any(first <= point <= last for first, last in _IGNORABLE)


def is_space(character: str) -> bool:
    """A separator of any script, line ends included."""
    return character in _CONTROL_SPACES or unicodedata.category(character)[0] == "Z"


def is_dash(character: str) -> bool:
    return character in _OTHER_DASHES or unicodedata.category(character) == "Pd"


def is_phone_mark(character: str) -> bool:
    return character in _PHONE_MARKS


def digit(character: str) -> str:
    """The ASCII form of a decimal digit of any script; "" for any other character."""
    value = unicodedata.decimal(character, None)
    return "" if value is None else str(value)
