"""Every page of the admin writes what it did to the audit log, and shows the log of its object.

Django's own log (LogEntry) is not written: its three hooks are the ones that write here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from audit import values
from audit.kinds import Kind
from audit.models import AuditEvent
from audit.record import record, record_each
from console import scoping
from console.audit_rows import shown_rows
from core.secret_columns import secret_names

# The newest events on the page of one object; the audit log has all of them.
SHOWN = 100
_READ = "audit.view_auditevent"
_BEFORE, _EXTRA = "audit_before", "audit_extra"


class AuditedAdmin(ModelAdmin):  # type: ignore[misc] # unfold is not annotated
    """Additions, changes and deletions with what was before and after; actions by their name."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:  # noqa: ANN401 # Django's type
        """Before a form changes it, a row's values are remembered with the request."""
        row = super().get_object(request, object_id, from_field)
        if row is not None and request.method == "POST":
            setattr(request, _BEFORE, (row.pk, values.state(row)))
        return row

    def response_action(self, *args: Any, **kwargs: Any) -> HttpResponse | None:  # noqa: ANN401 # Django's signature
        """What an action does, and the events of it, are one transaction."""
        with transaction.atomic():
            answer: HttpResponse | None = super().response_action(*args, **kwargs)
        return answer

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,  # noqa: ANN401 # Django's signature
        formsets: Any,  # noqa: ANN401 # Django's signature
        add: bool = False,
    ) -> Any:  # noqa: ANN401 # Django's type
        """Remembers what no column tells: secrets that were typed, and the rows of inlines."""
        setattr(
            request, _EXTRA, _merged([_typed_secrets(self.model, form), *map(_of_inline, formsets or ())])
        )
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Model, _message: Any) -> Any:  # noqa: ANN401 # Django's signature
        _before, extra = _taken(request, _EXTRA) or ({}, {})
        present = {
            name: value for name, value in values.columns(obj).items() if value not in (None, "", [], {})
        }
        record(Kind.ADDED, obj, after=present | extra)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:  # noqa: ANN401 # Django's signature
        """A form that changed nothing leaves no event. Outside a form the message says what was done."""
        remembered, extra = _taken(request, _BEFORE), _taken(request, _EXTRA)
        if extra is None or remembered is None or remembered[0] != obj.pk:
            record(Kind.ACTED, obj, detail=_words(message))
            return
        before, after = values.changes(remembered[1], values.state(obj))
        before, after = before | extra[0], after | extra[1]
        if before or after or message:
            record(
                Kind.CHANGED,
                obj,
                before=before,
                after=after,
                detail="" if after or before else _words(message),
            )

    def log_deletions(self, _request: HttpRequest, queryset: Iterable[Model]) -> Any:  # noqa: ANN401 # Django's type
        for row in queryset:
            record(Kind.DELETED, row, before=values.columns(row))

    def log_each(
        self, _request: HttpRequest, rows: Iterable[Model], text: str = "", *, kind: Kind = Kind.ACTED
    ) -> None:
        """An event for each row that an action treated: `text` says what was done, or `kind` does."""
        record_each(kind, rows, detail=text)

    def may_see_history(self, request: HttpRequest, row: Model) -> bool:
        """It names members of staff and their addresses, so it is for the readers of the audit log of that project."""
        return scoping.may_in(request.user, _READ, self.project_id_of(row))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,  # noqa: ANN401 # Django's signature
        **kwargs: Any,  # noqa: ANN401 # Django's signature
    ) -> HttpResponse:
        """Without the link to a history that is not for the reader."""
        row = kwargs.get("obj")
        context["show_history"] = row is not None and self.may_see_history(request, row)
        page: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return page

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the audit log has about one object, for those who may read the log."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        if not (self.has_view_or_change_permission(request, row) and self.may_see_history(request, row)):
            raise PermissionDenied
        events = AuditEvent.objects.filter(object_type=self.opts.label_lower, object_id=str(row.pk))
        if (allowed := scoping.projects_with(request.user, _READ)) is not None:
            events = events.filter(project_id__in=allowed)
        newest = list(events.order_by("-id")[: SHOWN + 1])
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(name)s") % {"name": values.mask(str(row))},
            "opts": self.opts,
            "object": row,
            "rows": shown_rows(newest[:SHOWN]),
            "more": len(newest) > SHOWN,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/audit/history.html", context)


type _Changes = tuple[values.Values, values.Values]


def _taken(request: HttpRequest, name: str) -> Any:  # noqa: ANN401 # what was remembered
    """What was remembered with the request, once: the next row of the same request has its own."""
    return request.__dict__.pop(name, None)


def _merged(changes: Sequence[_Changes]) -> _Changes:
    before: values.Values = {}
    after: values.Values = {}
    for was, now in changes:
        before, after = before | was, after | now
    return before, after


def _typed_secrets(model: type[Model], form: Any) -> _Changes:  # noqa: ANN401 # any form
    """Secret fields that were typed, and secrets that were ticked to be deleted: names only."""
    hidden = secret_names(model)
    typed = {name for name in form.changed_data if name in hidden or _is_password(form.fields.get(name))}
    names = sorted({"password" if name.startswith("password") else name for name in typed})
    deleted = form.cleaned_data.get("delete_secrets") or []
    after = dict.fromkeys(names, values.CHANGED) | dict.fromkeys(deleted, "deleted")
    return dict.fromkeys(after, values.HIDDEN), after


def _is_password(field: forms.Field | None) -> bool:
    return field is not None and isinstance(field.widget, forms.PasswordInput)


def _of_inline(formset: Any) -> _Changes:  # noqa: ANN401 # any formset
    """The rows that an inline added, changed and deleted, by kind and name."""
    before: values.Values = {}
    after: values.Values = {}
    for row in formset.new_objects:
        after[_name(row)] = values.columns(row)
    for row in formset.deleted_objects:
        before[_name(row)] = values.columns(row)
    for row, fields in formset.changed_objects:
        initial: dict[str, Any] = next((form.initial for form in formset.forms if form.instance == row), {})
        before[_name(row)] = {name: values.plain(initial.get(name)) for name in fields}
        after[_name(row)] = {name: value for name, value in values.columns(row).items() if name in fields}
    return before, after


def _name(row: Model) -> str:
    return values.mask(f"{row._meta.verbose_name} {row}")


def _words(message: Any) -> str:  # noqa: ANN401 # Django's list of what changed, or a text
    """The names of fields in a message: `[{"changed": {"fields": ["client secret"]}}]`."""
    if isinstance(message, str):
        return message
    return ", ".join(
        str(field) for part in message or () for change in part.values() for field in change.get("fields", ())
    )
