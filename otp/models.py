"""Challenge → Delivery → DeliveryEvent. What may never be is a database constraint. Writes of a login: `otp.store`."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import NullIf
from django.utils.translation import gettext_lazy as _

from channels.models import ChannelChoice, Sender
from channels.types import Channel, Status
from core.ids import new_id, request_id
from otp import policy
from otp.choices import CAUSES, END_REASONS
from otp.types import Cause, State
from projects.models import Project


class Purpose(models.TextChoices):
    LOGIN = "login", _("login")
    ASSERTION = "assertion", _("a signed word that the number was proven")
    TEST_MESSAGE = "trial", _("an operator's test message")


class Challenge(models.Model):
    """One request to prove a phone. Its code is derived from `id` and `key_id` (otp.codes) and stored nowhere."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Not checked by the database: each check locks the row that it finds, and all challenges find the same.
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    purpose = models.CharField(
        max_length=20, choices=Purpose, default=Purpose.LOGIN, db_default=Purpose.LOGIN.value
    )
    phone = models.CharField(_("phone number"), max_length=16)
    # ISO 3166, or the calling code of a network without a country; "": started before this was stored.
    country = models.CharField(_("country"), max_length=8, blank=True, default="", db_default="")
    key_id = models.CharField(max_length=32)
    code_length = models.SmallIntegerField()
    # One form gives one challenge, however often it is posted: a keyed digest of the form's token and the phone.
    start_key = models.BinaryField(max_length=32, null=True, unique=True)
    is_test = models.BooleanField(_("test number"), default=False, db_default=False)
    language = models.CharField(max_length=16)
    origin = models.CharField(max_length=300)  # scheme and host of the page that asked
    address = models.GenericIPAddressField(_("address"), null=True)
    created_at = models.DateTimeField(_("started"))
    expires_at = models.DateTimeField()
    resend_at = models.DateTimeField()  # the channel in use may be asked again from here on
    # Those that the user asked for; the automatic fallback is not counted.
    sends = models.SmallIntegerField(default=1, db_default=1)
    attempts = models.SmallIntegerField(_("wrong codes"), default=0, db_default=0)
    max_attempts = models.SmallIntegerField()
    # What a browser that logged in with the number before counts under (abuse.rules); "": a stranger.
    browser = models.CharField(max_length=24, blank=True, default="", db_default="")
    verified_at = models.DateTimeField(_("verified"), null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, choices=END_REASONS, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("challenge")
        verbose_name_plural = _("Delivery log")
        ordering = ("-id",)
        permissions: ClassVar = [("export_challenge", "Can download the delivery log")]
        indexes: ClassVar = [
            models.Index(fields=["project", "phone", "-id"], name="challenge_by_phone"),
            # For staff: a number in all projects, and a country by its calling code.
            models.Index(fields=["phone"], name="challenge_by_number", opclasses=["varchar_pattern_ops"]),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(attempts__lte=F("max_attempts")), name="attempts_within_budget"
            ),
            models.CheckConstraint(
                condition=Q(code_length__gte=6, code_length__lte=10), name="code_length_6_to_10"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="expires_after_start"),
            models.CheckConstraint(
                condition=Q(verified_at__isnull=True) | Q(ended_at__isnull=True), name="verified_or_ended"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end_reason="")
                | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="an_end_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def state(self, now: datetime) -> State:
        return policy.state_of(
            verified_at=self.verified_at,
            ended_at=self.ended_at,
            expires_at=self.expires_at,
            attempts_left=self.max_attempts - self.attempts,
            now=now,
        )


class Delivery(models.Model):
    """One message over one channel. `due_at` says when it must be looked at again; NULL: never."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    challenge = models.ForeignKey(
        Challenge, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    channel = models.CharField(_("channel"), max_length=10, choices=ChannelChoice)
    # 1, 2, 3 … within its challenge and channel.
    number = models.SmallIntegerField(default=1, db_default=1)
    cause = models.CharField(
        _("cause"), max_length=10, choices=CAUSES, default=Cause.START.value, db_default=Cause.START.value
    )
    # The user chose this channel: it is never turned into another.
    chosen = models.BooleanField(default=False, db_default=False)
    # Without a constraint: each login would lock the one row of its sender.
    sender = models.ForeignKey(
        Sender, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    status = models.SmallIntegerField(
        _("status"),
        choices=[(s.value, s.word) for s in Status],
        default=Status.QUEUED.value,
        db_default=Status.QUEUED.value,
    )
    reason = models.CharField(_("reason"), max_length=20, blank=True, default="", db_default="")
    provider_code = models.CharField(max_length=20, blank=True, default="", db_default="")
    provider_message_id = models.CharField(max_length=255, blank=True, default="", db_default="")
    template_language = models.CharField(max_length=20, blank=True, default="", db_default="")
    # What the provider says that it bills: a category (channels.types.FREE: nothing), and an amount where it names one.
    price_category = models.CharField(max_length=32, blank=True, default="", db_default="")
    price_micros = models.BigIntegerField(null=True)  # millionths of the currency
    price_currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    tries = models.SmallIntegerField(default=0, db_default=0)  # provider calls begun
    crashes = models.SmallIntegerField(db_default=0, default=0)  # workers that died holding it
    created_at = models.DateTimeField(_("created"))
    send_after = models.DateTimeField()  # a retry waits until here
    due_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    status_at = models.DateTimeField()  # when `status` was reached
    # Of the request that asked for it: what is logged when it is sent carries the same.
    request_id = models.CharField(
        max_length=64, blank=True, default=request_id, db_default="", editable=False
    )

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("id",)
        indexes: ClassVar = [
            # What waits to be sent: workers take the freshest first. No index mentions `status` and `due_at`, so that a
            # report changes its row in place.
            models.Index(
                fields=["send_after"],
                condition=Q(accepted_at__isnull=True),
                name="delivery_unaccepted",
            ),
            models.Index(
                fields=["provider_message_id"],
                condition=~Q(provider_message_id=""),
                name="delivery_by_provider_id",
            ),
            # What a sender's reports are expected of (otp.store.unreported).
            models.Index(
                fields=["sender", "accepted_at"],
                condition=Q(accepted_at__isnull=False) & ~Q(provider_message_id=""),
                name="delivery_by_acceptance",
            ),
            # Filters of the delivery log. WhatsApp is the first channel of nearly every login: a page of those is read
            # from the logins themselves, and its reports, which are most of all, spare an entry each.
            models.Index(
                fields=["channel", "challenge"],
                condition=~Q(channel=Channel.WHATSAPP.value),
                name="delivery_by_other_channel",
            ),
            models.Index(fields=["reason", "challenge"], condition=~Q(reason=""), name="delivery_by_reason"),
        ]
        constraints: ClassVar = [
            # Whatever asks for it at the same moment: one first SMS, one second, and so on.
            models.UniqueConstraint(
                fields=["challenge", "channel", "number"], name="one_delivery_per_number"
            ),
            models.UniqueConstraint(
                fields=["challenge"],
                condition=Q(cause=Cause.FALLBACK.value),
                name="one_fallback_per_challenge",
            ),
            models.CheckConstraint(condition=Q(status__gte=0, status__lte=7), name="delivery_status_known"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @classmethod
    def add(cls, *, now: datetime, **values: Any) -> "Delivery":  # noqa: ANN401 # columns
        """A new one, to be sent now unless `values` say otherwise."""
        values = {"due_at": now + policy.ENQUEUE_GRACE} | values
        return cls._default_manager.create(created_at=now, send_after=now, status_at=now, **values)


class Timer(models.Model):
    """When the sweep looks at a delivery. Triggers of the database (migration 0018) add one for each `due_at` that is
    set or brought forward, so none is later than the `due_at` that it is for. When its time has come, the sweep moves
    it to a `due_at` that was put off meanwhile, or removes it: nobody else does."""

    pk = models.CompositePrimaryKey("at", "delivery_id")
    at = models.DateTimeField()
    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, related_name="timers", db_index=False, db_constraint=False
    )

    def __str__(self) -> str:
        return f"{self.at} {self.delivery_id}"


class DeliveryEvent(models.Model):
    """One thing that happened to a delivery: a provider's report, or a step of ours. Append-only."""

    # Not checked by the database, which would look each up again: who writes one holds the delivery's lock, and the
    # purge removes what is left of one that went meanwhile.
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="events", db_index=False, db_constraint=False
    )
    status = models.SmallIntegerField(choices=[(s.value, s.word) for s in Status])
    reason = models.CharField(max_length=20, blank=True, default="", db_default="")
    provider_code = models.CharField(max_length=20, blank=True, default="", db_default="")
    # Ours: "". Reports: the provider's message id; repeats of one are the same event, whatever clock they carry.
    provider_message_id = models.CharField(max_length=255, blank=True, default="", db_default="")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("id",)
        constraints: ClassVar = [
            # Every event is in it, by its delivery; ours, which have no message id, as NULL, and so as often as they
            # happen.
            models.UniqueConstraint(
                F("delivery"),
                NullIf("provider_message_id", Value("")),
                F("status"),
                name="event_once_per_report",
            )
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {Status(self.status).word}"


class PhoneRecord(models.Model):
    """What is remembered of a number across challenges: wrong guesses in a row, those of strangers and those of
    browsers that logged in with it before, and when WhatsApp last said that it does not know the number."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    phone = models.CharField(max_length=16)
    wrong_guesses = models.PositiveIntegerField(default=0, db_default=0)
    known_wrong_guesses = models.PositiveIntegerField(default=0, db_default=0)
    # Not read any more: releases before known browsers refused every code for the number until then.
    blocked_until = models.DateTimeField(null=True)
    not_on_whatsapp_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["updated_at"], name="phone_record_by_age"),
            # Few numbers, and every message by WhatsApp, and every report that one arrived, asks for one.
            models.Index(
                fields=["project", "phone"],
                condition=Q(not_on_whatsapp_at__isnull=False),
                name="phone_not_on_whatsapp",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "phone"], name="one_record_per_phone")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class LimitNotice(models.Model):
    """A ceiling of a project that came near, for the admin: the latest time for each rule and place."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    rule = models.CharField(max_length=40)  # of abuse.rules
    place = models.CharField(max_length=20, blank=True)  # a range of numbers or a country; "": the project
    amount = models.PositiveIntegerField()
    at = models.DateTimeField()
    until = models.DateTimeField()  # the window of the count is over by then

    class Meta:
        indexes: ClassVar = [models.Index(fields=["until"], name="limit_notice_until")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "rule", "place"], name="one_notice_per_limit")
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.place}".strip()
