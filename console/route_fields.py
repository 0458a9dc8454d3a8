"""Routes in the login methods form: a row each with countries, order, wait and sender. A formset inside a field."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import TOTAL_FORM_COUNT, BaseFormSet, formset_factory
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
)

from console.countries import all_countries, flag
from console.country_fields import OfOurs, country_codes
from projects import routing
from projects.rules import BOTH

PREFIX = "routing"
_ORDERS = (
    ("whatsapp sms", _("WhatsApp, then SMS")),
    ("sms whatsapp", _("SMS, then WhatsApp")),
    ("whatsapp", _("WhatsApp only")),
    ("sms", _("SMS only")),
)


class CountrySelect(UnfoldAdminSelect2MultipleWidget):  # type: ignore[misc] # unfold is not annotated
    """Its options in one go: a page has as many of these as routes."""

    def render(
        self,
        name: str,
        value: Any,  # noqa: ANN401 # Django's signature
        attrs: dict[str, Any] | None = None,
        renderer: object = None,  # noqa: ARG002 # Django's signature
    ) -> SafeString:
        chosen = set(value or ())
        options = format_html_join(
            "",
            '<option value="{}"{}>{} {} +{}</option>',
            (
                (
                    item.code,
                    SafeString(" selected") if item.code in chosen else "",
                    flag(item.code),
                    item.name,
                    item.calling_code,
                )
                for item in all_countries()
            ),
        )
        given = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        return format_html("<select multiple{}>{}</select>", flatatt(given), options)


class RouteForm(forms.Form):
    """One route. The rules that compare it with the rest are `projects.routing.problems`."""

    countries = forms.MultipleChoiceField(
        label=_("Countries"), required=False, choices=country_codes, widget=CountrySelect
    )
    order = forms.ChoiceField(
        label=_("Order"), choices=_ORDERS, required=False, widget=UnfoldAdminSelectWidget
    )
    wait_seconds = forms.IntegerField(
        label=_("Wait (seconds)"),
        required=False,
        min_value=routing.WAIT_SECONDS[0],
        max_value=routing.WAIT_SECONDS[1],
        widget=UnfoldAdminIntegerFieldWidget,
    )
    sender = forms.ChoiceField(label=_("Sender"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, senders: Mapping[str, str], **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        super().__init__(*args, **kwargs)
        field = self.fields["sender"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 # declared above
        gone = self.initial.get("sender", "")
        field.choices = [
            ("", _("as usual")),
            *((name, f"{name} ({channel})") for name, channel in senders.items()),
            *([(gone, _("%(name)s (not active)") % {"name": gone})] if gone and gone not in senders else []),
        ]

    @property
    def is_empty(self) -> bool:
        """A row in which nobody chose a country; its other fields have values from the start."""
        return not self.cleaned_data.get("countries") and not self.cleaned_data.get("wait_seconds")

    def route(self, offered: Sequence[str]) -> dict[str, Any]:
        """As it is stored. What the page hides is left out: channels that the mode does not offer, and a wait that
        nothing waits for."""
        values = self.cleaned_data
        typed = str(values.get("order") or _ORDERS[0][0]).split()
        order = [channel for channel in typed if channel in offered] or typed
        wait = values.get("wait_seconds") if tuple(order) == BOTH else None
        return routing.stored(
            countries=values["countries"], order=order, wait_seconds=wait, sender=values.get("sender") or ""
        )


class RouteFormSet(BaseFormSet):  # type: ignore[type-arg] # not subscriptable at run time
    """The rows, one of them empty."""

    def rows(self) -> list[RouteForm]:
        """Those that stay."""
        return [
            form for form in self.forms if form.cleaned_data and not (self._is_deleted(form) or form.is_empty)
        ]

    def _is_deleted(self, form: forms.BaseForm) -> bool:
        return bool(form.cleaned_data.get("DELETE"))

    def texts(self) -> list[str]:
        """What is wrong with the rows by themselves."""
        return [
            routing.sentence(number, key, problem.rstrip("."))
            for number, form in enumerate(self.forms)
            if not self._is_deleted(form)
            for key, problems in form.errors.items()
            for problem in problems
        ]


_FORMSET = formset_factory(
    RouteForm, formset=RouteFormSet, extra=1, can_delete=True, max_num=routing.MOST_ROUTES, validate_max=True
)


def routes_of(
    stored: Sequence[Mapping[str, Any]], *, data: Mapping[str, Any] | None, senders: Mapping[str, str]
) -> RouteFormSet:
    """`data`: what was posted; without rows of routes in it they stay as they are."""
    initial = [{**route, "order": " ".join(route["order"])} for route in stored]
    posted = data if data is not None and f"{PREFIX}-{TOTAL_FORM_COUNT}" in data else None
    formset = _FORMSET(posted, initial=initial, prefix=PREFIX, form_kwargs={"senders": senders})
    assert isinstance(formset, RouteFormSet)  # noqa: S101 # made of it
    return formset


class RoutesWidget(OfOurs, forms.Widget):
    """Set by the form: `formset`, and `offered`, the channels of the mode that was posted."""

    template_name = "admin/projects/routes.html"
    formset: RouteFormSet
    offered: Sequence[str] = BOTH

    class Media:
        js: ClassVar = CountrySelect.Media.js
        css: ClassVar = CountrySelect.Media.css

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ANN401 # Django's signature
        return {
            **super().get_context(name, value, attrs),
            "formset": self.formset,
            "bounds": routing.WAIT_SECONDS,
        }

    def value_from_datadict(self, _data: object, _files: object, _name: str) -> list[dict[str, Any]] | None:
        """None: nothing was posted, or it is not valid."""
        if not self.formset.is_bound or not self.formset.is_valid():
            return None
        return [form.route(self.offered) for form in self.formset.rows()]

    def value_omitted_from_data(self, _data: object, _files: object, _name: str) -> bool:
        return not self.formset.is_bound


class RoutesField(forms.Field):
    """A list of routes as they are stored."""

    widget = RoutesWidget

    def clean(self, value: Any) -> list[dict[str, Any]] | None:  # noqa: ANN401 # Django's signature
        formset = self.widget.formset
        if formset.is_bound and not formset.is_valid():
            raise ValidationError([*formset.texts(), *map(str, formset.non_form_errors())])
        return value if isinstance(value, list) else None

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ANN401 # Django's signature
        return data is not None and data != initial
