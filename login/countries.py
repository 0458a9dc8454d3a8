"""The countries of the phone form: the select, names in the reader's language, and the likeliest country."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header

from channels import languages
from projects.config import ProjectConfig
from users.phones import calling_codes


@dataclass(frozen=True, kw_only=True)
class Country:
    code: str  # ISO 3166 alpha-2
    name: str  # in the reader's language
    calling_code: str  # without the plus


@dataclass(frozen=True, kw_only=True)
class Countries:
    """`only`: the one country of a project that allows one; the form does not ask for it."""

    options: SafeString
    only: str


def countries_for(project: ProjectConfig, *, chosen: str, accept_language: str) -> Countries:
    allowed, pinned = project.countries_allowed, project.countries_pinned
    selected = chosen or guess(accept_language, allowed=allowed, pinned=pinned)
    only = next(iter(allowed)) if allowed and len(allowed) == 1 else ""
    return Countries(options=_options(get_language() or "en", allowed, pinned, selected), only=only)


@lru_cache(maxsize=512)
def _options(
    language: str, allowed: frozenset[str] | None, pinned: tuple[str, ...], selected: str
) -> SafeString:
    """Cached, because 245 options cost more to render than the rest of the page."""
    countries = choices(language=language, allowed=allowed, pinned=pinned)
    if selected not in {country.code for country in countries}:
        selected = ""
    first = [country for country in countries if country.code in pinned]
    parts = [] if selected else [format_html('<option value="">{}</option>', _("Choose your country"))]
    parts += [_option(country, selected) for country in first]
    if first and len(first) < len(countries):
        parts.append(SafeString("<hr>"))
    parts += [_option(country, selected) for country in countries if country.code not in pinned]
    return mark_safe("\n".join(parts))  # noqa: S308 # joined from escaped parts


def _option(country: Country, selected: str) -> SafeString:
    return format_html(
        '<option value="{}"{}>{} {}+{}</option>',
        country.code,
        SafeString(" selected") if country.code == selected else "",
        country.name,
        # In right-to-left text the plus would move behind the digits.
        "\u200e" if get_language_bidi() else "",
        country.calling_code,
    )


@lru_cache(maxsize=256)
def choices(*, language: str, allowed: frozenset[str] | None, pinned: tuple[str, ...]) -> tuple[Country, ...]:
    """The countries that may receive a message: pinned ones first in their order, the rest by name."""
    by_code = _by_code(language)
    shown = [code for code in by_code if allowed is None or code in allowed]
    first = [code for code in dict.fromkeys(pinned) if code in shown]
    return tuple(by_code[code] for code in (*first, *(code for code in shown if code not in first)))


@lru_cache(maxsize=64)
def _by_code(language: str) -> dict[str, Country]:
    """All countries, sorted by name."""
    names, english = _locale(language).territories, Locale("en").territories
    countries = [
        Country(
            code=code,
            name=names.get(code) or english.get(code) or code,
            calling_code=str(calling_code),
        )
        for code, calling_code in calling_codes().items()
    ]
    return {
        country.code: country for country in sorted(countries, key=lambda country: _sort_key(country.name))
    }


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _sort_key(name: str) -> tuple[str, str]:
    """Österreich sorts near O, not behind Z; the full name decides between names that differ in accents only."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)), name


def guess(accept_language: str, *, allowed: frozenset[str] | None, pinned: tuple[str, ...]) -> str:
    """The likeliest country of a browser: the first allowed one that its languages name or imply.

    Else the first pinned one, else the only allowed one, else "".
    """
    possible = frozenset(calling_codes()) if allowed is None else allowed
    for tag, quality in parse_accept_lang_header(accept_language.lower()):
        if quality and (region := _region(tag)) in possible:
            return region
    first_pinned = next((code for code in pinned if code in possible), "")
    return first_pinned or (next(iter(possible)) if len(possible) == 1 else "")


def _region(text: str) -> str:
    """The country that a language tag names, else the likeliest one of its language and script."""
    tag = languages.read(text)
    if tag is None or tag.region.isdigit():  # a part of the world, as in es-419
        return ""
    if not tag.region:
        return languages.likely_region(text.partition("-")[0], tag.script)
    current = get_global("territory_aliases").get(tag.region, ())  # en-UK is common, and means GB
    return str(current[0]) if len(current) == 1 else tag.region
