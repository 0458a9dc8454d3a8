"""Tokens in the database: issue, look up, refresh, revoke. Only hashes are stored.

The successor of a refresh token, and the access token issued with it, are derived from the token and a server key. So
two legitimate refreshes at once get the same answer, nothing usable is stored, and a thief and the owner cannot both
continue: the second use of an old token ends the family.
"""

import hashlib
import hmac
import os
import uuid
from collections.abc import Sequence
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core import base64url, metrics
from core.ids import new_id
from oidc import policy
from oidc.models import AccessToken, AuthorizationCode, Client, RefreshToken, TokenFamily
from oidc.types import Login
from users.models import User, session_hash

log = structlog.get_logger(__name__)


def hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def new_token() -> str:
    """256 random bits."""
    return base64url.encode(os.urandom(32)).decode()


def successor(refresh_token: str, kind: str) -> str:
    """The token of this kind (`access`, `refresh`) that replaces a refresh token, and is as hard to guess."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"authsvc:oidc.successor", "sha256")
    derived = hmac.digest(key, f"{kind}:{refresh_token}".encode(errors="replace"), "sha256")
    return base64url.encode(derived).decode()


# Families -------------------------------------------------------------------------------------------


def new_family(
    *,
    client: Client,
    login: Login,
    scopes: Sequence[str],
    issuer: str,
    key: uuid.UUID | None = None,
    now: datetime | None = None,
) -> TokenFamily:
    """A family without tokens, not saved."""
    now, key = now or timezone.now(), key or new_id()
    return TokenFamily(
        id=key,
        client=client,
        user_id=login.user_id,
        scope=" ".join(scopes),
        issuer=issuer,
        sid=login.sid or key,
        auth_time=login.auth_time,
        amr=list(login.amr),
        session_hash=login.session_hash,
        created_at=now,
        expires_at=now + policy.FAMILY_VALID,
    )


def is_alive(family: TokenFamily, *, now: datetime) -> bool:
    """Whether its tokens are valid: not revoked or expired, its user neither blocked nor signed out everywhere."""
    user: User = family.user
    current = session_hash(password=user.password, session_salt=user.session_salt)
    return (
        family.revoked_at is None
        and now < family.expires_at
        and user.is_active
        and hmac.compare_digest(current, family.session_hash)
    )


def revoke_families(condition: Q) -> int:
    """Revoke matching families and return how many. One statement; their tokens are refused from the next request."""
    return TokenFamily.objects.filter(condition, revoked_at__isnull=True).update(revoked_at=timezone.now())


def _revoke_reused(family: TokenFamily, what: str) -> None:
    """A code or refresh token was used twice, perhaps by a thief."""
    metrics.REUSED.labels(what).inc()
    log.warning("oidc.reused", what=what, family_id=str(family.id), client_id=family.client.client_id)
    revoke_families(Q(id=family.id))


def token_type(proof_key: str) -> str:
    """The `token_type` of tokens bound to this key; "" means bearer tokens."""
    return "DPoP" if proof_key else "Bearer"


# Authorization codes --------------------------------------------------------------------------------


def save_code(
    *, family: TokenFamily, code: str, redirect_uri: str, nonce: str, code_challenge: str, proof_key: str
) -> None:
    AuthorizationCode.objects.create(
        family=family,
        code=hash_token(code).hex(),
        expires=timezone.now() + policy.CODE_VALID,
        redirect_uri=redirect_uri,
        nonce=nonce,
        code_challenge=code_challenge,
        code_challenge_method="S256" if code_challenge else "",
        proof_key=proof_key,
    )


def find_code(code: str) -> AuthorizationCode | None:
    rows = AuthorizationCode.objects.select_related("family__client", "family__user")
    row: AuthorizationCode | None = rows.filter(code=hash_token(code).hex()).first()
    return row


def can_exchange(code: AuthorizationCode, *, client: Client) -> bool:
    """Whether this client may exchange it. A second use revokes the tokens of the first (RFC 6749 4.1.2)."""
    if code.family.client_id != client.pk:
        return False
    if code.used_at:
        _revoke_reused(code.family, "code")
        return False
    now = timezone.now()
    return now < code.expires and is_alive(code.family, now=now)


def exchange_code(code: AuthorizationCode, *, access_token: str, refresh_token: str, proof_key: str) -> bool:
    """Issue the first tokens, bound to `proof_key`. False if the family has just ended, or a concurrent request used
    the code: then the family is revoked."""
    now = timezone.now()
    with transaction.atomic():
        is_first = AuthorizationCode.objects.filter(pk=code.pk, used_at__isnull=True).update(used_at=now)
        if is_first and _touch_if_alive(code.family, now, proof_key=proof_key):
            store_tokens(code.family, access_token, refresh_token, scope=code.family.scope, now=now)
            return True
    if not is_first:
        _revoke_reused(code.family, "code")
    return False


def _touch_if_alive(family: TokenFamily, now: datetime, **more: str) -> bool:
    """Locks the family: a concurrent revocation comes first, or waits and includes the new tokens."""
    alive = TokenFamily.objects.filter(id=family.id, revoked_at__isnull=True, expires_at__gt=now)
    return bool(alive.update(used_at=now, **more))


def store_tokens(
    family: TokenFamily, access_token: str, refresh_token: str, *, scope: str, now: datetime
) -> None:
    """Store an access and a refresh token of a family."""
    AccessToken.objects.create(
        token_hash=hash_token(access_token),
        family=family,
        scope=scope,
        created_at=now,
        expires_at=min(now + policy.ACCESS_VALID, family.expires_at),
    )
    RefreshToken.objects.create(token_hash=hash_token(refresh_token), family=family, created_at=now)


# Refreshing -----------------------------------------------------------------------------------------


def find_refresh(token: str, *, client: Client) -> TokenFamily | None:
    """The family of a usable refresh token: unused, or a retry within seconds. None if it is unknown, another client's,
    expired or reused; reuse revokes its family."""
    rows = RefreshToken.objects.select_related("family__client", "family__user")
    row = rows.filter(token_hash=hash_token(token)).first()
    if row is None or row.family.client_id != client.pk:
        return None
    now = timezone.now()
    if row.used_at and not _is_retry(row, token, now):
        _revoke_reused(row.family, "refresh token")
        return None
    return row.family if is_alive(row.family, now=now) else None


def _is_retry(row: RefreshToken, token: str, now: datetime) -> bool:
    """Repeated within seconds, while its successor has not been used."""
    if row.used_at is None or now - row.used_at > policy.REFRESH_GRACE:
        return False
    successor_hash = hash_token(successor(token, "refresh"))
    return RefreshToken.objects.filter(token_hash=successor_hash, used_at__isnull=True).exists()


def renew(token: str, family: TokenFamily, *, scope: str) -> str | None:
    """Store the successors of a refresh token and return their scope; None if the family has just ended."""
    now = timezone.now()
    with transaction.atomic():
        if not _touch_if_alive(family, now):
            return None
        unused = RefreshToken.objects.filter(token_hash=hash_token(token), used_at__isnull=True)
        is_first = unused.update(used_at=now)
        access_token = successor(token, "access")
        if is_first:
            store_tokens(family, access_token, successor(token, "refresh"), scope=scope, now=now)
            return scope
    # A concurrent request with the same token came first. Both get the same answer.
    return (
        AccessToken.objects.filter(token_hash=hash_token(access_token))
        .values_list("scope", flat=True)
        .first()
    )


# Access tokens --------------------------------------------------------------------------------------


def find_access(token: str, *, project_id: uuid.UUID) -> AccessToken | None:
    """A valid access token of this project, with its family, client and user. One query."""
    rows = AccessToken.objects.select_related("family__client", "family__user")
    row = rows.filter(token_hash=hash_token(token), family__client__project_id=project_id).first()
    now = timezone.now()
    is_valid = row and now < row.expires_at and row.family.client.is_active and is_alive(row.family, now=now)
    return row if is_valid else None


def revoke_token(token: str, *, client: Client) -> None:
    """RFC 7009: revoke the family of an access or refresh token of this client, if there is one."""
    digest = hash_token(token)
    for model in (RefreshToken, AccessToken):
        rows = model.objects.filter(token_hash=digest, family__client=client)
        family_id = rows.values_list("family_id", flat=True).first()
        if family_id:
            revoke_families(Q(id=family_id))
            log.info("oidc.revoked", client_id=client.client_id, family_id=str(family_id))
            return
