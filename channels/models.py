"""Senders: a from-number with its credentials. Without a project it is the shared sender of its channel."""

import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels.provider_settings import ProviderSettings
from channels.providers import PROVIDERS
from core.config_models import ConfigModel
from core.fields import EncryptedJSONField
from core.ids import new_id
from projects.models import Project


class ChannelChoice(models.TextChoices):
    WHATSAPP = "whatsapp", _("WhatsApp")
    SMS = "sms", _("SMS")


def provider_choices() -> list[tuple[str, str | Promise]]:
    """Called when it is asked for, so that a new provider needs no migration."""
    return [(provider.name, provider.label) for provider in PROVIDERS.values()]


class Sender(ConfigModel):
    """A WhatsApp Business account or an SMS account. Secrets are encrypted and write-only in the admin."""

    # The order in which those of one project and channel are tried.
    TRIED: ClassVar = ("priority", "created_at", "id")

    # What a save resets, in its transaction. Made of these models, so they add themselves (channels.apps).
    on_change: ClassVar[list[Callable[["Sender"], None]]] = []

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
    provider = models.CharField(_("provider"), max_length=10, choices=provider_choices)
    is_active = models.BooleanField(_("active"), default=True)
    name = models.SlugField(
        _("name"),
        max_length=40,
        blank=True,
        default="",
        db_default="",
        db_index=False,
        help_text=_("For routes by country, and to tell several senders apart: for example india."),
    )
    # Of several senders of one project and channel the next is tried when one fails for everybody.
    priority = models.PositiveSmallIntegerField(
        _("order"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_("Among the project's senders for this channel: 1 is tried first."),
    )

    # Fields of the provider's class (`Provider.settings`). Secrets are never shown again and never exported.
    settings = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "name"],
                condition=Q(is_active=True) & ~Q(name=""),
                name="one_active_sender_per_name",
                violation_error_message=_("Another active sender of this project has this name."),
            ),
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(is_active=True, project__isnull=True) & ~Q(name=""),
                name="one_active_shared_sender_per_name",
                violation_error_message=_("Another active shared sender has this name."),
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        """A changed sender starts afresh: what was known of its health and its notices says nothing any more."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            for changed in self.on_change:
                changed(self)

    @classmethod
    def locked(cls, sender_id: uuid.UUID) -> "Sender | None":
        """One caller at a time, until the transaction ends; None when it was deleted."""
        rows = cls._default_manager.defer("secrets").select_for_update(no_key=True)
        return rows.filter(id=sender_id).first()

    @property
    def values(self) -> dict[str, Any]:
        """Settings and secrets by field."""
        return {**self.settings, **self.secrets}

    @values.setter
    def values(self, values: Mapping[str, Any]) -> None:
        provider = PROVIDERS[self.provider]
        shown = provider.settings.model_fields.keys() - provider.secret_names
        self.settings = {name: value for name, value in values.items() if name in shown and value}
        self.secrets = {name: value for name, value in values.items() if name not in shown and value}

    def typed(self, secrets: Mapping[str, str] | None = None) -> ProviderSettings:
        """As its provider's class has them, unchecked; nothing for a provider that only a newer version knows."""
        provider = PROVIDERS.get(self.provider)
        of_stored = (provider.settings if provider else ProviderSettings).of_stored
        typed: ProviderSettings = of_stored(self.settings, self.secrets if secrets is None else secrets)
        return typed

    def typed_without_secrets(self) -> ProviderSettings:
        """The same where secrets are not read."""
        return self.typed({})

    def __str__(self) -> str:
        owner = self.project.name if self.project else str(_("Shared"))
        name = f" · {self.name}" if self.name else ""
        return f"{owner} · {self.get_channel_display()}{name}"


class Outcome(models.TextChoices):
    """What a rehearsal plays on a channel."""

    DELIVERED = "delivered", _("arrives")
    FAILED = "failed", _("fails")
    SILENT = "silent", _("is accepted, then nothing is heard of it")


