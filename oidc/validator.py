"""django-oauth-toolkit's validator with our clients, our tokens and our projects under it.

oauthlib decides in which order things are checked and which error the RFC names; this says what is true.
"""

# ruff: noqa: ANN401 # the signatures are oauthlib's

from typing import Any

import structlog
from django.utils import timezone
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors

from oidc import claims, keys, policy, tokens
from oidc.client_auth import ClientAuthentication
from oidc.models import Client
from projects.config import ProjectConfig

log = structlog.get_logger(__name__)


class Validator(ClientAuthentication):
    """One request at one project's host. `proof_key`: the key that a DPoP proof of this request showed."""

    def __init__(self, *, project: ProjectConfig, issuer: str, proof_key: str = "") -> None:
        super().__init__(project=project, issuer=issuer)
        self.proof_key = proof_key

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        client = self._load_application(client_id, request)
        return client is None or client.pkce_required

    def validate_grant_type(
        self,
        _client_id: str,
        grant_type: str,
        _client: Client,
        _request: Request,
        *_args: Any,
        **_more: Any,
    ) -> bool:
        return grant_type in ("authorization_code", "refresh_token")

    def validate_response_type(
        self,
        _client_id: str,
        response_type: str,
        _client: Client,
        _request: Request,
        *_args: Any,
        **_more: Any,
    ) -> bool:
        return response_type == "code"

    # What the person has to do is decided by oidc.interaction, after the request was found valid.

    def validate_silent_login(self, _request: Request) -> bool:
        return True

    def validate_silent_authorization(self, _request: Request) -> bool:
        return True

    # Scopes -------------------------------------------------------------------------------------

    def validate_scopes(
        self,
        _client_id: str,
        scopes: list[str],
        client: Client,
        request: Request,
        *_args: Any,
        **_more: Any,
    ) -> bool:
        """What nobody knows is ignored (OpenID Connect Core 3.1.2.1); what this client is not registered for is not."""
        request.scopes = policy.known(scopes)
        return bool(request.scopes) and policy.covers(granted=client.scopes, asked=request.scopes)

    def get_default_scopes(self, _client_id: str, _request: Request, *_args: Any, **_more: Any) -> list[str]:
        return ["openid"]

    # Authorization codes ------------------------------------------------------------------------

    def save_authorization_code(
        self,
        _client_id: str,
        code: dict[str, str],
        request: Request,
        *_args: Any,
        **_more: Any,
    ) -> None:
        family = tokens.begin_family(
            client=request.client, login=request.login, scopes=request.scopes, issuer=self.issuer
        )
        request.family = family
        self._tell("oidc.code_given", request)
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

    def validate_code(
        self, _client_id: str, _code: str, client: Client, request: Request, *_args: Any, **_more: Any
    ) -> bool:
        stored = request.stored_code
        if stored is None or not tokens.is_usable(stored, client=client):
            return False
        # A missing verifier, or one for a code that was asked for without a challenge, is a downgrade (RFC 9700 4.8).
        if bool(stored.code_challenge) != bool(request.code_verifier):
            return False
        if stored.proof_key and stored.proof_key != self.proof_key:
            return False
        request.user = stored.family.user
        request.scopes = stored.family.scopes
        request.family = stored.family
        return True

    def confirm_redirect_uri(
        self,
        _client_id: str,
        _code: str,
        redirect_uri: str,
        _client: Client,
        request: Request,
        *_args: Any,
        **_more: Any,
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

    def invalidate_authorization_code(
        self, _client_id: str, _code: str, _request: Request, *_args: Any, **_more: Any
    ) -> None:
        """Nothing: it was spent in the transaction that saved its tokens."""

    # Tokens -------------------------------------------------------------------------------------

    def save_bearer_token(self, token: dict[str, Any], request: Request, *_args: Any, **_more: Any) -> None:
        """Raises InvalidGrantError when another request was faster."""
        if request.grant_type == "authorization_code":
            if not tokens.spend_code(
                request.stored_code,
                access_token=token["access_token"],
                refresh_token=token["refresh_token"],
                proof_key=self.proof_key,
            ):
                raise errors.InvalidGrantError(request=request)
            token["token_type"] = tokens.kind(self.proof_key)
            self._tell("oidc.tokens_given", request)
            return
        scope = tokens.renew(request.renewal, scope=token["scope"])
        if scope is None:
            raise errors.InvalidGrantError(request=request)
        token["scope"], token["token_type"] = scope, tokens.kind(request.family.proof_key)

    @staticmethod
    def _tell(event: str, request: Request) -> None:
        family = request.family
        log.info(
            event, client_id=request.client.client_id, family_id=str(family.id), user_id=str(family.user_id)
        )

    def validate_refresh_token(
        self, refresh_token: str, client: Client, request: Request, *_args: Any, **_more: Any
    ) -> bool:
        found = tokens.find_refresh(refresh_token, client=client)
        if found is None or (found.family.proof_key and found.family.proof_key != self.proof_key):
            return False
        request.renewal, request.family, request.user = found, found.family, found.family.user
        return True

    def get_original_scopes(
        self, _refresh_token: str, request: Request, *_args: Any, **_more: Any
    ) -> list[str]:
        found: list[str] = request.family.scopes
        return found

    def validate_bearer_token(self, token: str | None, scopes: list[str], request: Request) -> bool:
        found = tokens.find_access(token, project_id=self.project.id) if token else None
        if found is None or not policy.covers(granted=found.scope.split(), asked=scopes or ()):
            return False
        request.access_token, request.family, request.user = found, found.family, found.family.user
        request.client, request.scopes = found.family.client, found.scope.split()
        return True

    def validate_jwt_bearer_token(self, _token: str, _scopes: list[str], _request: Request) -> bool:
        """An ID token opens nothing here: it is for the client."""
        return False

    def revoke_token(
        self, token: str, _token_type_hint: str, request: Request, *_args: Any, **_more: Any
    ) -> None:
        tokens.revoke_token(token, client=request.client)

    # Claims -------------------------------------------------------------------------------------

    def finalize_id_token(
        self, id_token: dict[str, Any], _token: object, _handler: object, request: Request
    ) -> str:
        found = claims.id_token(
            family=request.family,
            client_id=request.client.client_id,
            scopes=request.scopes,
            now=timezone.now(),
            nonce=id_token.get("nonce", ""),
            at_hash=id_token.get("at_hash", ""),
        )
        return keys.sign(found, algorithm=request.client.algorithm)

    def get_userinfo_claims(self, request: Request) -> dict[str, Any]:
        return claims.about(request.user, request.scopes)
