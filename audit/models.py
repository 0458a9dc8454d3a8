"""The audit event: everything is text of its time, so that it stays true when its actor, object or project is gone."""

from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.kinds import Kind, Outcome
from core.ids import new_id


class AppendOnly(Exception):
    """Audit events are written once. The database refuses changes as well (migration 0001)."""


class AuditEvent(models.Model):
    """Who did what to which object. No foreign keys: it outlives every row that it names."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(_("time"))
    actor = models.CharField(_("who"), max_length=200, blank=True)
    actor_id = models.UUIDField(_("id of the member of staff"), null=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    project_id = models.UUIDField(_("project"), null=True)
    kind = models.CharField(_("action"), max_length=40)
    # What a kind alone does not say, in words.
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.DONE)
    object_type = models.CharField(_("kind of object"), max_length=80, blank=True)  # `projects.project`
    object_id = models.CharField(_("id of the object"), max_length=80, blank=True)
    object_name = models.CharField(_("object"), max_length=200, blank=True)
    # Fields by name, those that changed. Secrets are words such as "changed", numbers are masked (audit.values).
    before = models.JSONField(_("before"), default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(_("after"), default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        default_permissions = ("view", "export")
        indexes: ClassVar = [
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_by_object"),
            models.Index(fields=["object_id"], name="audit_by_object_id"),
            models.Index(fields=["object_name"], name="audit_by_object_name"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            models.Index(fields=["project_id", "-id"], name="audit_by_project"),
            models.Index(fields=["kind", "-id"], name="audit_by_kind"),
            models.Index(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.actor, self.action, self.object_name]))

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        if not self._state.adding:
            raise AppendOnly("an audit event cannot be changed")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:  # noqa: ANN401 # Django's signature
        raise AppendOnly("an audit event cannot be deleted")

    @property
    def action(self) -> str:
        """What was done, in the reader's language: `changed`, `acted on: signing secret`."""
        label = str(Kind(self.kind).label) if self.kind in Kind.values else self.kind
        if self.kind == Kind.ACTED and self.detail:
            return self.detail
        return f"{label}: {self.detail}" if self.detail else label