class Rehearsal(ConfigModel):
    """A member of staff tries logins with a fictional number; its codes appear on their page only (decision 0126).

    Rows stay: they are the record of who rehearsed what. Times are UTC.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="rehearsals", verbose_name=_("project")
    )
    phone = models.CharField(_("phone number"), max_length=16)
    staff = models.ForeignKey(
        "users.User", on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("started by")
    )
    session_hash = models.CharField(max_length=64)  # of the session in which it was started
    whatsapp = models.CharField(_("WhatsApp"), max_length=10, choices=Outcome, default=Outcome.DELIVERED)
    sms = models.CharField(_("SMS"), max_length=10, choices=Outcome, default=Outcome.DELIVERED)
    started_at = models.DateTimeField(_("started"))
    ends_at = models.DateTimeField(_("ends by itself"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("rehearsal")
        verbose_name_plural = _("rehearsals")
        ordering = ("-id",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "phone"],
                condition=Q(ended_at__isnull=True),
                name="one_rehearsal_per_number",
            ),
            models.CheckConstraint(
                condition=Q(phone__startswith="+120255501"), name="rehearsals_use_fictional_numbers"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} UTC"


class SenderHealth(models.Model):
    """A sender in trouble, as `channels.breaker.Health` has it. A sender without a row is well.

    Written by failures only, and read along in the statements that every message makes anyway.
    """

    sender = models.OneToOneField(Sender, on_delete=models.CASCADE, primary_key=True, related_name="health")
    call_failures = models.PositiveSmallIntegerField(default=0)
    report_failures = models.PositiveSmallIntegerField(default=0)
    unexplained_calls = models.PositiveSmallIntegerField(default=0, db_default=0)
    unexplained_reports = models.PositiveSmallIntegerField(default=0, db_default=0)
    opened_by = models.CharField(max_length=10, blank=True, default="")
    open_until = models.DateTimeField(null=True)
    openings = models.PositiveSmallIntegerField(default=0)
    probing = models.BooleanField(default=False)
    throttle = models.DurationField(default=timedelta, db_column="pace")
    throttled_at = models.DateTimeField(null=True, db_column="paced_at")
    next_at = models.DateTimeField(null=True)
    reason = models.CharField(_("reason"), max_length=20, blank=True, default="")
    provider_code = models.CharField(max_length=20, blank=True, default="")
    since = models.DateTimeField(_("since"), null=True)
    failed_at = models.DateTimeField(null=True)
    alert = models.BooleanField(default=False)
    recovery_source = models.CharField(
        max_length=10, blank=True, default="", db_default="", db_column="mending"
    )

    def __str__(self) -> str:
        return str(self.pk)


class SenderNotice(models.Model):
    """What a provider has reported of a sender's template, number or account: the state of one `notices.Subject`.

    As many rows as a sender has template languages and topics, and only for those of which something was reported.
    They are read with the senders, from memory.
    """

    sender = models.ForeignKey(Sender, on_delete=models.CASCADE, related_name="notices")
    topic = models.CharField(max_length=20)
    template = models.CharField(max_length=512, blank=True, default="")
    language = models.CharField(max_length=20, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=40, blank=True, default="")
    provider_code = models.CharField(max_length=20, blank=True, default="")
    since = models.DateTimeField(_("since"), null=True)
    skipped_until = models.DateTimeField(null=True)
    bad_at = models.DateTimeField(null=True)
    good_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sender", "topic", "template", "language"], name="one_notice_per_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.template} {self.language}".strip()


class SenderReports(models.Model):
    """What the webhook saw of a sender's reports (channels.report_counts). A sender without a row: nothing yet."""

    sender = models.OneToOneField(Sender, on_delete=models.CASCADE, primary_key=True, related_name="reports")
    reported_at = models.DateTimeField(null=True)  # the last signed one, written down every few seconds
    refused = models.PositiveIntegerField(default=0)  # posts since then that name it, wrongly signed
    refused_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.pk)


class SenderCheck(models.Model):
    """What the last check of one step of a sender's set-up found (channels.setup_checks). No secret is in it."""

    sender = models.ForeignKey(Sender, on_delete=models.CASCADE, related_name="checks")
    step = models.CharField(max_length=20)
    findings = models.JSONField(default=list)  # level, text, remedy, language, word
    checked_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sender", "step"], name="one_check_per_step")
        ]

    def __str__(self) -> str:
        return self.step


class SampleMessage(models.Model):
    """A provider's own sample message that staff sent to try a sender (channels.samples); the last ones are kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sender = models.ForeignKey(Sender, on_delete=models.CASCADE, related_name="samples")
    phone_masked = models.CharField(max_length=40)
    steps = models.JSONField(default=list)  # at, status, reason, code
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)
