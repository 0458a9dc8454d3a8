"""Projects and how their users log in. Saving any of these raises the configuration version (core.config_version)."""

import uuid
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q, Value
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from core.config_models import ConfigModel
from core.fields import EncryptedField
from core.hosts import domain_entry, read_host
from core.ids import new_id
from projects import routing, rules
from projects.rules import NETWORKS

OTP_LENGTH = (6, 10)
OTP_VALID_SECONDS = (60, 600)
RESEND_AFTER_SECONDS = (10, 300)
MAX_ATTEMPTS = (1, 10)
FALLBACK_WAIT_SECONDS = routing.WAIT_SECONDS


class VerifyPhoneBy(models.TextChoices):
    WHATSAPP_OR_SMS = "whatsapp_or_sms", _("WhatsApp or SMS")
    WHATSAPP_ONLY = "whatsapp_only", _("WhatsApp only")
    SMS_ONLY = "sms_only", _("SMS only")


class Identifier(models.TextChoices):
    MOBILE = "mobile", _("Mobile")


class Authentication(models.TextChoices):
    PASSWORDLESS = "passwordless", _("Passwordless")


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
    # It serves no requests any more; its data is kept.
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    # Its data is being deleted (projects.removal).
    deletion_began_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="one_default_project",
                violation_error_message=_("Another project is the default already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        """Create its login methods too. Until they name countries, the project is not set up."""
        is_new = self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if is_new:
                LoginMethods.objects.get_or_create(project=self)


def validate_domain(value: str) -> None:
    if not domain_entry(value):
        raise ValidationError(_("A host name, with its port where that is not the usual one."))


class Domain(ConfigModel):
    """A host that a project serves: `name` or `name:port`, in the canonical form of core.hosts."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="domains")
    host = models.CharField(
        _("host"),
        max_length=253,
        unique=True,
        validators=[validate_domain],
        error_messages={"unique": _("A project has this host already.")},
        help_text=_("For example login.example.com; with a port only where people type one."),
    )

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")

    def __str__(self) -> str:
        return self.host

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        self.host = domain_entry(self.host) or self.host
        super().save(*args, **kwargs)

    def clean(self) -> None:
        self.host = domain_entry(self.host) or self.host
        owner = self.owner_elsewhere(self.host, except_id=self.project_id)
        if owner:
            text = _("This host belongs to the project %(name)s.")
            raise ValidationError({"host": ValidationError(text, params={"name": owner.name})})

    @staticmethod
    def owner_elsewhere(entry: str, *, except_id: uuid.UUID | None) -> Project | None:
        """Another project with the same host name on any port: browsers share cookies between ports."""
        host = read_host(entry)
        if host is None:
            return None
        same_name = Q(host=host.name) | Q(host__startswith=f"{host.name}:")
        others = Domain.objects.filter(same_name, ~Q(project_id=except_id)).select_related("project")
        row = others.first()
        return row.project if row else None


def _between(bounds: tuple[int, int]) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(bounds[0]), MaxValueValidator(bounds[1])]


def _check(field: str, bounds: tuple[int, int]) -> models.CheckConstraint:
    condition = Q(**{f"{field}__gte": bounds[0], f"{field}__lte": bounds[1]})
    return models.CheckConstraint(condition=condition, name=f"login_methods_{field}")


def validate_countries(value: object) -> None:
    """A list of ISO 3166 codes, or "all" instead; either may be combined with NETWORKS."""
    if not isinstance(value, list) or not all(
        isinstance(code, str)
        and (code in ("all", *NETWORKS) or (len(code) == 2 and code.isascii() and code.isupper()))
        for code in value
    ):
        raise ValidationError(_("A list of two-letter country codes such as HK, GB."))
    if "all" in value and any(len(code) == 2 for code in value):
        raise ValidationError(_("Either all, or a list of countries."))


class LoginMethods(ConfigModel):
    """How a project's users log in. Invariants are database constraints as well as form rules."""

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
        _("Code valid for (seconds)"), default=600, validators=_between(OTP_VALID_SECONDS)
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
    # Other orders, waits and senders by country (projects.routing).
    routing = models.JSONField(
        _("Routing"),
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        validators=[routing.validate_routing],
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

    def clean(self) -> None:
        problems: dict[str, list[str]] = {}
        for name, text in rules.login_methods_problems(vars(self)):
            problems.setdefault(name, []).append(f"{capfirst(text)}.")
        if routing.is_routing(self.routing) and (texts := list(routing.sentences(vars(self)))):
            problems["routing"] = texts
        if problems:
            raise ValidationError(problems)


class TestNumber(ConfigModel):
    """A number for app-store review and CI: its fixed code works until a date, and nothing is sent."""

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
