"""The application that logs its users in here."""

import re
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.generators import generate_client_id
from oauth2_provider.models import AbstractApplication

from oidc import addresses, jwks, policy
from projects.models import ConfigModel, ConfigQuerySet, Project

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}\Z")


def client_id_problem(value: str) -> str:
    """What is wrong with the ID of a new client, in words, or nothing. Basic authentication could not carry a colon."""
    return "" if _CLIENT_ID.match(value) else str(_("Letters, digits and - . _ ~ only."))


def all_scopes() -> list[str]:
    return list(policy.SCOPES)


class Algorithm(models.TextChoices):
    RS256 = "RS256", "RS256"
    ES256 = "ES256", "ES256"


class Client(ConfigModel, AbstractApplication):  # type: ignore[misc] # django-oauth-toolkit is not annotated
    """An application that logs its users in here. It belongs to one project and is unknown to all others."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="clients", verbose_name=_("project")
    )
    client_id = models.CharField(_("client ID"), max_length=100, unique=True, default=generate_client_id)
    # Never the secret itself: oidc.secrets.
    client_secret = models.CharField(
        _("client secret"), max_length=255, blank=True, default="", editable=False
    )
    name = models.CharField(
        _("name"),
        max_length=60,
        blank=True,
        help_text=_("Users see it when they are asked for their consent."),
    )
    client_type = models.CharField(
        _("client type"),
        max_length=32,
        choices=AbstractApplication.CLIENT_TYPES,
        default=AbstractApplication.CLIENT_PUBLIC,
        help_text=_(
            "Confidential: it runs on a server and keeps a secret. Public: a browser or a phone runs it."
        ),
    )
    algorithm = models.CharField(
        _("signature of ID tokens"), max_length=5, choices=Algorithm, default=Algorithm.RS256
    )
    redirect_uris = models.TextField(_("redirect URIs"), help_text=_("One a line, compared exactly."))
    post_logout_redirect_uris = models.TextField(
        _("redirect URIs after log-out"), blank=True, default="", help_text=_("One a line, compared exactly.")
    )
    allowed_origins = models.TextField(
        _("origins"),
        blank=True,
        default="",
        help_text=_("Pages of these origins may call the API and the token endpoint, one a line."),
    )
    skip_authorization = models.BooleanField(
        _("first-party"), default=True, help_text=_("One of your own: users are not asked for their consent.")
    )
    scopes = models.JSONField(_("scopes"), default=all_scopes)
    pkce_required = models.BooleanField(
        _("PKCE required"),
        default=True,
        help_text=_("Public clients always need it. Only for a confidential one that cannot: turn it off."),
    )
    backchannel_logout_uri = models.CharField(
        _("back-channel log-out URI"),
        max_length=500,
        blank=True,
        default="",
        help_text=_("Told when a session of one of its users ends."),
    )
    jwks = models.JSONField(
        _("public keys (JWKS)"),
        null=True,
        blank=True,
        help_text=_("With keys it authenticates by private_key_jwt."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    authorization_grant_type = None
    user = None
    hash_client_secret = None
    registration_source = None
    cimd_expires_at = None

    objects: ClassVar[models.Manager["Client"]] = ConfigQuerySet["Client"].as_manager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(client_type="public", client_secret="")
                | models.Q(client_type="confidential"),
                name="only_confidential_clients_have_secrets",
            ),
            models.CheckConstraint(
                condition=models.Q(pkce_required=True) | models.Q(client_type="confidential"),
                name="public_clients_need_pkce",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.client_id

    @property
    def is_confidential(self) -> bool:
        return self.client_type == str(AbstractApplication.CLIENT_CONFIDENTIAL)

    def redirect_uri_allowed(self, uri: str) -> bool:
        return addresses.allowed(uri, self.redirect_uris.split())

    def post_logout_redirect_uri_allowed(self, uri: str) -> bool:
        return addresses.allowed(uri, self.post_logout_redirect_uris.split())

    def origin_allowed(self, origin: str) -> bool:
        return origin in str(self.allowed_origins).split()

    def get_allowed_schemes(self) -> list[str]:
        """Those of its own addresses: each was checked when it was saved."""
        found = (self.redirect_uris + " " + self.post_logout_redirect_uris).split()
        return sorted({uri.split(":", 1)[0].lower() for uri in found})

    def is_usable(self, _request: object) -> bool:
        return self.is_active

    def clean(self) -> None:
        """All that is wrong, each with its field."""
        problems = {
            name: [f"{uri}: {problem}" for uri in getattr(self, name).split() if (problem := check(uri))]
            for name, check in (
                ("redirect_uris", addresses.redirect_problem),
                ("post_logout_redirect_uris", addresses.redirect_problem),
                ("allowed_origins", addresses.origin_problem),
                ("backchannel_logout_uri", addresses.callback_problem),
            )
        }
        if not self.redirect_uris.split():
            problems["redirect_uris"].append(str(_("At least one is needed.")))
        if self._state.adding and (problem := client_id_problem(self.client_id)):
            problems["client_id"] = [problem]
        if problem := policy.scopes_problem(self.scopes):
            problems["scopes"] = [problem]
        if self.jwks and (problem := jwks.problem(self.jwks)):
            problems["jwks"] = [problem]
        if not self.is_confidential:
            if self.jwks:
                problems["jwks"] = [str(_("A public client has no keys."))]
            if not self.pkce_required:
                problems["pkce_required"] = [str(_("A public client needs PKCE."))]
        found = {name: lines for name, lines in problems.items() if lines}
        if found:
            raise ValidationError(found)
