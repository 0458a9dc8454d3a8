"""Countries in the login methods form: a list to search and tick, and those shown first in an order to drag.

Both work without scripts: as checkboxes, and as numbers that say the place.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from console.countries import all_countries, flag
from projects.rules import NETWORKS


def country_codes() -> list[tuple[str, str]]:
    return [(country.code, country.name) for country in all_countries()]


def allowed_codes() -> list[tuple[str, str]]:
    """Countries, and behind them the networks of none, which "all countries" does not mean."""
    return [
        *country_codes(),
        *((code, _("Satellite and global networks ({code})").format(code=code)) for code in NETWORKS),
    ]


class OfOurs:
    """A widget whose template is among the product's, where Django's own renderer does not look."""

    def _render(self, template_name: str, context: dict[str, Any], _renderer: object = None) -> SafeString:
        return render_to_string(template_name, context)


class CountriesWidget(OfOurs, forms.SelectMultiple):
    """A box for each country; beside it one for those that are shown first, which belongs to another field."""

    template_name = "admin/projects/countries.html"
    pinned_name = "countries_pinned"
    pinned: Sequence[str] = ()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ANN401 # Django's signature
        context = super().get_context(name, value, attrs)
        chosen = set(value or ())
        context["rows"] = [
            {
                "code": country.code,
                "flag": flag(country.code),
                "name": country.name,
                "calling_code": country.calling_code,
                "is_allowed": country.code in chosen,
                "is_pinned": country.code in self.pinned,
            }
            for country in all_countries()
        ]
        context["networks"] = [{"code": code, "is_allowed": code in chosen} for code in NETWORKS]
        context["pinned_name"] = self.pinned_name
        return context

    def optgroups(self, *_args: Any, **_kwargs: Any) -> list[Any]:  # noqa: ANN401 # Django's signature
        """Rendered by the rows."""
        return []


class PinnedWidget(CountriesWidget):
    """The countries shown first, in their order: a number each, which scripts turn into handles and buttons."""

    template_name = "admin/projects/pinned.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ANN401 # Django's signature
        context = super().get_context(name, value, attrs)
        by_code = {row["code"]: row for row in context["rows"]}
        context["rows"] = [by_code[code] for code in dict.fromkeys(value or ()) if code in by_code]
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:  # noqa: ANN401 # Django's signature
        """Each once, by their numbers; without one, behind the others in the order in which they stand."""
        codes = list(dict.fromkeys(super().value_from_datadict(data, files, name) or ()))
        places = {code: str(data.get(f"{name}-{code}", "")) for code in codes}
        return sorted(codes, key=lambda code: int(places[code]) if places[code].isdecimal() else len(codes))


class OneAvailable(OfOurs, forms.Select):
    """A choice of one, beside others that exist elsewhere and not here."""

    def __init__(self, *args: Any, missing: Sequence[Any] = (), **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        super().__init__(*args, **kwargs)
        self.missing = missing

    template_name = "admin/projects/one_available.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ANN401 # Django's signature
        return {**super().get_context(name, value, attrs), "missing": self.missing}
