"""Countries as pages of the admin show them: flag, name in the reader's language, calling code."""

from collections.abc import Iterable

from django.utils.translation import get_language

from login.countries import Country, choices


def all_countries() -> tuple[Country, ...]:
    """By name."""
    return choices(language=get_language() or "en", allowed=None, pinned=())


def flag(code: str) -> str:
    """🇭🇰 for HK."""
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in code)


def country_choices() -> list[tuple[str, str]]:
    """For a field of a form."""
    return [(country.code, f"{country.name} (+{country.calling_code})") for country in all_countries()]


def names(codes: Iterable[str]) -> str:
    """Hong Kong, United Kingdom, +881."""
    known = {country.code: country.name for country in all_countries()}
    return ", ".join(known.get(code, code) for code in codes)
