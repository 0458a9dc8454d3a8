"""The countries of the phone form: names in the reader's language, pinned ones first, and a guess. Pure."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from users.phones import calling_codes

_LONGEST_HEADER = 1000


@dataclass(frozen=True, kw_only=True)
class Country:
    code: str  # ISO 3166 alpha-2
    name: str  # in the reader's language
    calling_code: str  # without the plus
    flag: str  # emoji
    keywords: str  # what a search may contain: names, code, calling code


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def flag(code: str) -> str:
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in code)


@lru_cache(maxsize=64)
def _all(language: str) -> dict[str, Country]:
    names, english = _locale(language).territories, Locale("en").territories
    countries = [
        Country(
            code=code,
            name=names.get(code) or english.get(code) or code,
            calling_code=str(calling_code),
            flag=flag(code),
            keywords=f"{names.get(code, '')} {english.get(code, '')} {code} +{calling_code}".lower(),
        )
        for code, calling_code in calling_codes().items()
    ]
    return {
        country.code: country for country in sorted(countries, key=lambda country: _collated(country.name))
    }


def _collated(name: str) -> tuple[str, str]:
    """Österreich stands near O, not behind Z; the name itself parts those that differ in accents only."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)), name


@lru_cache(maxsize=256)
def choices(*, language: str, allowed: frozenset[str] | None, pinned: tuple[str, ...]) -> tuple[Country, ...]:
    """The countries that may receive a message: pinned ones first in their order, the rest by name. Cached."""
    known = _all(language)
    shown = [code for code in known if allowed is None or code in allowed]
    first = [code for code in dict.fromkeys(pinned) if code in shown]
    return tuple(known[code] for code in (*first, *(code for code in shown if code not in first)))


def guess(accept_language: str, *, allowed: frozenset[str] | None, pinned: tuple[str, ...]) -> str:
    """The likeliest country of a browser: the first allowed one that its languages name or imply.

    Else the first pinned, else the only allowed one, else "".
    """
    may = frozenset(calling_codes()) if allowed is None else allowed
    items = [item.partition(";") for item in accept_language[:_LONGEST_HEADER].split(",")]
    for tag, _, quality in sorted(items, key=lambda item: -_quality(item[2])):
        region = _region(tag.strip()) if _quality(quality) else ""
        if region in may:
            return region
    first = next((code for code in pinned if code in may), "")
    return first or (next(iter(may)) if len(may) == 1 else "")


def _quality(parameter: str) -> float:
    """RFC 9110 `q=0.5`: 1 when it is not given, 0 ("not acceptable") when it makes no sense."""
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    whole, _, fraction = value.strip().partition(".")
    return float(value) if whole in ("0", "1") and (fraction or "0").isdecimal() and value.isascii() else 0.0


def _region(tag: str) -> str:
    """The country that a language tag names, else the one its language and script are likeliest spoken in."""
    language, *rest = tag.split("-")
    if not (language.isascii() and language.isalpha()):
        return ""
    script = ""
    for part in rest:
        if len(part) == 1:  # extensions follow: in en-u-ca-… "ca" is a calendar
            break
        if len(part) == 4 and part.isalpha():
            script = part.title()
        elif len(part) == 2:
            return _renamed(part.upper())
        elif len(part) == 3 and part.isdigit():
            return ""  # a part of the world, as in es-419
    likely = get_global("likely_subtags")
    key = language.lower()
    return str(likely.get(f"{key}_{script}") or likely.get(key) or "").rpartition("_")[2]


def _renamed(region: str) -> str:
    """en-UK is common, and means GB."""
    now = get_global("territory_aliases").get(region, ())
    return str(now[0]) if len(now) == 1 else region
