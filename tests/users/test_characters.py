"""What stands between the digits of numbers, by Unicode's properties."""

import sys
import unicodedata

import pytest
from phonenumbers import phonenumberutil

from users import characters, phones
from users.phones import InvalidPhone, PhoneProblem

# One of every block that Unicode keeps for the property Default_Ignorable_Code_Point.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u17b4\u180b\u180e\u200b\u200c\u200d\u200e\u202a\u202e\u2060\u2064\u2066\u2069\u206f"
    "\u3164\ufe00\ufe0f\ufeff\uffa0\ufff0\U0001bca0\U0001d173\U000e0001\U000e0100"
)


@pytest.mark.parametrize("character", INVISIBLE, ids=ascii)
def test_invisible_characters_are_skipped(character: str) -> None:
    """N4."""
    assert phones.parse(f"{character}+852{character}5127{character}1003{character}").e164 == "+85251271003"


@pytest.mark.parametrize(
    "character", " \t\r\n\v\f\x85\u00a0\u1680\u2007\u2028\u2029\u202f\u205f\u3000", ids=ascii
)
def test_separators_are_skipped(character: str) -> None:
    """N4."""
    assert phones.parse(f"+852{character}5127{character}1003").e164 == "+85251271003"


def test_every_sign_that_libphonenumber_reads_between_digits_is_read() -> None:
    """N4: all but the x that stands for a digit, and before an extension."""
    signs = [
        chr(point)
        for point in range(0x10000)
        if phonenumberutil._VALID_PUNCTUATION and _is_punctuation(chr(point))
    ]

    assert len(signs) > 25
    for sign in signs:
        assert phones.parse(f"+852{sign}5127{sign}1003").e164 == "+85251271003", ascii(sign)


def _is_punctuation(character: str) -> bool:
    import re

    return character != "x" and bool(re.fullmatch(f"[{phonenumberutil._VALID_PUNCTUATION}]", character))


def test_digits_of_every_script() -> None:
    """N4: category Nd, whatever there is."""
    zeros = [point for point in range(sys.maxunicode) if unicodedata.decimal(chr(point), None) == 0]

    assert len(zeros) > 60
    for zero in zeros:
        typed = "+" + "".join(chr(zero + int(digit)) for digit in "85251271003")
        assert phones.parse(typed).e164 == "+85251271003", hex(zero)


@pytest.mark.parametrize(
    "character",
    ["\0", "\x1b", "a", "é", "*", "#", ",", ";", ":", "_", "½", "①", "²", "\ue000", "\ud800", "😀"],
    ids=ascii,
)
def test_anything_else_is_part_of_no_number(character: str) -> None:
    """N4: skipped would be guessed."""
    with pytest.raises(InvalidPhone) as refused:
        phones.parse(f"+852{character}51271003")

    assert refused.value.problem == PhoneProblem.NOT_A_NUMBER


@pytest.mark.parametrize("mark", "\u0600\u06dd\u070f\u2061\ufff9\ufffb", ids=ascii)
def test_signs_that_show_are_not_invisible(mark: str) -> None:
    """Arabic number signs and annotation marks are format characters that can be seen."""
    assert characters.is_invisible(mark) == (mark == "\u2061")


@pytest.mark.parametrize(
    ("length", "is_read"), [(phones.LONGEST_INPUT, True), (phones.LONGEST_INPUT + 1, False)]
)
def test_the_longest_input_is_read_and_nothing_longer(length: int, is_read: bool) -> None:
    """N4: refused whole, never cut."""
    typed = "+85251271003".ljust(length)

    if is_read:
        assert phones.parse(typed).e164 == "+85251271003"
        return
    with pytest.raises(InvalidPhone):
        phones.parse(typed)
