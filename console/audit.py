"""The audit log in the admin: read, searched, filtered and exported, never changed."""

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from audit.kinds import Kind, Outcome
from audit.models import AuditEvent
from audit.record import record
from console import audit_rows, csv_export
from console.base import ReadOnlyAdmin
from console.paginator import BoundedPaginator
from users.models import User
from users.phones import InvalidPhone, mask_text, read

# Events read at a time for an export.
BATCH = 500
_HEADER = (
    *("time", "who", "staff id", "address", "action", "detail", "outcome"),
    *("object type", "object id", "object", "project", "before", "after"),
)


class KindFilter(admin.SimpleListFilter):
    title = _("action")
    parameter_name = "kind"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 # Django's signature
        return list(Kind.choices)

    def queryset(self, _request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(kind=self.value()) if self.value() in Kind else queryset


class ProjectFilter(admin.SimpleListFilter):
    title = _("project")
    parameter_name = "project"

    def lookups(self, request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401 # Django's signature
        return [(str(key), name) for key, name in audit_rows.project_names(request).items()]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        known = {key for key, _name in self.lookup_choices}
        return queryset.filter(project_id=self.value()) if self.value() in known else queryset


@admin.register(AuditEvent)
class AuditAdmin(ReadOnlyAdmin):
    """Newest first."""

    project_path = "project_id"  # no relation: the way from an event to its project
    list_display = ("when", "who", "what", "about", "project", "address", "result")
    list_display_links = ("when",)
    list_filter = (KindFilter, "outcome", ProjectFilter, "at")
    list_per_page = 50
    ordering = ("-id",)
    show_full_result_count = False
    paginator = BoundedPaginator
    search_fields = ("actor",)
    search_help_text = _("Exactly: who, the name or id of an object, or the phone number of a user")
    list_before_template = "admin/audit/export.html"
    change_form_template = "admin/audit/event.html"
    fields = ()
    sortable_by: ClassVar = ()

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """Exact, so that an index answers. Events hold no whole number: the people who have it are looked up."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(actor=term) | Q(object_id=term) | Q(object_name=term)
        try:
            ids = User.objects.filter(phone=read(term).e164).values_list("pk", flat=True)
        except InvalidPhone:
            return queryset.filter(wanted), False
        return queryset.filter(wanted | Q(object_type="users.user", object_id__in=list(map(str, ids)))), False

    @admin.display(description=_("time (UTC)"))
    def when(self, event: AuditEvent) -> str:
        return format_html('<span class="whitespace-nowrap">{}</span>', _moment(event))

    @admin.display(description=_("who"))
    def who(self, event: AuditEvent) -> str:
        return event.actor or "—"

    @admin.display(description=_("action"))
    def what(self, event: AuditEvent) -> str:
        return event.action

    @admin.display(description=_("object"))
    def about(self, event: AuditEvent) -> str:
        name = f"{audit_rows.object_kind(event)} {event.object_name or event.object_id}".strip()
        url = audit_rows.object_url(event)
        return format_html('<a class="underline" href="{}">{}</a>', url, name) if url else name or "—"

    @admin.display(description=_("project"))
    def project(self, event: AuditEvent) -> str:
        name = getattr(event, "project_name", "")
        return name or (str(event.project_id) if event.project_id else "—")

    @display(description=_("outcome"), label={Outcome.DONE: "success", Outcome.REFUSED: "danger"})  # type: ignore[untyped-decorator] # unfold is not annotated
    def result(self, event: AuditEvent) -> str:
        return event.outcome

    def get_changelist_instance(self, request: HttpRequest) -> Any:  # noqa: ANN401 # Django's type
        """With the names of the projects on the page, which no foreign key leads to."""
        changes = super().get_changelist_instance(request)
        names = audit_rows.project_names(request)
        for event in changes.result_list:
            event.project_name = names.get(event.project_id, "")
        return changes

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**(extra_context or {}), "title": _("Audit event")}
        event = self.get_object(request, object_id)
        if event:
            event.project_name = audit_rows.project_names(request).get(event.project_id, "")
            context["subtitle"] = event.action
            context["summary"] = self._summary(event)
            context["differences"] = audit_rows.differences(event)
        page: HttpResponse = super().change_view(request, object_id, form_url, context)
        return page

    def _summary(self, event: AuditEvent) -> list[tuple[Any, Any]]:
        shown = (
            (_("Time (UTC)"), _moment(event)),
            (_("Who"), self.who(event)),
            (_("Id of the member of staff"), event.actor_id),
            (_("Address"), event.address),
            (_("Action"), event.action),
            (_("Outcome"), event.get_outcome_display()),
            (_("Object"), self.about(event)),
            (_("Id of the object"), event.object_id),
            (_("Project"), self.project(event)),
        )
        return list(shown)

    # Export -------------------------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "may_export": self.may(request, "export")}
        page: HttpResponse = super().changelist_view(request, context)
        return page

    def get_urls(self) -> list[URLPattern]:
        """An export is recorded, so it is posted."""
        view = self.admin_site.admin_view(require_POST(self.export))
        return [path("export/", view, name="audit_auditevent_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """What the list shows with its search and filters, as a file. Streamed; each batch is read by its key."""
        if not self.may(request, "export"):
            raise PermissionDenied
        try:
            shown = super().get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            self.message_user(request, _("A filter is not valid: nothing was exported."), messages.ERROR)
            return redirect("admin:audit_auditevent_changelist")
        chosen = self.only_with(request, shown, "export").order_by("-id")
        asked = {name[:40]: mask_text(str(value)[:200]) for name, value in request.GET.items() if value}
        record(Kind.EXPORTED, after=asked, detail="audit log")
        return csv_export.response("audit.csv", _HEADER, _cells(chosen, audit_rows.project_names(request)))


def _moment(event: AuditEvent) -> str:
    return event.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _cells(chosen: QuerySet[AuditEvent], names: dict[Any, str]) -> Iterator[tuple[object, ...]]:
    last = None
    while True:
        batch = list((chosen.filter(id__lt=last) if last else chosen)[:BATCH])
        for event in batch:
            yield (
                *(event.at.astimezone(UTC).isoformat(), event.actor, event.actor_id, event.address, event.kind),
                *(event.detail, event.outcome, event.object_type, event.object_id, event.object_name),
                names.get(event.project_id) or event.project_id,
                *(json.dumps(fields, ensure_ascii=False) if fields else "" for fields in (event.before, event.after)),
            )  # fmt: skip
        if len(batch) < BATCH:
            return
        last = batch[-1].id
