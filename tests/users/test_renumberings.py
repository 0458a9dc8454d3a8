"""One line has one number: the old spelling of a transition and the new one are the same person."""

import random
import re

import phonenumbers
import pytest

from users import phones
from users.renumberings import RENUMBERINGS, Renumbering, present_form

IDS = [rule.pattern.pattern for rule in RENUMBERINGS]
TEXTABLE = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}


def old_numbers(rule: Renumbering, count: int = 300) -> list[str]:
    """Numbers that the rule moves, found by filling in digits at random; the same in every run."""
    chance = random.Random(rule.pattern.pattern)
    numbers: list[str] = []
    code = phonenumbers.country_code_for_region(rule.country)
    while len(numbers) < count:
        length = chance.randint(6, 12)
        start = "".join(re.findall(r"\d", rule.pattern.pattern.split("(")[0].replace("0?", "")))
        number = "+" + start + "".join(chance.choice("0123456789") for _ in range(length))
        if rule.pattern.fullmatch(number[: 1 + len(str(code)) + length]):
            numbers.append(number[: 1 + len(str(code)) + length])
        elif rule.pattern.fullmatch(number):
            numbers.append(number)
    return numbers


@pytest.mark.parametrize(
    ("typed", "country", "expected"),
    [
        ("+220 701 2345", None, "+220877012345"),
        ("+220 87 701 2345", None, "+220877012345"),
        ("701 2345", "GM", "+220877012345"),
        ("+220 201 2345", None, "+220872012345"),
        ("+220 412 3456", None, "+220874123456"),
        ("+220 301 2345", None, "+220833012345"),
        ("+220 83 301 2345", None, "+220833012345"),
        ("+220 501 2345", None, "+220835012345"),
        ("+220 601 2345", None, "+220866012345"),
        ("+220 86 601 2345", None, "+220866012345"),
        ("+220 901 2345", None, "+2209012345"),
        ("+220 89 901 2345", None, "+2209012345"),
        ("+241 07 12 34 56", None, "+24177123456"),
        ("+241 7 12 34 56", None, "+24177123456"),
        ("+241 77 12 34 56", None, "+24177123456"),
        ("+241 077 12 34 56", None, "+24177123456"),
        ("07 12 34 56", "GA", "+24177123456"),
        ("077 12 34 56", "GA", "+24177123456"),
        ("+241 06 12 34 56", None, "+24166123456"),
        ("+241 2 12 34 56", None, "+24162123456"),
        ("+241 02 12 34 56", None, "+24162123456"),
        ("+241 05 12 34 56", None, "+24165123456"),
        ("+241 4 12 34 56", None, "+24174123456"),
        ("+241 03 12 34 56", None, "+2413123456"),
        ("+241 3 12 34 56", None, "+2413123456"),
        ("97 12 34 56", "BJ", "+2290197123456"),
        ("+229 97 12 34 56", None, "+2290197123456"),
        ("+229 01 97 12 34 56", None, "+2290197123456"),
        ("+55 21 9612-3456", None, "+5521996123456"),
        ("(21) 9612-3456", "BR", "+5521996123456"),
        ("+55 11 7123-4567", None, "+551171234567"),
        ("+225 07 12 34 56", None, "+2250707123456"),
        ("05 12 34 56", "CI", "+2250505123456"),
        ("+225 41 12 34 56", None, "+2250141123456"),
        ("77 12 34 56", "CM", "+237677123456"),
        ("0162 345 6789", "VN", "+84323456789"),
        ("+84 120 123 4567", None, "+84701234567"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
    ],
)
def test_every_spelling_gives_the_present_number(typed: str, country: str | None, expected: str) -> None:
    """N1, N2."""
    assert phones.parse(typed, country=country).e164 == expected


@pytest.mark.parametrize("rule", RENUMBERINGS, ids=IDS)
def test_every_rule_leads_to_mobiles_of_its_country(rule: Renumbering) -> None:
    """N1: held against the installed metadata, which must call the new numbers valid."""
    moved = {number: present_form(number) for number in old_numbers(rule)}
    valid = [
        number
        for number in moved.values()
        if phonenumbers.number_type(phonenumbers.parse(number)) in TEXTABLE
        and phonenumbers.region_code_for_number(phonenumbers.parse(number)) == rule.country
    ]

    assert all(old != new for old, new in moved.items())
    assert len(valid) > len(moved) / 4


@pytest.mark.parametrize("rule", RENUMBERINGS, ids=IDS)
def test_nothing_but_mobiles_moves(rule: Renumbering) -> None:
    """N1: what the library calls a landline, toll free or the like has not become a mobile."""
    kept = {phonenumbers.PhoneNumberType.UNKNOWN, *TEXTABLE}

    for number in old_numbers(rule):
        assert phonenumbers.number_type(phonenumbers.parse(number)) in kept


@pytest.mark.parametrize("rule", RENUMBERINGS, ids=IDS)
def test_the_present_form_is_its_own(rule: Renumbering) -> None:
    """N1: `renumber` twice is `renumber` once."""
    for number in old_numbers(rule):
        present = present_form(number)
        assert present_form(present) == present


@pytest.mark.parametrize("rule", RENUMBERINGS, ids=IDS)
def test_every_rule_says_since_when_and_who_says_so(rule: Renumbering) -> None:
    assert rule.source
    assert 2010 < rule.since.year < 2030
    assert rule.pattern.pattern.startswith(rf"\+{phonenumbers.country_code_for_region(rule.country)}")


@pytest.mark.parametrize("e164", ["+85251234567", "+447911123456", "+14155550132", "+8613800138000", "+", ""])
def test_other_numbers_stay(e164: str) -> None:
    assert present_form(e164) == e164


@pytest.mark.parametrize(
    "landline", ["+220 421 2345", "+220 566 1234", "+241 01 12 34 56", "+229 20 21 12 34"]
)
def test_landlines_of_these_countries_stay_landlines(landline: str) -> None:
    """N1, N2."""
    with pytest.raises(phones.InvalidPhone) as refused:
        phones.parse(landline)

    assert refused.value.problem == phones.PhoneProblem.LANDLINE
