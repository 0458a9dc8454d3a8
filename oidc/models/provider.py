"""The provider's own records: signing keys and log-out notices."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from core.config_models import ConfigModel, ConfigQuerySet
from core.fields import EncryptedField
from core.ids import new_id
from core.outbox import Outgoing
from oidc.models.client import Algorithm, Client


class SigningKeys(ConfigQuerySet["SigningKey"]):
    def with_retirement(self) -> Self:
        """Annotate `retired_at`: when a newer key of the algorithm took over, None while it signs."""
        newer = SigningKey.objects.filter(algorithm=OuterRef("algorithm")).filter(
            Q(created_at__gt=OuterRef("created_at"))
            | Q(created_at=OuterRef("created_at"), id__gt=OuterRef("id"))
        )
        return self.annotate(retired_at=Subquery(newer.order_by("created_at", "id").values("created_at")[:1]))

    def sealed(self) -> Self:
        """Annotate `sealed_pem`: the private key as stored, encrypted."""
        return self.defer("pem").annotate(sealed_pem=Cast("pem", models.TextField()))


class SigningKey(ConfigModel):
    """A key that signs tokens. The newest of its algorithm signs; older ones are published until their tokens end."""

    kid = models.CharField(_("key ID"), max_length=64, unique=True)
    algorithm = models.CharField(_("algorithm"), max_length=5, choices=Algorithm)
    pem = EncryptedField(_("private key"))
    created_at = models.DateTimeField(_("created"))
    # Set by `with_retirement` and `sealed`.
    retired_at: datetime | None
    sealed_pem: str

    objects: ClassVar[models.Manager["SigningKey"]] = SigningKeys.as_manager()

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.kid


class LogoutNotice(Outgoing):
    """A message to a client that a session has ended (OpenID Connect Back-Channel Logout)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+", verbose_name=_("client"))
    issuer = models.CharField(max_length=300)
    sub = models.UUIDField()
    sid = models.UUIDField()

    class Meta:
        verbose_name = _("log-out notice")
        verbose_name_plural = _("log-out notices")
        ordering = ("-id",)
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="logout_due"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "sid", "sub"], name="one_notice_per_session")
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.sid}"
