"""The form of login methods: no JSON to type, no promise that no sender keeps, and what does not apply is ignored."""

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanSwitchWidget

from channels import validation
from console.country_fields import (
    CountriesWidget,
    OneAvailable,
    PinnedWidget,
    allowed_codes,
    country_codes,
)
from console.route_fields import RoutesField, RoutesWidget, routes_of
from otp import policy
from projects import models, routing
from projects.models import Authentication, Identifier, LoginMethods
from projects.rules import ALL, BOTH, CHANNELS_OF, NETWORKS

# The bounds of each number, and in what it is counted.
_BOUNDS = {
    "otp_length": (models.OTP_LENGTH, _("%(least)d to %(most)d digits.")),
    "otp_valid_seconds": (models.OTP_VALID_SECONDS, _("%(least)d to %(most)d seconds.")),
    "resend_after_seconds": (models.RESEND_AFTER_SECONDS, _("%(least)d to %(most)d seconds.")),
    "max_attempts": (models.MAX_ATTEMPTS, _("%(least)d to %(most)d wrong codes.")),
    "fallback_wait_seconds": (models.FALLBACK_WAIT_SECONDS, _("%(least)d to %(most)d seconds.")),
}
# They say what follows WhatsApp: without a second channel nothing does.
_OF_FALLBACK = ("fallback_enabled", "fallback_wait_seconds")


class LoginMethodsForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """Everything that is refused is refused beside its field, and then nothing is saved."""

    identifier = forms.ChoiceField(
        label=_("Select login methods"),
        choices=Identifier,
        widget=OneAvailable(missing=[_("Email"), _("Username"), _("Social login"), _("Passkey")]),
    )
    authentication = forms.ChoiceField(
        label=_("Authentication"), choices=Authentication, widget=OneAvailable(missing=[_("Password")])
    )
    all_countries = forms.BooleanField(
        label=_("All countries"), required=False, widget=UnfoldBooleanSwitchWidget,
        help_text=_("Every number in the world may ask for a paid message: choose countries where you can."),
    )  # fmt: skip
    countries_allowed = forms.MultipleChoiceField(
        label=_("Countries allowed"), required=False, choices=allowed_codes, widget=CountriesWidget,
        help_text=_("Nobody else receives a message."),
    )  # fmt: skip
    countries_pinned = forms.MultipleChoiceField(
        label=_("Countries shown first"), required=False, choices=country_codes, widget=PinnedWidget,
        help_text=_("On the login page, in this order."),
    )  # fmt: skip
    routing = RoutesField(
        label=_("Routing"), required=False,
        help_text=_("Numbers of the countries of a route get its channels, in its order. All others follow the tab "
                    "Verification and OTP. A sender can be chosen once it has a name, under Senders."),
    )  # fmt: skip

    class Meta:
        model = LoginMethods
        fields = "__all__"  # noqa: DJ007 # the admin's fieldsets choose

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        super().__init__(*args, **kwargs)
        allowed = self.instance.countries_allowed
        if ALL in allowed:
            self.initial["all_countries"] = True
            self.initial["countries_allowed"] = [code for code in allowed if code in NETWORKS]
        self._add_bounds()
        # Staff who may only look get no fields.
        if "countries_allowed" in self.fields:
            self._widget("countries_allowed", CountriesWidget).pinned = self["countries_pinned"].value() or ()
        if "routing" in self.fields:
            self._senders = validation.named_senders(self.instance.project_id)
            widget = self._widget("routing", RoutesWidget)
            posted = self.data if self.is_bound else None
            widget.formset = routes_of(self.instance.routing, data=posted, senders=self._senders)
            mode = self.data.get("verify_phone_by") if self.is_bound else self.instance.verify_phone_by
            widget.offered = self._offered(str(mode))

    def _widget[Kind: forms.Widget](self, name: str, kind: type[Kind]) -> Kind:
        widget = self.fields[name].widget
        assert isinstance(widget, kind)  # noqa: S101 # declared above
        return widget

    def _add_bounds(self) -> None:
        for name in self.fields.keys() & _BOUNDS.keys():
            (least, most), text = _BOUNDS[name]
            field = self.fields[name]
            field.widget.attrs |= {"min": least, "max": most}
            field.help_text = str(text) % {"least": least, "most": most}
        if "resend_after_seconds" in self.fields:
            field = self.fields["resend_after_seconds"]
            field.help_text = format_html("{} {}", field.help_text, self._growing_waits())

    def _growing_waits(self) -> str:
        """For the value in the field; a script keeps it so while somebody types."""
        typed = str(
            self.data.get("resend_after_seconds") or ""
        )  # a bound field keeps the help it is made with
        base = int(typed) if typed.isdecimal() else self.instance.resend_after_seconds
        waits = [
            int(policy.resend_wait(resend_after_seconds=base, sends=n).total_seconds()) for n in (1, 2, 3)
        ]
        text = str(_("Grows with every send: {waits} seconds …"))
        shown = text.replace("{waits}", ", ".join(map(str, waits)))
        return format_html('<span data-grows="{}">{}</span>', text, shown)

    @staticmethod
    def _offered(mode: str) -> tuple[str, ...]:
        return CHANNELS_OF.get(mode, BOTH)

    # Validation ---------------------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("all_countries"):
            networks = [code for code in cleaned.get("countries_allowed", ()) if code in NETWORKS]
            cleaned["countries_allowed"] = [ALL, *networks]
        if cleaned.get("routing") is None:  # not posted
            cleaned["routing"] = self.instance.routing
        mode = cleaned.get("verify_phone_by")
        if mode:
            self._ignore_what_does_not_apply(cleaned, mode)
            self._check_promise(mode)
            self._check_route_senders(cleaned)
        return cleaned

    def _ignore_what_does_not_apply(self, cleaned: dict[str, Any], mode: str) -> None:
        """The page hides it, so what is stored stays."""
        if len(self._offered(mode)) > 1:
            return
        for name in _OF_FALLBACK:
            self.errors.pop(name, None)
            cleaned[name] = getattr(self.instance, name)

    def _check_promise(self, mode: str) -> None:
        project = getattr(self.instance, "project", None)
        if project is None or validation.may_wait(project.pk):
            return
        for channel in validation.unserved_channels(project_id=project.pk, verify_phone_by=mode):
            message = (
                _(
                    "This promises SMS, but no active SMS sender serves the project. Add one under Senders first."
                )
                if channel == "sms"
                else _(
                    "This promises WhatsApp, but no active WhatsApp sender serves the project. Add one first."
                )
            )
            self.add_error("verify_phone_by", message)

    def _check_route_senders(self, cleaned: dict[str, Any]) -> None:
        """The other rules of routes are the model's (`LoginMethods.clean`)."""
        if "routing" in self.errors or not {"countries_allowed", "otp_valid_seconds"} <= cleaned.keys():
            return
        for number, key, problem in routing.problems(cleaned, senders=self._senders):
            if key == "sender":
                self.add_error("routing", routing.sentence(number, key, problem))
