"""Codes, tokens and consent. A token family is one login of one user at one client; it ends as a whole."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractGrant

from core.ids import new_id
from oidc.models.client import Client


class TokenFamily(models.Model):
    """All tokens of one login at one client, until it expires or is revoked."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Without a constraint: each login would lock the one row of its client.
    client = models.ForeignKey(
        Client, on_delete=models.CASCADE, related_name="+", verbose_name=_("client"), db_constraint=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="token_families",
        verbose_name=_("user"),
    )
    scope = models.CharField(_("scopes"), max_length=200)
    issuer = models.CharField(max_length=300)
    # The browser session; without a browser, the family's own id.
    sid = models.UUIDField()
    auth_time = models.DateTimeField(_("signed in"))
    amr = models.JSONField(default=list)
    # The user's session hash (users.models.session_hash): a new salt ends the tokens too.
    session_hash = models.CharField(max_length=64)
    # RFC 9449: the thumbprint of the client's key.
    proof_key = models.CharField(max_length=43, blank=True, default="")
    created_at = models.DateTimeField(_("since"))
    expires_at = models.DateTimeField(_("ends"))
    used_at = models.DateTimeField(null=True)  # tokens were last issued; NULL: the code was not exchanged
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    class Meta:
        verbose_name = _("token family")
        verbose_name_plural = _("token families")
        indexes: ClassVar = [
            models.Index(fields=["sid"], name="family_by_sid"),
            models.Index(fields=["expires_at"], name="family_by_end"),
            # For oidc.retention.
            models.Index(
                fields=["revoked_at"], condition=models.Q(revoked_at__isnull=False), name="family_revoked"
            ),
            models.Index(
                fields=["created_at"], condition=models.Q(used_at__isnull=True), name="family_unused"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def scopes(self) -> list[str]:
        return self.scope.split()


class AuthorizationCode(AbstractGrant):  # type: ignore[misc] # django-oauth-toolkit is not annotated
    """`code` holds the SHA-256, never the code. A used one is kept, so that a second use is recognized."""

    family = models.OneToOneField(TokenFamily, on_delete=models.CASCADE, related_name="code")
    used_at = models.DateTimeField(null=True)
    proof_key = models.CharField(max_length=43, blank=True, default="")  # from `dpop_jkt`

    # Columns of django-oauth-toolkit that we do not use (decision 0114).
    user = None
    application = None
    scope = None
    resource = None
    claims = None

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires"], name="code_by_end")]


class AccessToken(models.Model):
    """An opaque token; only its SHA-256 is stored."""

    token_hash = models.BinaryField(max_length=32, primary_key=True)
    # Not checked by the database, here and below: a family comes with its first tokens in one statement, and whoever
    # adds others, or deletes it with them (oidc.retention), locks it first.
    family = models.ForeignKey(
        TokenFamily, on_delete=models.CASCADE, related_name="access_tokens", db_constraint=False
    )
    scope = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="access_token_by_end")]

    def __str__(self) -> str:
        return f"access token of {self.family_id}"


class RefreshToken(models.Model):
    """Used once; its successor is derived from it (oidc.tokens), so a legitimate retry gets the same answer."""

    token_hash = models.BinaryField(max_length=32, primary_key=True)
    family = models.ForeignKey(
        TokenFamily, on_delete=models.CASCADE, related_name="refresh_tokens", db_constraint=False
    )
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"refresh token of {self.family_id}"


class PushedRequest(models.Model):
    """An authorization request kept by oidc.par; only the hash of its `request_uri` is stored."""

    key = models.BinaryField(max_length=32, primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    parameters = models.JSONField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"request of {self.client_id}"


class Consent(models.Model):
    """The scopes that a user granted a third-party client."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="consents")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=200)
    granted_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "client"], name="one_consent_per_client")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.client_id}"
