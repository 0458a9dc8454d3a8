"""Clients and what they were given."""

from oidc.models.client import Algorithm, Client
from oidc.models.provider import LogoutNotice, SigningKey
from oidc.models.tokens import (
    AccessToken,
    AuthorizationCode,
    Consent,
    PushedRequest,
    RefreshToken,
    TokenFamily,
)

__all__ = [
    "AccessToken",
    "Algorithm",
    "AuthorizationCode",
    "Client",
    "Consent",
    "LogoutNotice",
    "PushedRequest",
    "RefreshToken",
    "SigningKey",
    "TokenFamily",
]
