"""The countries of the phone form: names in the reader's language, pinned ones first, and a guess. Pure."""

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
        country.code: country for country in sorted(countries, key=lambda country: country.name.casefold())
    }


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
    for item in accept_language[:_LONGEST_HEADER].split(","):
        region = _region(item.partition(";")[0].strip())
        if region in may:
            return region
    first = next((code for code in pinned if code in may), "")
    return first or (next(iter(may)) if len(may) == 1 else "")


def _region(tag: str) -> str:
    parts = tag.split("-")
    named = next((part.upper() for part in parts[1:] if len(part) == 2 and part.isalpha()), "")
    if named or not parts[0].isalpha():
        return named
    likely = get_global("likely_subtags").get(parts[0].lower(), "")
    return str(likely).rpartition("_")[2]
