"""Audit events as pages show them: sentences, links, fields side by side."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from audit.kinds import Kind
from audit.models import AuditEvent
from projects.models import Project

# Objects of these events have no page any more.
_GONE = frozenset({Kind.DELETED.value, Kind.PROJECT_DELETED.value})


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field of an event, before and after, as text; "": it was not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Row:
    event: AuditEvent
    differences: list[Difference]

    @property
    def who(self) -> str:
        return self.event.actor or str(_("nobody who is signed in"))


def shown_rows(events: Iterable[AuditEvent]) -> list[Row]:
    return [Row(event=event, differences=differences(event)) for event in events]


def differences(event: AuditEvent) -> list[Difference]:
    """Fields by the names that their pages give them."""
    names = dict.fromkeys([*event.before, *event.after])
    labels = _labels(event.object_type)
    return [
        Difference(
            name=labels.get(name, name), before=_text(event.before, name), after=_text(event.after, name)
        )
        for name in names
    ]


def _labels(object_type: str) -> dict[str, str]:
    model = _model(object_type)
    if model is None:
        return {}
    fields = [*model._meta.concrete_fields, *model._meta.many_to_many]
    return {field.name: str(capfirst(field.verbose_name)) for field in fields}


def _model(object_type: str) -> type[Model] | None:
    try:
        return apps.get_model(object_type) if object_type else None
    except (LookupError, ValueError):  # of a later version, or no model
        return None


def _text(fields: dict[str, Any], name: str) -> str:
    if name not in fields:
        return ""
    value = fields[name]
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "[]"
    return json.dumps(value, ensure_ascii=False)


def object_kind(event: AuditEvent) -> str:
    """The kind of object in words: `sender`."""
    model = _model(event.object_type)
    return str(capfirst(model._meta.verbose_name)) if model else event.object_type


def object_url(event: AuditEvent) -> str:
    """The page of the object; "": it has none."""
    registered = {model._meta.label_lower for model in admin.site._registry}  # noqa: SLF001 # Django has no other way to ask
    if event.object_type not in registered or event.kind in _GONE or not event.object_id:
        return ""
    return reverse(f"admin:{event.object_type.replace('.', '_')}_change", args=[event.object_id])


def project_names(request: HttpRequest) -> dict[Any, str]:
    """The names of the projects that this member of staff may see, by id."""
    rows = admin.site.get_model_admin(Project).get_queryset(request)
    return dict(rows.order_by("name").values_list("id", "name"))
