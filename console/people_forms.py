"""The forms behind the buttons of a user's page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from projects.config import projects
from users.models import User
from users.phones import InvalidPhone, Phone, read

KEEP, TAKE = "keep", "take"


class ActForm(forms.Form):
    """Asks for nothing: the button is the confirmation."""

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        super().__init__(*args, **kwargs)
        self.person = person


class SessionForm(ActForm):
    session = forms.UUIDField(widget=forms.HiddenInput)


class MoveForm(ActForm):
    number = forms.CharField(
        label=_("New number"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=_("With its country code, for example +852 9123 4567."),
    )

    def clean_number(self) -> Phone:
        project = projects.get().by_id.get(self.person.project_id) if self.person.project_id else None
        allowed = project.countries_allowed if project else None
        only = next(iter(allowed)) if allowed and len(allowed) == 1 else None
        try:
            return read(self.cleaned_data["number"], country=only)
        except InvalidPhone as error:
            raise forms.ValidationError(_("This is not a number that can receive messages.")) from error


class MergeForm(ActForm):
    other = forms.CharField(
        label=_("The other user"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("A whole number or an id. This account ends."),
    )
    number = forms.ChoiceField(
        label=_("The number of the user that stays"),
        choices=[(KEEP, _("its own")), (TAKE, _("the other user's"))],
        initial=KEEP,
        widget=UnfoldAdminRadioSelectWidget,
    )
    # The id of the user that was shown: another one is shown first.
    confirmed = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class EraseForm(ActForm):
    typed = forms.CharField(
        label=_("The last eight characters of the id"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"]).strip().lower()
        if typed != str(self.person.pk)[-8:]:
            raise forms.ValidationError(_("This is not how the id ends: nothing was erased."))
        return typed
