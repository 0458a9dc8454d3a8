"""Who a client is, and how it proves it: client_secret_basic, client_secret_post, private_key_jwt, or nothing."""

# ruff: noqa: ANN401 # the signatures are oauthlib's

from typing import Any
from urllib.parse import unquote_plus

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request

from oidc import assertions, secrets
from oidc.clients import client_of
from oidc.models import Client
from projects.config import ProjectConfig


class ClientAuthentication(OAuth2Validator):  # type: ignore[misc] # django-oauth-toolkit is not annotated
    """One request at one project's host."""

    def __init__(self, *, project: ProjectConfig, issuer: str) -> None:
        super().__init__()
        self.project = project
        self.issuer = issuer

    def _load_application(self, client_id: str | None, request: Request) -> Client | None:
        # oauthlib takes every parameter of the request for an attribute: `client` may be a stranger's text.
        known = request.client if isinstance(request.client, Client) else None
        if known is None or known.client_id != client_id:
            known = client_of(client_id, project_id=self.project.id) if client_id else None
        request.client = known
        return known

    def client_authentication_required(self, request: Request, *_args: Any, **_more: Any) -> bool:
        """Whenever the client is confidential, unknown, or brings a proof."""
        if self._basic(request) or request.client_secret or _assertion(request):
            return True
        client = self._load_application(request.client_id, request)
        return client is None or client.is_confidential

    def authenticate_client(self, request: Request, *_args: Any, **_more: Any) -> bool:
        """By exactly one of client_secret_basic, client_secret_post and private_key_jwt."""
        basic = self._basic(request)
        if _assertion(request):
            return basic is None and not request.client_secret and self._authenticate_by_key(request)
        if basic is not None:
            client_id, secret = basic
            if request.client_secret or request.client_id not in (None, client_id):
                return False
        else:
            client_id, secret = request.client_id, request.client_secret or ""
        client = self._load_application(client_id, request)
        # With keys registered, a stolen secret is of no use.
        if client is None or client.jwks or not secrets.matches(secret, client.client_secret):
            return False
        request.client_id = client_id
        return True

    def _basic(self, request: Request) -> tuple[str, str] | None:
        """Client and secret of an Authorization header (RFC 6749 2.3.1: form-encoded, then base64)."""
        return secrets.of_basic(request.headers.get("HTTP_AUTHORIZATION", ""), unquote=unquote_plus)

    def _authenticate_by_key(self, request: Request) -> bool:
        proof = _assertion(request)
        client_id = assertions.claimed_client(getattr(request, "client_assertion_type", None), proof)
        if request.client_id not in (None, client_id):
            return False
        client = self._load_application(client_id, request)
        request.client_id = client_id
        return client is not None and assertions.is_right(proof, client=client, issuer=self.issuer)

    def authenticate_client_id(self, client_id: str, request: Request, *_args: Any, **_more: Any) -> bool:
        client = self._load_application(client_id, request)
        return client is not None and not client.is_confidential


def _assertion(request: Request) -> str:
    return getattr(request, "client_assertion", None) or ""
