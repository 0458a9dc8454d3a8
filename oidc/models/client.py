"""Clients: the applications that log their users in here."""

import re
from collections.abc import Iterator
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.generators import generate_client_id
from oauth2_provider.models import AbstractApplication

from core.config_models import ConfigModel, ConfigQuerySet
from oidc import jwks, pem_keys, policy
from oidc import redirect_uris as uri_rules
from projects.models import Project

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}\Z")


def client_id_problem(value: str) -> str:
    """What is wrong with the ID of a new client, "" if nothing. Basic authentication cannot carry a colon."""
    return "" if _CLIENT_ID.match(value) else str(_("Letters, digits and - . _ ~ only."))


def all_scopes() -> list[str]:
    return list(policy.SCOPES)


class Algorithm(models.TextChoices):
    RS256 = "RS256", "RS256"
    ES256 = "ES256", "ES256"


def default_algorithm() -> str:
    """Of new clients: that of AUTHSVC_OIDC_KEY, so that this key signs, else ES256. Raises ImproperlyConfigured."""
    pem = pem_keys.configured()
    return Algorithm.RS256.value if pem and pem_keys.is_rsa(pem) else Algorithm.ES256.value


class Client(ConfigModel, AbstractApplication):  # type: ignore[misc] # django-oauth-toolkit is not annotated
    """An application that logs its users in here. It belongs to one project and does not exist for others."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="clients", verbose_name=_("project")
    )
    client_id = models.CharField(_("client ID"), max_length=100, unique=True, default=generate_client_id)
    # A hash (oidc.client_secrets).
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
        _("signature of ID tokens"), max_length=5, choices=Algorithm, default=default_algorithm
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
    may_introspect = models.BooleanField(
        _("may introspect"),
        default=False,
        db_default=False,
        help_text=_(
            "An API of yours: it sees whose the tokens of all the project's clients are. Else only of its own."
        ),
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

    # Columns of django-oauth-toolkit that we do not use (decision 0114).
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
            models.CheckConstraint(
                condition=models.Q(may_introspect=False) | models.Q(client_type="confidential"),
                name="public_clients_introspect_nothing",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.client_id

    @property
    def is_confidential(self) -> bool:
        return self.client_type == str(AbstractApplication.CLIENT_CONFIDENTIAL)

    def redirect_uri_allowed(self, uri: str) -> bool:
        return uri_rules.allowed(uri, self.redirect_uris.split())

    def post_logout_redirect_uri_allowed(self, uri: str) -> bool:
        return uri_rules.allowed(uri, self.post_logout_redirect_uris.split())

    def origin_allowed(self, origin: str) -> bool:
        return origin in str(self.allowed_origins).split()

    def clean(self) -> None:
        """Raises ValidationError with all problems of all fields."""
        problems: dict[str, list[str]] = {}
        for name, text in (*self._uri_problems(), *self._value_problems(), *self._public_problems()):
            problems.setdefault(name, []).append(text)
        if problems:
            raise ValidationError(problems)

    def _uri_problems(self) -> Iterator[tuple[str, str]]:
        for name, check in (
            ("redirect_uris", uri_rules.redirect_problem),
            ("post_logout_redirect_uris", uri_rules.redirect_problem),
            ("allowed_origins", uri_rules.origin_problem),
            ("backchannel_logout_uri", uri_rules.callback_problem),
        ):
            for uri in getattr(self, name).split():
                if problem := check(uri):
                    yield name, f"{uri}: {problem}"
        if not self.redirect_uris.split():
            yield "redirect_uris", str(_("is required"))

    def _value_problems(self) -> Iterator[tuple[str, str]]:
        if self._state.adding and (problem := client_id_problem(self.client_id)):
            yield "client_id", problem
        if problem := policy.scopes_problem(self.scopes):
            yield "scopes", problem
        if self.jwks and self.is_confidential and (problem := jwks.problem(self.jwks)):
            yield "jwks", problem

    def _public_problems(self) -> Iterator[tuple[str, str]]:
        """What only a confidential client may have."""
        if self.is_confidential:
            return
        if self.jwks:
            yield "jwks", str(_("a public client has none"))
        if not self.pkce_required:
            yield "pkce_required", str(_("a public client needs PKCE"))
        if self.may_introspect:
            yield "may_introspect", str(_("a public client cannot prove itself, so it introspects nothing"))
