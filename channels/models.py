"""Senders: a from-number with its credentials. Without a project it is the shared sender of its channel."""

from datetime import timedelta
from typing import Any, ClassVar

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from projects.ids import new_id
from projects.models import ConfigModel, Project
from projects.secrets import EncryptedField

DEFAULT_TEMPLATE_NAME = "one_time_password"
# Encrypted in the database, never shown again, never exported.
SECRET_FIELDS = (
    "access_token",
    "app_secret",
    "app_secret_previous",
    "verify_token",
    "auth_token",
    "auth_token_previous",
    "signing_secret",
)


class ChannelChoice(models.TextChoices):
    WHATSAPP = "whatsapp", _("WhatsApp")
    SMS = "sms", _("SMS")


class ProviderChoice(models.TextChoices):
    META = "meta", _("WhatsApp Business account (Meta)")
    TWILIO = "twilio", _("Twilio")
    HTTP = "http", _("HTTP gateway")
    CONSOLE = "console", _("Console (prints; development only)")
    MEMORY = "memory", _("Memory (tests only)")


class Sender(ConfigModel):
    """A WhatsApp Business account or an SMS account. Secrets are encrypted and write-only in the admin."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="senders",
        verbose_name=_("project"),
        help_text=_("Empty: the shared sender that every project uses until it has its own."),
    )
    channel = models.CharField(_("channel"), max_length=10, choices=ChannelChoice)
    provider = models.CharField(_("provider"), max_length=10, choices=ProviderChoice)
    is_active = models.BooleanField(_("active"), default=True)

    phone_number_id = models.CharField(_("Phone number ID"), max_length=64, blank=True, default="")
    business_account_id = models.CharField(
        _("WhatsApp Business Account ID"), max_length=64, blank=True, default=""
    )
    access_token = EncryptedField(_("Access token"), blank=True, default="")
    app_secret = EncryptedField(_("App secret"), blank=True, default="")
    app_secret_previous = EncryptedField(
        _("Previous app secret"),
        blank=True,
        default="",
        help_text=_("Still accepted on reports while you rotate."),
    )
    verify_token = EncryptedField(_("Verify token"), blank=True, default="")
    template_name = models.CharField(
        _("Template name"), max_length=512, blank=True, default=DEFAULT_TEMPLATE_NAME
    )
    template_languages = models.JSONField(_("Template languages"), default=list, blank=True)

    account_sid = models.CharField(_("Account SID"), max_length=64, blank=True, default="")
    auth_token = EncryptedField(_("Auth token"), blank=True, default="")
    auth_token_previous = EncryptedField(
        _("Previous auth token"),
        blank=True,
        default="",
        help_text=_("Still accepted on reports while you rotate."),
    )
    from_number = models.CharField(_("From"), max_length=32, blank=True, default="")
    messaging_service_sid = models.CharField(
        _("Messaging Service SID"), max_length=64, blank=True, default=""
    )

    url = models.URLField(_("URL"), max_length=500, blank=True, default="")
    signing_secret = EncryptedField(_("Signing secret"), blank=True, default="")

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "channel"],
                condition=Q(is_active=True),
                name="one_active_sender_per_channel",
            ),
            models.UniqueConstraint(
                fields=["channel"],
                condition=Q(is_active=True, project__isnull=True),
                name="one_active_shared_sender_per_channel",
            ),
            models.CheckConstraint(
                condition=Q(channel="whatsapp", provider__in=["meta", "console", "memory"])
                | Q(channel="sms", provider__in=["twilio", "http", "console", "memory"]),
                name="provider_serves_channel",
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        """A changed sender starts afresh: what was known of its health says nothing any more."""
        from channels import health  # late: it is made of these models

        with transaction.atomic():
            super().save(*args, **kwargs)
            health.changed(self.pk)

    def __str__(self) -> str:
        owner = self.project.name if self.project else str(_("Shared"))
        return f"{owner} · {self.get_channel_display()}"


class SenderHealth(models.Model):
    """A sender in trouble, as `channels.breaker.Health` has it. A sender without a row is well.

    Written by failures only, and read along in the statements that every message makes anyway.
    """

    sender = models.OneToOneField(Sender, on_delete=models.CASCADE, primary_key=True, related_name="health")
    call_failures = models.PositiveSmallIntegerField(default=0)
    report_failures = models.PositiveSmallIntegerField(default=0)
    opened_by = models.CharField(max_length=10, blank=True, default="")
    open_until = models.DateTimeField(null=True)
    openings = models.PositiveSmallIntegerField(default=0)
    probing = models.BooleanField(default=False)
    pace = models.DurationField(default=timedelta)
    paced_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    reason = models.CharField(_("reason"), max_length=20, blank=True, default="")
    provider_code = models.CharField(max_length=20, blank=True, default="")
    since = models.DateTimeField(_("since"), null=True)
    failed_at = models.DateTimeField(null=True)
    alert = models.BooleanField(default=False)
    mending = models.CharField(max_length=10, blank=True, default="", db_default="")

    def __str__(self) -> str:
        return str(self.pk)
