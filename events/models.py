"""A project's event URLs, and the outbox of events for them."""

import base64
import secrets
from typing import Any, ClassVar

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.config_models import ConfigModel
from core.fields import EncryptedField
from core.ids import new_id
from core.outbox import Outgoing
from projects.models import Project

SECRET_PREFIX = "whsec_"  # noqa: S105 # the prefix that Standard Webhooks requires


class EventType(models.TextChoices):
    LOGIN_SUCCEEDED = "login.succeeded", _("somebody logged in")
    DELIVERY_FAILED = "delivery.failed", _("a message did not arrive")
    FALLBACK_SENT = "fallback.sent", _("the next channel took over")
    SENDER_ALERT = "sender.alert", _("Sender needs attention")
    SENDER_ALERT_OVER = "sender.alert_over", _("Sender recovered")
    LIMIT_NEAR = "limit.near", _("a ceiling of the project is near")


def new_secret() -> str:
    """Standard Webhooks: 24 to 64 random bytes, base64, with a prefix."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


class Endpoint(ConfigModel):
    """A URL of the project that events are posted to, and the secret that signs them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="event_endpoints", verbose_name=_("project")
    )
    url = models.URLField(_("URL"), max_length=500)
    secret = EncryptedField(_("signing secret"), default=new_secret)
    types = models.JSONField(_("events"), default=list)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("event URL")
        verbose_name_plural = _("event URLs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "url"], name="one_endpoint_per_url"),
        ]

    def __str__(self) -> str:
        return self.url

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:  # noqa: ANN401 # Django's signature
        """Waits for transactions that are writing events for it (events.store), so that these are deleted too."""
        with transaction.atomic():
            list(Endpoint.objects.select_for_update().filter(pk=self.pk).values_list("pk"))
            return super().delete(*args, **kwargs)


class Event(Outgoing):
    """One event for one endpoint."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.CASCADE, related_name="events", verbose_name=_("URL")
    )
    type = models.CharField(_("event"), max_length=40, choices=EventType)
    body = models.TextField(_("body"))  # the exact text that is signed

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-id",)
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="event_due"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
