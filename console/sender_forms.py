"""Forms of the admin for senders and test numbers."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
)

from channels import validation
from channels.models import Sender
from channels.provider import Provider
from channels.provider_settings import Input
from channels.providers import PROVIDERS
from console.sender_setup.tokens import readable_token
from core.fields import UnreadableSecret


class TestNumberForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """The code is write-only; the number is read as people type it."""

    __test__ = False
    phone = forms.CharField(
        label=_("phone number"), max_length=40, widget=UnfoldAdminTextInputWidget,
        help_text=_("E.164, for example +15005550199"),
    )  # fmt: skip
    code = forms.CharField(
        label=_("code"), required=False, widget=UnfoldAdminPasswordWidget,
        help_text=_("Stored hidden; empty keeps it."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        if (number := kwargs.get("instance")) is not None:
            try:
                _ = number.code
            except UnreadableSecret:
                number.code = ""  # its key is gone: it is typed anew
        super().__init__(*args, **kwargs)

    def clean_phone(self) -> str:
        return validation.phone_of(self.cleaned_data["phone"])

    def clean_code(self) -> str:
        code = str(self.cleaned_data.get("code") or "") or (self.instance.code if self.instance.pk else "")
        if problem := validation.code_problem(code):
            raise ValidationError(problem)
        return code


class LanguagesField(forms.CharField):
    """Language codes separated by commas or spaces: en, pt_BR."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: object) -> object:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: object) -> list[str]:  # type: ignore[override] # a list is what is stored
        words = str(value or "").replace(",", " ").split()
        return list(dict.fromkeys(words))


# Those whose settings are typed here.
FORM_PROVIDERS = [provider for provider in PROVIDERS.values() if not provider.is_for_development]


def form_name(provider: Provider, name: str) -> str:
    """Of a provider's field: several may have one of the same name."""
    return f"{provider.name}_{name}"


def _fields() -> dict[str, forms.Field]:
    """A field of the form for each of every provider."""
    return {
        form_name(provider, name): _field(provider, name, shown)
        for provider in FORM_PROVIDERS
        for name, shown in provider.inputs.items()
    }


def _field(provider: Provider, name: str, shown: Input) -> forms.Field:
    if name in provider.secret_names:
        widget = UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "new-password"})
        return forms.CharField(label=shown.label, help_text=shown.help, required=False, widget=widget)
    if provider.settings.model_fields[name].annotation is not str:
        return LanguagesField(label=shown.label, help_text=shown.help, required=False, initial=["en"])
    widget = UnfoldAdminTextInputWidget()
    return forms.CharField(label=shown.label, help_text=shown.help, required=False, widget=widget)


class SenderForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """The fields of every provider, of which the chosen one's count. Secrets are write-only: never shown again, kept
    when left empty, deleted by their checkbox."""

    delete_secrets = forms.MultipleChoiceField(
        label=_("Delete stored secrets"), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("For example the previous secret once a rotation is over."),
    )  # fmt: skip

    priority = forms.IntegerField(
        label=_("Order"), required=False, min_value=1, max_value=1000, widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Among the project's senders for this channel: 1 is tried first. Empty: behind the others."),
    )  # fmt: skip

    class Meta:
        model = Sender
        exclude = ("settings", "secrets")  # noqa: DJ006 # the admin's fieldsets choose

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        super().__init__(*args, **kwargs)
        if self.instance.created_at is None:  # it is being added
            self.initial["priority"] = None
        self._stored = _stored_values(self.instance)
        provider = PROVIDERS.get(self.instance.provider)
        hidden = provider.secret_names if provider else frozenset()
        names = {name: form_name(provider, name) for name in self._stored} if provider else {}
        names = {name: field for name, field in names.items() if field in self.fields}
        for name, field in names.items():
            if name in hidden:
                self.fields[field].help_text = _("Stored. Leave empty to keep it.")
            else:
                self.initial[field] = self._stored[name]
        choices = [(name, self.fields[field].label) for name, field in names.items() if name in hidden]
        deletion = self.fields["delete_secrets"]
        assert isinstance(deletion, forms.MultipleChoiceField)  # noqa: S101 # declared above
        deletion.choices = choices
        if not choices:
            deletion.widget = forms.MultipleHiddenInput()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        chosen = [cleaned.get(name) for name in ("channel", "provider")]
        if all(chosen) and (problem := validation.provider_problem(*map(str, chosen))):
            self.add_error("provider", problem)
        if not cleaned.get("priority"):
            cleaned["priority"] = validation.next_priority(cleaned.get("project"), str(chosen[0]))
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc] # Django's own hook, not in the stubs
        if self.errors:
            return
        provider = PROVIDERS[self.instance.provider]
        self.instance.values = self._values(provider)
        for name, problem in provider.problems(self.instance.values):
            field = form_name(provider, name)
            self.add_error(field if field in self.fields else None, problem)
        self._refuse_other_providers(provider)
        self._check_promise_without(self.instance)
        self._check_routes_without(self.instance)

    def _values(self, provider: Provider) -> dict[str, Any]:
        """What is typed; for a secret left empty the stored one; what the form does not show as it is stored."""
        if provider not in FORM_PROVIDERS:
            return self._stored
        stored = {} if "provider" in self.changed_data else self._stored
        deleted = self.cleaned_data.get("delete_secrets") or []
        kept = {
            name: stored[name] for name in provider.secret_names if name in stored and name not in deleted
        }
        typed = {name: self.cleaned_data.get(form_name(provider, name)) for name in provider.inputs}
        return _made_here(provider) | kept | {name: value for name, value in typed.items() if value}

    def _refuse_other_providers(self, chosen: Provider) -> None:
        """What the provider before was given is left behind; what is typed for another one is a mistake."""
        for provider in FORM_PROVIDERS:
            names = [form_name(provider, name) for name in provider.inputs]
            for name in set(names) & set(self.changed_data) if provider is not chosen else ():
                if self.cleaned_data.get(name):
                    self.add_error(name, _("is not a key of %(provider)s") % {"provider": chosen.name})

    def _check_promise_without(self, sender: Sender) -> None:
        """Switching a sender off, or giving it to another project, must not break a promise (docs/security.md, D13)."""
        before = Sender.objects.filter(pk=sender.pk, is_active=True).first()
        if before is None or (sender.is_active and sender.project_id == before.project_id):
            return
        if left := validation.projects_left_without(before):
            message = _("These projects promise this channel and would have no sender: %(names)s")
            self.add_error("is_active", ValidationError(message, params={"names": ", ".join(left)}))

    def _check_routes_without(self, sender: Sender) -> None:
        """What a route names keeps its name, and stays."""
        before = Sender.objects.filter(pk=sender.pk, is_active=True).first()
        kept = ("name", "channel", "is_active", "project_id")
        if before is None or all(getattr(before, key) == getattr(sender, key) for key in kept):
            return
        if routed := validation.routes_naming(before):
            message = _("Routes of these projects name this sender: %(names)s")
            self.add_error("name", ValidationError(message, params={"names": ", ".join(routed)}))


def _made_here(provider: Provider) -> dict[str, str]:
    """A verify token, which nobody need think of: the set-up page makes the one that is shown."""
    name = provider.setup.verify_token if provider.setup else ""
    return {name: readable_token()} if name else {}


def _stored_values(sender: Sender) -> dict[str, Any]:
    """Without the secrets when no configured key opens them: they have to be entered again."""
    try:
        return sender.values
    except UnreadableSecret:
        return dict(sender.settings)


SenderForm.declared_fields.update(_fields())
