"""New project: one form for name, domain, countries, mode and the first client."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from channels.models import ChannelChoice
from console import project_creation
from console.base import ConsoleAdmin
from console.client_forms import LinesField
from console.countries import country_choices
from console.project_creation import Created, NewProject
from core.hosts import domain_entry
from projects.models import VerifyPhoneBy

_SERVER, _PAGE = "server", "page"
_LINK = '<a class="underline" href="{}">{}</a>'


class NewProjectForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=60, widget=UnfoldAdminTextInputWidget,
        help_text=_("Users see it on the login page and in SMS."),
    )  # fmt: skip
    domain = forms.CharField(
        label=_("Domain"), max_length=253, required=False, widget=UnfoldAdminTextInputWidget,
        help_text=_("Where its users log in, for example login.example.com. The first project may do without: it "
                    "answers on every host."),
    )  # fmt: skip
    countries = forms.MultipleChoiceField(
        label=_("Countries"), required=False, choices=country_choices, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Only numbers of these countries receive a message."),
    )  # fmt: skip
    all_countries = forms.BooleanField(
        label=_("All countries"), required=False, widget=UnfoldBooleanSwitchWidget,
        help_text=_("Every number in the world may ask for a paid message: choose countries where you can."),
    )  # fmt: skip
    verify_phone_by = forms.ChoiceField(
        label=_("Verify phone number by"), choices=VerifyPhoneBy.choices, widget=UnfoldAdminSelectWidget,
        help_text=_("It is kept as soon as each of its channels has a sender. Until then nobody can log in, and you "
                    "can rehearse."),
    )  # fmt: skip
    kind = forms.ChoiceField(
        label=_("Your application"), initial=_SERVER, widget=UnfoldAdminRadioSelectWidget,
        choices=[(_SERVER, _("on a server, with a secret")),
                 (_PAGE, _("a page or phone app, without one"))],
    )  # fmt: skip
    redirect_uris = LinesField(
        label=_("Redirect URIs"), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("Where your application receives logins, one a line. Empty: those of the examples on your own "
                    "machine; add yours later."),
    )  # fmt: skip

    def clean_domain(self) -> str:
        typed = str(self.cleaned_data["domain"])
        return domain_entry(typed) or typed

    def clean(self) -> dict[str, Any]:
        """As a whole, by the rules of the rows that it makes."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            for name, text in project_creation.problems(self.new()):
                self.add_error(name, text)
        return cleaned

    def new(self) -> NewProject:
        values = self.cleaned_data
        return NewProject(
            name=values["name"],
            domain=values["domain"],
            countries=["all"] if values["all_countries"] else values["countries"],
            verify_phone_by=values["verify_phone_by"],
            is_confidential=values["kind"] == _SERVER,
            redirect_uris=values["redirect_uris"].split(),
        )


def show(page: ConsoleAdmin, request: HttpRequest) -> HttpResponse:
    """The form, or what became of it. Its caller has checked the permission."""
    form = NewProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            created = project_creation.create(form.new())
        except IntegrityError:  # somebody else has just taken the name or the domain: it is validated again
            form = NewProjectForm(request.POST)
            form.is_valid()
        else:
            return _created(page, request, created)
    context = {
        **page.admin_site.each_context(request),
        "title": _("New project"),
        "form": form,
        "media": page.media + form.media,
    }
    status = 400 if form.is_bound else 200
    return TemplateResponse(request, "admin/projects/new.html", context, status=status)


def _created(page: ConsoleAdmin, request: HttpRequest, created: Created) -> HttpResponse:
    page.log_addition(request, created.project, [{"added": {}}])
    page.log_addition(request, created.client, [{"added": {}}])
    if created.secret:
        text = _("Client secret of %(client)s, shown only once: %(secret)s")
        values = {"client": created.client, "secret": created.secret}
        page.message_user(request, text % values, messages.WARNING)
    if created.unserved:
        _say_what_is_missing(page, request, created)
    return redirect("admin:oidc_client_snippets", created.client.pk)


def _say_what_is_missing(page: ConsoleAdmin, request: HttpRequest, created: Created) -> None:
    names = ", ".join(str(ChannelChoice(channel).label) for channel in created.unserved)
    text = _("Nobody can log in yet: no sender for {channels}. {add}, or {rehearse}.")
    message = format_html(
        str(text),
        channels=names,
        add=format_html(
            _LINK, f"{reverse('admin:channels_sender_add')}?channel={created.unserved[0]}", _("Add one")
        ),
        rehearse=format_html(
            _LINK, reverse("admin:channels_rehearsal_changelist"), _("rehearse a login first")
        ),
    )
    page.message_user(request, message, messages.WARNING)
