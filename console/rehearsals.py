"""Rehearse a login: start one, and the phone that shows its messages, to the person who started it only."""

import uuid
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from unfold.widgets import UnfoldAdminSelectWidget

from channels import rehearsals
from channels.models import Outcome, Rehearsal
from console.base import ReadOnlyAdmin
from otp import rehearsed
from projects.models import Project
from projects.origin import address_of, origin_of_project
from users.phones import formatted, mask


class RehearsalForm(forms.Form):
    project = forms.ModelChoiceField(
        label=_("Project"),
        queryset=Project.objects.filter(archived_at=None, deletion_began_at=None).order_by(
            "-is_default", "name"
        ),
        widget=UnfoldAdminSelectWidget,
        empty_label=None,
    )
    whatsapp = forms.ChoiceField(
        label=_("The WhatsApp message"), choices=Outcome.choices, widget=UnfoldAdminSelectWidget
    )
    sms = forms.ChoiceField(label=_("The SMS"), choices=Outcome.choices, widget=UnfoldAdminSelectWidget)


@admin.register(Rehearsal)
class RehearsalAdmin(ReadOnlyAdmin):
    """The list is the record of who rehearsed what, and has the form that starts one."""

    list_display = ("number", "project", "staff", "whatsapp", "sms", "started_at", "ended")
    list_select_related = ("project", "staff")
    list_before_template = "admin/channels/rehearsal_start.html"
    fields: ClassVar = ("number", "project", "staff", "whatsapp", "sms", "started_at", "ended")

    @admin.display(description=_("number"))
    def number(self, row: Rehearsal) -> str:
        return mask(row.phone)

    @admin.display(description=_("ended"))
    def ended(self, row: Rehearsal) -> Any:  # noqa: ANN401 # a time, or none
        return row.ended_at or (row.ends_at if row.ends_at <= timezone.now() else None)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("start/", view(require_POST(self.start)), name="channels_rehearsal_start"),
            path("<uuid:pk>/phone/", view(require_GET(self.phone)), name="channels_rehearsal_phone"),
            path("<uuid:pk>/end/", view(require_POST(self.end)), name="channels_rehearsal_end"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown: dict[str, Any] = {}
        if self.may(request, "add"):
            shown = {"rehearsal_form": self._form(request), "own_rehearsal": self._running(request)}
        page: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **shown})
        return page

    def _running(self, request: HttpRequest) -> Rehearsal | None:
        """The one that this session may open."""
        open_ones = Rehearsal.objects.filter(
            staff_id=request.user.pk, ended_at=None, ends_at__gt=timezone.now()
        )
        return next((row for row in open_ones if self._is_own(request, row)), None)

    def _form(self, request: HttpRequest, posted: Any = None) -> RehearsalForm:  # noqa: ANN401 # the post
        """With the projects in which this member of staff may rehearse."""
        form, allowed = RehearsalForm(posted), self.projects(request, "add")
        field = form.fields["project"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 # declared above
        if allowed is not None and field.queryset is not None:
            field.queryset = field.queryset.filter(pk__in=allowed)
        return form

    def start(self, request: HttpRequest) -> HttpResponse:
        if not self.may(request, "add"):
            raise PermissionDenied
        form = self._form(request, request.POST)
        if not form.is_valid():
            self.message_user(request, _("No rehearsal was started: choose a project."), messages.ERROR)
            return redirect("admin:channels_rehearsal_changelist")
        values = form.cleaned_data
        try:
            row = rehearsals.start(
                project=values["project"],
                staff=request.user,  # type: ignore[arg-type] # the admin's users are ours
                session_key=request.session.session_key or "",
                whatsapp=Outcome(values["whatsapp"]),
                sms=Outcome(values["sms"]),
            )
        except rehearsals.NoNumberFree:
            self.message_user(
                request, _("All fictional numbers are in use: try again later."), messages.ERROR
            )
            return redirect("admin:channels_rehearsal_changelist")
        self.log_addition(request, row, [{"added": {}}])
        return redirect("admin:channels_rehearsal_phone", pk=row.pk)

    def phone(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The only page that shows a code of a rehearsal."""
        row = self._own(request, pk)
        origin = origin_of_project(row.project, request)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Rehearse a login"),
            "subtitle": row.project.name,
            "opts": self.opts,
            "rehearsal": row,
            "is_running": rehearsals.is_running(row, now=timezone.now()),
            "number": formatted(row.phone),
            "logins": rehearsed.logins(row),
            "login_url": f"{origin}/login/",
            "shares_session": urlsplit(origin).hostname == urlsplit(address_of(request)).hostname,
        }
        return TemplateResponse(request, "admin/channels/rehearsal_phone.html", context)

    def end(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        row = self._own(request, pk)
        rehearsals.end(row)
        self.log_each(request, [row], "ended")
        return redirect("admin:channels_rehearsal_phone", pk=row.pk)

    def _own(self, request: HttpRequest, pk: uuid.UUID) -> Rehearsal:
        """Of this session of this person: for everybody else there is no such page. Raises PermissionDenied."""
        if not self.may(request, "add"):
            raise PermissionDenied
        rows: QuerySet[Rehearsal] = self.only_with(request, Rehearsal.objects.all(), "add")
        row = rows.select_related("project").filter(pk=pk).first()
        if row is None or not self._is_own(request, row):
            raise Http404
        return row

    def _is_own(self, request: HttpRequest, row: Rehearsal) -> bool:
        key = request.session.session_key or ""
        return rehearsals.is_owner(row, staff_id=request.user.pk, session_key=key)
