"""oauthlib's questions about a request, answered from our clients and tokens.

oauthlib calls these, and turns a False into the error that the RFC names:

    GET /oauth2/authorize/  validate_client_id, validate_redirect_uri, validate_response_type, is_pkce_required,
                            validate_scopes, then save_authorization_code
    POST /oauth2/token/     authenticate_client, validate_grant_type, validate_code with its PKCE verifier or
                            validate_refresh_token, then save_bearer_token and finalize_id_token
"""

from typing import Any

import structlog
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors

from oidc import claims, client_secrets, keys, policy, private_key_jwt, secret_checks, tokens
from oidc.clients import client_of
from oidc.dpop import Proof
from oidc.models import Client
from projects.config import ProjectConfig

log = structlog.get_logger(__name__)


class Validator(OAuth2Validator):  # type: ignore[misc] # django-oauth-toolkit is not annotated
    """One request at one project's host, with its DPoP proof."""

    def __init__(self, *, project: ProjectConfig, issuer: str, proof: Proof | None = None) -> None:
        super().__init__()
        self.project = project
        self.issuer = issuer
        self.proof = proof
        self.proof_key = proof.key if proof else ""

    # Clients: client_secret_basic, client_secret_post, private_key_jwt, or none for public ones -----

    def _load_application(self, client_id: str | None, request: Request) -> Client | None:
        # oauthlib exposes every request parameter as an attribute: `client` may be text that the caller sent.
        client = request.client if isinstance(request.client, Client) else None
        if client is None or client.client_id != client_id:
            client = client_of(client_id, project_id=self.project.id) if client_id else None
        request.client = client
        return client

    def client_authentication_required(self, request: Request) -> bool:
        """True when the client is confidential or unknown, or sends credentials anyway."""
        if _basic(request) or request.client_secret or _assertion(request):
            return True
        client = self._load_application(request.client_id, request)
        return client is None or client.is_confidential

    def authenticate_client(self, request: Request) -> bool:
        """Accepts exactly one of client_secret_basic, client_secret_post and private_key_jwt. Raises TooMany."""
        basic = _basic(request)
        if _assertion(request):
            return basic is None and not request.client_secret and self._authenticate_by_key(request)
        if basic is not None:
            client_id, secret = basic
            if request.client_secret or request.client_id not in (None, client_id):
                return False
        else:
            client_id, secret = request.client_id, request.client_secret or ""
        client = self._load_application(client_id, request)
        # A client with registered keys must use them, so that a stolen secret is useless.
        if client is None or client.jwks:
            return False
        if not secret_checks.matches(secret, client=client, address=request.headers.get("REMOTE_ADDR", "")):
            return False
        request.client_id = client_id
        return True

    def _authenticate_by_key(self, request: Request) -> bool:
        assertion = _assertion(request)
        client_id = private_key_jwt.unverified_client_id(
            getattr(request, "client_assertion_type", None), assertion
        )
        if request.client_id not in (None, client_id):
            return False
        client = self._load_application(client_id, request)
        request.client_id = client_id
        return client is not None and private_key_jwt.is_valid(assertion, client=client, issuer=self.issuer)

    def authenticate_client_id(self, client_id: str, request: Request) -> bool:
        client = self._load_application(client_id, request)
        return client is not None and not client.is_confidential

    # Requests -----------------------------------------------------------------------------------

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        client = self._load_application(client_id, request)
        return client is None or client.pkce_required

    def validate_grant_type(
        self, _client_id: str, grant_type: str, _client: Client, _request: Request
    ) -> bool:
        return grant_type in ("authorization_code", "refresh_token")

    def validate_response_type(
        self, _client_id: str, response_type: str, _client: Client, _request: Request
    ) -> bool:
        return response_type == "code"

    # login.oidc.interaction decides whether the user has to act, once the request is valid.

    def validate_silent_login(self, _request: Request) -> bool:
        return True

    def validate_silent_authorization(self, _request: Request) -> bool:
        return True

    # Scopes -------------------------------------------------------------------------------------

    def validate_scopes(self, _client_id: str, scopes: list[str], client: Client, request: Request) -> bool:
        """Unknown scopes are ignored (OpenID Connect Core 3.1.2.1); those that the client may not have are refused."""
        request.scopes = policy.known_scopes(scopes)
        return bool(request.scopes) and policy.covers(granted=client.scopes, requested=request.scopes)

    def get_default_scopes(self, _client_id: str, _request: Request) -> list[str]:
        return ["openid"]

    # Authorization codes ------------------------------------------------------------------------

    def save_authorization_code(self, _client_id: str, code: dict[str, str], request: Request) -> None:
        request.family = family = tokens.new_family(
            client=request.client, login=request.login, scopes=request.scopes, issuer=self.issuer
        )
        family.save(force_insert=True)
        self._log("oidc.code_given", request)
        tokens.save_code(
            family=family,
            code=code["code"],
            redirect_uri=request.redirect_uri,
            nonce=request.nonce or "",
            code_challenge=request.code_challenge or "",
            proof_key=getattr(request, "dpop_jkt", None) or "",
        )

    def get_authorization_code_scopes(
        self, _client_id: str, code: str, _redirect_uri: str, request: Request
    ) -> list[str]:
        request.stored_code = tokens.find_code(code)
        return request.stored_code.family.scopes if request.stored_code else []

    def validate_code(self, _client_id: str, _code: str, client: Client, request: Request) -> bool:
        stored = request.stored_code
        if stored is None or not tokens.can_exchange(stored, client=client):
            return False
        # A missing verifier, or one for a code without a challenge, is a downgrade attack (RFC 9700 4.8).
        if bool(stored.code_challenge) != bool(request.code_verifier):
            return False
        if stored.proof_key and stored.proof_key != self.proof_key:
            return False
        request.user = stored.family.user
        request.scopes = stored.family.scopes
        request.family = stored.family
        return True

    def confirm_redirect_uri(
        self, _client_id: str, _code: str, redirect_uri: str, _client: Client, request: Request
    ) -> bool:
        if redirect_uri != request.stored_code.redirect_uri:
            raise errors.InvalidGrantError(request=request)
        return True

    def get_code_challenge(self, _code: str, request: Request) -> str | None:
        return request.stored_code.code_challenge or None

    def get_code_challenge_method(self, _code: str, _request: Request) -> str:
        return "S256"

    def get_authorization_code_nonce(
        self, _client_id: str, _code: str, _redirect_uri: str, request: Request
    ) -> str | None:
        return request.stored_code.nonce or None

    def invalidate_authorization_code(self, _client_id: str, _code: str, _request: Request) -> None:
        """Nothing to do: it was marked as used in the transaction that saved its tokens."""

    # Tokens -------------------------------------------------------------------------------------

    def save_bearer_token(self, token: dict[str, Any], request: Request) -> None:
        """Raises InvalidGrantError when a concurrent request came first, BadProof for a reused proof."""
        if self.proof:
            self.proof.mark_used()
        if request.grant_type == "authorization_code":
            if not tokens.exchange_code(
                request.stored_code,
                access_token=token["access_token"],
                refresh_token=token["refresh_token"],
                proof_key=self.proof_key,
            ):
                raise errors.InvalidGrantError(request=request)
            token["token_type"] = tokens.token_type(self.proof_key)
            self._log("oidc.tokens_given", request)
            return
        scope = tokens.renew(request.refresh_token, request.family, scope=token["scope"])
        if scope is None:
            raise errors.InvalidGrantError(request=request)
        token["scope"], token["token_type"] = scope, tokens.token_type(request.family.proof_key)

    @staticmethod
    def _log(event: str, request: Request) -> None:
        family = request.family
        log.info(
            event, client_id=request.client.client_id, family_id=str(family.id), user_id=str(family.user_id)
        )

    def validate_refresh_token(self, refresh_token: str, client: Client, request: Request) -> bool:
        family = tokens.find_refresh(refresh_token, client=client)
        if family is None or (family.proof_key and family.proof_key != self.proof_key):
            return False
        request.family, request.user = family, family.user
        return True

    def get_original_scopes(self, _refresh_token: str, request: Request) -> list[str]:
        scopes: list[str] = request.family.scopes
        return scopes

    def validate_bearer_token(self, token: str | None, scopes: list[str], request: Request) -> bool:
        row = tokens.find_access(token, project_id=self.project.id) if token else None
        if row is None or not policy.covers(granted=row.scope.split(), requested=scopes or ()):
            return False
        request.access_token, request.family, request.user = row, row.family, row.family.user
        request.client, request.scopes = row.family.client, row.scope.split()
        return True

    def revoke_token(self, token: str, _token_type_hint: str, request: Request) -> None:
        tokens.revoke_token(token, client=request.client)

    # Claims -------------------------------------------------------------------------------------

    def finalize_id_token(
        self, id_token: dict[str, Any], _token: object, _handler: object, request: Request
    ) -> str:
        family = request.family
        id_token_claims = claims.id_token(
            issuer=family.issuer,
            client_id=request.client.client_id,
            auth_time=family.auth_time,
            amr=family.amr,
            sid=family.sid,
            user=claims.of_user(family.user, request.scopes),
            now=timezone.now(),
            nonce=id_token.get("nonce", ""),
            at_hash=id_token.get("at_hash", ""),
        )
        return keys.sign(id_token_claims, algorithm=request.client.algorithm)

    def get_userinfo_claims(self, request: Request) -> dict[str, Any]:
        return claims.of_user(request.user, request.scopes)


def _assertion(request: Request) -> str:
    return getattr(request, "client_assertion", None) or ""


def _basic(request: Request) -> tuple[str, str] | None:
    return client_secrets.read_basic(request.headers.get("HTTP_AUTHORIZATION", ""))
