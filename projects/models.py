"""Projects and how their users log in. Saving any of these raises the configuration version (projects.config)."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from projects import config
from projects.ids import new_id
from projects.secrets import EncryptedField

OTP_LENGTH = (6, 10)
OTP_VALID_SECONDS = (60, 600)
RESEND_AFTER_SECONDS = (10, 300)
MAX_ATTEMPTS = (1, 10)
FALLBACK_WAIT_SECONDS = (5, 300)


class VerifyPhoneBy(models.TextChoices):
    WHATSAPP_OR_SMS = "whatsapp_or_sms", _("WhatsApp or SMS")
    WHATSAPP_ONLY = "whatsapp_only", _("WhatsApp only")
    SMS_ONLY = "sms_only", _("SMS only")


class Identifier(models.TextChoices):
    MOBILE = "mobile", _("Mobile")


class Authentication(models.TextChoices):
    PASSWORDLESS = "passwordless", _("Passwordless")


class ConfigVersion(models.Model):
    """One row. Its number rises with every saved piece of configuration, in the same transaction."""

    value = models.BigIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="config_version_single_row")]

    @classmethod
    def raise_number(cls) -> int:
        """Next version. The row lock makes concurrent savers wait, so numbers follow commits."""
        if not cls.objects.filter(id=1).update(value=F("value") + 1):
            cls.objects.get_or_create(id=1)
        return int(cls.objects.values_list("value", flat=True).get(id=1))


class ConfigQuerySet[Row: models.Model](models.QuerySet[Row]):
    """Deleting many at once (the admin's list does) is seen like deleting one."""

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            deleted = super().delete()
            ConfigModel.announce()
        return deleted


class ConfigModel(models.Model):
    """Base of everything that processes keep in memory: a save or delete is seen by all of them at once."""

    objects = ConfigQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        with transaction.atomic():
            super().save(*args, **kwargs)
            self.announce()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:  # noqa: ANN401 # Django's signature
        with transaction.atomic():
            deleted = super().delete(*args, **kwargs)
            self.announce()
        return deleted

    @staticmethod
    def announce() -> None:
        """Raise the version in the open transaction; processes see it once that commits."""
        version = ConfigVersion.raise_number()
        transaction.on_commit(lambda: config.publish(version))


class Project(ConfigModel):
    """An application (or a family of them) with its own users, login methods and, if it has them, senders."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(_("slug"), max_length=50, unique=True)
    name = models.CharField(
        _("name"), max_length=60, help_text=_("Users see this name on the login page and in SMS.")
    )
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Answers on hosts that no project claims.")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_project"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Domain(ConfigModel):
    """A host on which a project's pages are served."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="domains")
    host = models.CharField(
        _("host"),
        max_length=253,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z", _("A host name in lower case, without port.")
            )
        ],
    )

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")

    def __str__(self) -> str:
        return self.host


def _between(bounds: tuple[int, int]) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(bounds[0]), MaxValueValidator(bounds[1])]


def _check(field: str, bounds: tuple[int, int]) -> models.CheckConstraint:
    condition = Q(**{f"{field}__gte": bounds[0], f"{field}__lte": bounds[1]})
    return models.CheckConstraint(condition=condition, name=f"login_methods_{field}")


def validate_countries(value: object) -> None:
    """A list of ISO 3166 codes, or the one-element list ["all"]."""
    if not isinstance(value, list) or not all(
        isinstance(code, str) and (code == "all" or (len(code) == 2 and code.isascii() and code.isupper()))
        for code in value
    ):
        raise ValidationError(_("A list of two-letter country codes such as HK, GB."))
    if "all" in value and len(value) > 1:
        raise ValidationError(_("Either all, or a list of countries."))


class LoginMethods(ConfigModel):
    """How a project's users prove who they are. Invariants are database constraints as well as form rules."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="login_methods")
    identifier = models.CharField(
        _("Select login methods"), max_length=20, choices=Identifier, default=Identifier.MOBILE
    )
    authentication = models.CharField(
        _("Authentication"), max_length=20, choices=Authentication, default=Authentication.PASSWORDLESS
    )
    verify_phone_by = models.CharField(
        _("Verify phone number by"),
        max_length=20,
        choices=VerifyPhoneBy,
        default=VerifyPhoneBy.WHATSAPP_OR_SMS,
    )
    otp_length = models.PositiveSmallIntegerField(
        _("Code length (digits)"), default=6, validators=_between(OTP_LENGTH)
    )
    otp_valid_seconds = models.PositiveSmallIntegerField(
        _("Code valid for (seconds)"), default=300, validators=_between(OTP_VALID_SECONDS)
    )
    resend_after_seconds = models.PositiveSmallIntegerField(
        _("Wait before resending (seconds)"),
        default=30,
        validators=_between(RESEND_AFTER_SECONDS),
        help_text=_("Grows with every send: 30, 60, 120 seconds …"),
    )
    max_attempts = models.PositiveSmallIntegerField(
        _("Wrong codes allowed"), default=5, validators=_between(MAX_ATTEMPTS)
    )
    fallback_enabled = models.BooleanField(_("Send an SMS when WhatsApp does not deliver"), default=True)
    fallback_wait_seconds = models.PositiveSmallIntegerField(
        _("Wait for delivery before the SMS (seconds)"),
        default=20,
        validators=_between(FALLBACK_WAIT_SECONDS),
    )
    countries_allowed = models.JSONField(
        _("Countries allowed"),
        default=list,
        blank=True,
        validators=[validate_countries],
        help_text=_("Nobody else receives a message."),
    )
    countries_pinned = models.JSONField(
        _("Countries shown first"), default=list, blank=True, validators=[validate_countries]
    )

    class Meta:
        verbose_name = _("login methods")
        verbose_name_plural = _("login methods")
        constraints: ClassVar = [
            _check("otp_length", OTP_LENGTH),
            _check("otp_valid_seconds", OTP_VALID_SECONDS),
            _check("resend_after_seconds", RESEND_AFTER_SECONDS),
            _check("max_attempts", MAX_ATTEMPTS),
            _check("fallback_wait_seconds", FALLBACK_WAIT_SECONDS),
            models.CheckConstraint(
                condition=Q(verify_phone_by__in=VerifyPhoneBy.values), name="login_methods_verify_phone_by"
            ),
        ]

    def __str__(self) -> str:
        return str(self.project)

    def promises(self) -> Iterable[str]:
        """The channels that these settings promise, first choice first."""
        return config.CHANNELS_OF[self.verify_phone_by]


class TestNumber(ConfigModel):
    """A number for app-store review and CI: its fixed code works until a date and never reaches a provider."""

    __test__ = False  # not a pytest class

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="test_numbers")
    phone = models.CharField(_("phone number"), max_length=16, help_text=_("E.164, for example +15005550199"))
    code = EncryptedField(_("code"))
    until = models.DateField(_("works until"), help_text=_("The last day, in UTC."))

    class Meta:
        verbose_name = _("test number")
        verbose_name_plural = _("test numbers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "phone"], name="one_code_per_test_number")
        ]

    def __str__(self) -> str:
        return self.phone
