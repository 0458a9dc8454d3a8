"""Numbers that their country has changed, as data: the old form of a line → its present one.

People type and paste the old form for years, and libphonenumber accepts both during the transition. Here each line has
one form, the present one. Patterns match a whole number in E.164.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Renumbering:
    """One rule of one regulator's notice (`source`). `since` is the first day of the new numbers."""

    country: str  # ISO 3166 alpha-2
    pattern: re.Pattern[str]
    replacement: str
    since: date
    source: str


def _rules(country: str, *, since: date, source: str, changes: Mapping[str, str]) -> tuple[Renumbering, ...]:
    return tuple(
        Renumbering(country=country, pattern=re.compile(old), replacement=new, since=since, source=source)
        for old, new in changes.items()
    )


RENUMBERINGS: tuple[Renumbering, ...] = (
    *_rules(
        "GM",
        since=date(2026, 9, 4),  # the seven digits end on 30 November 2026
        source="PURA, migration of the national mobile numbering plan from 7 to 9 digits",
        changes={
            r"\+220([27]\d{6}|4[015]\d{5})": r"+22087\1",  # Africell
            r"\+220(3\d{6}|5(?:[0-489]\d|56)\d{4})": r"+22083\1",  # QCell; the rest of 5 are landlines
            r"\+220(6\d{6}|8[4-7]\d{5})": r"+22086\1",  # Comium
            r"\+22089(9\d{6})": r"+220\1",  # Gamcel keeps seven digits
        },
    ),
    *_rules(
        "GA",
        since=date(2019, 6, 29),  # the old ones ended in April 2024
        source="ARCEP Gabon, plan national de numérotation",
        changes={
            r"\+2410?2(\d{6})": r"+24162\1",
            r"\+2410?4(\d{6})": r"+24174\1",
            r"\+2410?5(\d{6})": r"+24165\1",
            r"\+2410?6(\d{6})": r"+24166\1",
            r"\+2410?7(\d{6})": r"+24177\1",
            r"\+24103(\d{6})": r"+2413\1",  # not in the notice; never had its zero abroad
        },
    ),
    *_rules(
        "BJ",
        since=date(2024, 11, 30),
        source="ARCEP Bénin, passage de 8 à 10 chiffres",
        changes={r"\+229([2-9]\d{7})": r"+22901\1"},
    ),
    *_rules(
        "BR",
        since=date(2012, 7, 29),  # São Paulo; everywhere since 6 November 2016
        source="Anatel, resolution 553/2010",
        # Numbers with 7 were Nextel radios, which never got the ninth digit.
        changes={r"\+55([1-9]\d)([689]\d{7})": r"+55\g<1>9\2"},
    ),
    *_rules(
        "CI",
        since=date(2021, 1, 31),
        source="ARTCI, passage de 8 à 10 chiffres",
        # The second digit named the operator.
        changes={
            r"\+225([0457][0-3]\d{6})": r"+22501\1",  # Moov
            r"\+225([04-9][4-6]\d{6})": r"+22505\1",  # MTN
            r"\+225([04-9][7-9]\d{6})": r"+22507\1",  # Orange
        },
    ),
    *_rules(
        "CM",
        since=date(2014, 11, 21),
        source="ART Cameroun, passage de 8 à 9 chiffres",
        changes={r"\+237([5679]\d{7})": r"+2376\1"},
    ),
    *_rules(
        "MX",
        since=date(2019, 8, 3),
        source="IFT, plan técnico fundamental de numeración",
        changes={r"\+521(\d{10})": r"+52\1"},
    ),
    *_rules(
        "VN",
        since=date(2018, 9, 15),
        source="Ministry of Information and Communications, decision 798/QĐ-BTTTT",
        changes={
            r"\+8416([2-9]\d{7})": r"+843\1",
            **{
                rf"\+84{old}(\d{{7}})": rf"+84{new}\1"
                for old, new in (
                    ("120", "70"), ("121", "79"), ("122", "77"), ("126", "76"), ("128", "78"), ("123", "83"),
                    ("124", "84"), ("125", "85"), ("127", "81"), ("129", "82"), ("186", "56"), ("188", "58"),
                    ("199", "59"),
                )
            },
        },
    ),
)  # fmt: skip


# The prefix of all patterns of a country: a number is compared with the rules of its own country only.
_CALLING_CODES: Mapping[str, str] = {
    "GM": "+220", "GA": "+241", "BJ": "+229", "BR": "+55", "CI": "+225", "CM": "+237", "MX": "+52", "VN": "+84",
}  # fmt: skip
_RULES: Mapping[str, tuple[Renumbering, ...]] = {
    calling_code: tuple(rule for rule in RENUMBERINGS if rule.country == country)
    for country, calling_code in _CALLING_CODES.items()
}
CALLING_CODES = tuple(_RULES)


def present_form(e164: str) -> str:
    """The present number of this line; `e164` itself if its country has not changed it."""
    for rule in _RULES.get(e164[:4]) or _RULES.get(e164[:3], ()):
        match = rule.pattern.fullmatch(e164)
        if match:
            return match.expand(rule.replacement)
    return e164
