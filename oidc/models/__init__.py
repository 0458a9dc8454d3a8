"""Clients, their tokens and grants, and the provider's own records."""

from oidc.models.client import Algorithm, Client, client_id_problem
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
    "client_id_problem",
]
