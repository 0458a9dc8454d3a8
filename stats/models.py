"""What is counted by hour, what messages cost, and the tokens of machines that read both.

Rollups outlive the challenges that they count; a project's go with the project.
"""

from typing import ClassVar

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels.models import provider_choices
from core.ids import new_id
from projects.models import Project


class CountedHour(models.Model):
    """Until when the rollups of an hour are true."""

    hour = models.DateTimeField(primary_key=True)
    counted_at = models.DateTimeField(null=True)  # None: not yet
    # Its rollups are part of those of its day, which stand at midnight (stats.merge).
    is_merged = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h"


class Rollup(models.Model):
    """One row for each combination of its keys that occurred. `hour` is when the logins began, in UTC; days that are
    over for good have one row, at midnight."""

    hour = models.DateTimeField()
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)

    # What is added up; the other columns tell rows apart.
    sums: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True
        indexes: ClassVar = [
            models.Index(fields=["hour"], name="%(class)s_by_hour"),
            models.Index(fields=["project", "hour"], name="%(class)s_by_project"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class LoginRollup(Rollup):
    """Logins and proofs of numbers, without test numbers and operators' test messages."""

    sums = ("started", "verified", "fell_back")

    country = models.CharField(max_length=8)  # Challenge.country
    started = models.PositiveIntegerField()
    verified = models.PositiveIntegerField()
    fell_back = models.PositiveIntegerField()  # the next channel took over by itself

    class Meta(Rollup.Meta):
        verbose_name = _("login statistics")
        verbose_name_plural = _("login statistics")


class DeliveryRollup(Rollup):
    """Messages, without test numbers, for which nothing is sent."""

    sums = (
        "messages", "accepted", "delivered", "failed", "fallbacks", "verified", "instead_of_sms", "priced",
        "cost_micros", "unpriced",
    )  # fmt: skip

    country = models.CharField(max_length=8)
    channel = models.CharField(max_length=10)
    provider = models.CharField(max_length=10)  # "": its sender was deleted, or there was none
    sender_id = models.UUIDField(null=True)
    cause = models.CharField(max_length=10)
    reason = models.CharField(max_length=20)  # of those that failed, or stayed silent
    category = models.CharField(max_length=32)  # Delivery.price_category
    currency = models.CharField(max_length=3)  # of `cost_micros`; "": no amount was reported
    messages = models.PositiveIntegerField()
    accepted = models.PositiveIntegerField()  # by the provider
    delivered = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    fallbacks = models.PositiveIntegerField()  # of these messages: the next channel took over from it
    verified = models.PositiveIntegerField()  # the last message of a login that succeeded
    instead_of_sms = models.PositiveIntegerField()  # WhatsApp that arrived, in a login without any SMS
    priced = models.PositiveIntegerField()  # an amount was reported …
    cost_micros = models.BigIntegerField()  # … and their sum, in millionths
    unpriced = models.PositiveIntegerField()  # costs money, and no amount was reported

    class Meta(Rollup.Meta):
        verbose_name = _("message statistics")
        verbose_name_plural = _("message statistics")


class TimingRollup(Rollup):
    """How long it took: counts by bucket of `stats.histogram`. Not by country: the buckets are many rows already."""

    sums = ("count",)

    class Measure(models.TextChoices):
        DELIVERED = "delivered", _("until the message arrived")
        VERIFIED = "verified", _("until the login succeeded")

    channel = models.CharField(max_length=10)
    provider = models.CharField(max_length=10)
    measure = models.CharField(max_length=10, choices=Measure)
    bucket = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()

    class Meta(Rollup.Meta):
        verbose_name = _("time statistics")
        verbose_name_plural = _("time statistics")


class Price(models.Model):
    """What a message costs where its provider reports no amount. None is shipped: rate cards change."""

    provider = models.CharField(_("provider"), max_length=10, choices=provider_choices)
    country = models.CharField(
        _("country"),
        max_length=8,
        blank=True,
        default="",
        validators=[RegexValidator(r"^([A-Z]{2}|\+[0-9]{1,6})\Z", _("Two capital letters, such as HK."))],
        help_text=_("ISO 3166, such as HK. Empty: every country without a price of its own."),
    )
    category = models.CharField(
        _("category"),
        max_length=32,
        blank=True,
        default="",
        validators=[
            RegexValidator(r"^[a-z_]+\Z", _("Lower-case letters, such as authentication_international."))
        ],
        help_text=_("As the provider names it: authentication, authentication_international. Empty: any."),
    )
    amount = models.DecimalField(
        _("amount"),
        max_digits=12,
        decimal_places=6,
        validators=[MinValueValidator(0)],
        help_text=_("For one message."),
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        validators=[RegexValidator(r"^[A-Z]{3}\Z", _("Three capital letters, such as USD."))],
    )
    valid_from = models.DateField(
        _("valid from"), default=timezone.localdate, help_text=_("Until a later price of the same kind.")
    )

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ("provider", "country", "category", "-valid_from")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "country", "category", "valid_from"],
                name="one_price_per_day",
                violation_error_message=_("There is a price for this provider, country, category and day."),
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="price_not_negative"),
        ]

    def __str__(self) -> str:
        place = f"{self.provider} {self.country} {self.category}".strip()
        return f"{place} {self.amount.normalize():f} {self.currency}"


class PriceReading(models.Model):
    """How far the prices of one account were read from its provider (stats.reported_prices)."""

    provider = models.CharField(max_length=10)
    account = models.CharField(max_length=64)  # as the provider names it
    due_at = models.DateTimeField()  # from here on it may be asked again
    failures = models.PositiveSmallIntegerField(default=0, db_default=0)  # in a row
    read_until = models.DateTimeField()  # messages made before were looked for
    # The span that is being read: until when, and where its list goes on; "": at its beginning.
    span_end = models.DateTimeField(null=True)
    next_page = models.CharField(max_length=1000, blank=True, default="", db_default="")
    repeat_at = models.DateTimeField()  # then messages that still have no price are looked for again

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "account"], name="one_price_reading_per_account")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class StatsToken(models.Model):
    """Lets a machine of staff read the statistics (GET /api/v1/stats). Only a hash of the token is stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=60, help_text=_("What reads with it."))
    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("project"),
        help_text=_("Empty: all projects."),
    )
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("statistics token")
        verbose_name_plural = _("statistics tokens")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name
