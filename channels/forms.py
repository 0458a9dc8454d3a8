"""Forms of the admin for what is checked as a whole: login methods and senders."""

from typing import Any

from babel import Locale
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from channels import validation
from channels.models import SECRET_FIELDS, Sender
from projects.config import CHANNELS_OF
from projects.models import LoginMethods
from users.phones import InvalidPhone, calling_codes, parse


def country_choices() -> list[tuple[str, str]]:
    """Every country by its name in the reader's language, with its calling code."""
    names = Locale.parse((get_language() or "en").replace("-", "_")).territories
    choices = [(code, f"{names.get(code, code)} (+{number})") for code, number in calling_codes().items()]
    return sorted(choices, key=lambda choice: choice[1].casefold())


class LoginMethodsForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """Countries by name instead of JSON, and no promise that no sender keeps."""

    all_countries = forms.BooleanField(
        label=_("All countries"), required=False, widget=UnfoldBooleanSwitchWidget,
        help_text=_("Every number in the world may ask for a paid message: choose countries where you can."),
    )  # fmt: skip
    countries_allowed = forms.MultipleChoiceField(
        label=_("Countries allowed"), required=False, choices=country_choices, widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("Nobody else receives a message."),
    )  # fmt: skip
    countries_pinned = forms.MultipleChoiceField(
        label=_("Countries shown first"), required=False, choices=country_choices,
        widget=UnfoldAdminSelect2MultipleWidget,
    )  # fmt: skip

    class Meta:
        model = LoginMethods
        fields = "__all__"  # noqa: DJ007 # the admin's fieldsets choose

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        super().__init__(*args, **kwargs)
        if self.instance.countries_allowed == ["all"]:
            self.initial["all_countries"] = True
            self.initial["countries_allowed"] = []

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("all_countries"):
            cleaned["countries_allowed"] = ["all"]
        self._check_promise(cleaned)
        return cleaned

    def _check_promise(self, cleaned: dict[str, Any]) -> None:
        mode = cleaned.get("verify_phone_by")
        project = cleaned.get("project") or getattr(self.instance, "project", None)
        if not isinstance(mode, str) or mode not in CHANNELS_OF or project is None:
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


class TestNumberForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """The code is write-only; the number is read as people type it."""

    __test__ = False
    code = forms.RegexField(
        r"^[0-9]{6,10}\Z", required=False, widget=UnfoldAdminPasswordWidget, label=_("code"),
        error_messages={"invalid": _("From 6 to 10 digits.")}, help_text=_("Stored hidden; empty keeps it."),
    )  # fmt: skip

    def clean_phone(self) -> str:
        try:
            return parse(self.cleaned_data["phone"]).e164
        except InvalidPhone as error:
            raise ValidationError(_("Not a mobile number in the form +15005550199.")) from error

    def clean_code(self) -> str:
        code = str(self.cleaned_data.get("code") or "") or (self.instance.code if self.instance.pk else "")
        if not code:
            raise ValidationError(_("A test number needs its code."))
        return code


class LanguagesField(forms.CharField):
    """Language codes separated by commas or spaces, as Meta writes them: en, pt_BR."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: object) -> object:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: object) -> list[str]:  # type: ignore[override] # a list is what the model keeps
        words = str(value or "").replace(",", " ").split()
        if any(not word.replace("_", "").isalpha() or len(word) > 10 for word in words):
            raise ValidationError(_("Language codes as Meta writes them, for example: en, pt_BR"))
        return list(dict.fromkeys(words))


class SenderForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """Secrets are write-only: never shown again, kept when left empty, dropped by their checkbox."""

    template_languages = LanguagesField(
        label=_("Template languages"), required=False, help_text=_("Those approved: en, es, pt_BR")
    )
    forget = forms.MultipleChoiceField(
        label=_("Forget stored secrets"), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("For example the previous secret once a rotation is over."),
    )  # fmt: skip

    class Meta:
        model = Sender
        fields = "__all__"  # noqa: DJ007 # the admin's fieldsets choose
        widgets = dict.fromkeys(SECRET_FIELDS, UnfoldAdminPasswordWidget(render_value=False))

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        super().__init__(*args, **kwargs)
        stored = [name for name in SECRET_FIELDS if getattr(self.instance, name)]
        for name in SECRET_FIELDS:
            if name in self.fields:
                self.initial.pop(name, None)
                if name in stored:
                    self.fields[name].help_text = _("Stored. Leave empty to keep it.")
                self.fields[name].widget.attrs["autocomplete"] = "new-password"
        forget = self.fields["forget"]
        assert isinstance(forget, forms.MultipleChoiceField)  # noqa: S101 # declared above
        forget.choices = [(name, self.fields[name].label or name) for name in stored if name in self.fields]
        if not stored:
            forget.widget = forms.MultipleHiddenInput()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        forgotten = cleaned.get("forget") or []
        for name in SECRET_FIELDS:
            if name in cleaned and not cleaned[name]:
                cleaned[name] = "" if name in forgotten else getattr(self.instance, name)
        if cleaned.get("provider") in ("console", "memory") and settings.PRODUCTION:
            self.add_error("provider", _("For development only."))
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc] # Django's own hook, not in the stubs
        if self.errors:
            return
        for name in validation.missing_fields(self.instance):
            self.add_error(name if name in self.fields else None, _("This provider needs it."))
        self._check_nobody_is_left(self.instance)

    def _check_nobody_is_left(self, sender: Sender) -> None:
        """Switching a sender off, or giving it to another project, must not break a promise (checklist D13)."""
        before = Sender.objects.filter(pk=sender.pk, is_active=True).first()
        if before is None or (sender.is_active and sender.project_id == before.project_id):
            return
        if left := validation.projects_left_without(before):
            message = _("These projects promise this channel and would have no sender: %(names)s")
            self.add_error("is_active", ValidationError(message, params={"names": ", ".join(left)}))
