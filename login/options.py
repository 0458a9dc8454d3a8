"""The country select, rendered once for each language and project: 245 options cost more than the rest of the page."""

from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _

from login import countries
from login.countries import Country
from projects.config import ProjectConfig


@dataclass(frozen=True, kw_only=True)
class Countries:
    """`only` is the country of a project that allows one: it is not asked for."""

    options: SafeString
    only: str


def countries_for(project: ProjectConfig, *, chosen: str, accept_language: str) -> Countries:
    allowed, pinned = project.countries_allowed, project.countries_pinned
    selected = chosen or countries.guess(accept_language, allowed=allowed, pinned=pinned)
    only = next(iter(allowed)) if allowed and len(allowed) == 1 else ""
    return Countries(options=_options(get_language() or "en", allowed, pinned, selected), only=only)


@lru_cache(maxsize=512)
def _options(
    language: str, allowed: frozenset[str] | None, pinned: tuple[str, ...], selected: str
) -> SafeString:
    offered = countries.choices(language=language, allowed=allowed, pinned=pinned)
    if selected not in {country.code for country in offered}:
        selected = ""
    first = [country for country in offered if country.code in pinned]
    parts = [] if selected else [format_html('<option value="">{}</option>', _("Choose your country"))]
    parts += [_option(country, selected) for country in first]
    if first and len(first) < len(offered):
        parts.append(SafeString("<hr>"))
    parts += [_option(country, selected) for country in offered if country.code not in pinned]
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
