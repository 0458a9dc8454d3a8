"""The form of a client in the admin. Client.clean validates it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from oidc import policy
from oidc.models import Client


class LinesField(forms.CharField):
    """Addresses, one per line. Blank lines and repeats are dropped."""

    def to_python(self, value: object) -> str:
        return "\n".join(dict.fromkeys(str(value or "").split()))


class KeysField(forms.JSONField):
    """JSON, or nothing."""

    def prepare_value(self, value: object) -> str:
        return "" if value is None else super().prepare_value(value)


class ClientForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """Without the secret, which is not a field."""

    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=[(scope, scope) for scope in policy.SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget, help_text=_("The only scopes that the client may request."),
    )  # fmt: skip

    class Meta:
        model = Client
        fields = "__all__"  # noqa: DJ007 # the admin's fieldsets choose
        field_classes = {
            "redirect_uris": LinesField,
            "post_logout_redirect_uris": LinesField,
            "allowed_origins": LinesField,
            "jwks": KeysField,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        super().__init__(*args, **kwargs)
        if "scopes" in self.fields and not self.instance.pk:
            self.initial.setdefault("scopes", list(policy.SCOPES))
        if "algorithm" in self.fields:  # compared with what is stored, although its default is computed
            self.fields["algorithm"].show_hidden_initial = False
        if "redirect_uris" in self.fields:  # Client.clean requires it, as in the configuration file
            self.fields["redirect_uris"].required = False
        for name in set(self.Meta.field_classes) & set(self.fields):
            self.fields[name].widget.attrs["rows"] = 4

    def clean_jwks(self) -> object:
        return self.cleaned_data["jwks"] or None
