"""Tokens in the database: given, found, renewed, revoked. Only hashes are stored.

A refresh token's successor, and the access token that comes with it, are derived from the token itself and a server
key. So two honest refreshes at once get the same answer, nothing usable is stored, and a thief and the owner can
never go on side by side: whoever comes second with an old token ends the family.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from oidc import policy
from oidc.models import AccessToken, AuthorizationCode, Client, RefreshToken, TokenFamily
from oidc.types import Login
from projects import metrics
from projects.ids import new_id
from users.models import User, session_hash

log = structlog.get_logger(__name__)


def hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def successor(refresh_token: str, kind: str) -> str:
    """The token of this kind (`access`, `refresh`) that follows a refresh token. As unguessable as that is."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"authsvc:oidc.successor", "sha256")
    derived = hmac.digest(key, f"{kind}:{refresh_token}".encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(derived).rstrip(b"=").decode()


# Families -------------------------------------------------------------------------------------------


def begin_family(*, client: Client, login: Login, scopes: Sequence[str], issuer: str) -> TokenFamily:
    """A family without tokens. One INSERT."""
    family = new_family(client=client, login=login, scopes=scopes, issuer=issuer)
    family.save(force_insert=True)
    return family


def new_family(*, client: Client, login: Login, scopes: Sequence[str], issuer: str) -> TokenFamily:
    """The same, not saved."""
    now, key = timezone.now(), new_id()
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
    """Whether its tokens open anything: not revoked, not over, its person neither blocked nor signed out everywhere."""
    user: User = family.user
    current = session_hash(password=user.password, session_salt=user.session_salt)
    return (
        family.revoked_at is None
        and now < family.expires_at
        and user.is_active
        and hmac.compare_digest(current, family.session_hash)
    )


def revoke_families(found: Q) -> int:
    """End every family that fits; how many. One statement; their tokens are refused from the next request on."""
    return TokenFamily.objects.filter(found, revoked_at__isnull=True).update(revoked_at=timezone.now())


def _stolen(family: TokenFamily, what: str) -> None:
    metrics.REUSED.labels(what).inc()
    log.warning("oidc.reused", what=what, family_id=str(family.id), client_id=family.client.client_id)
    revoke_families(Q(id=family.id))


def kind(proof_key: str) -> str:
    """`token_type` of tokens bound to this key; none: bearer tokens."""
    return "DPoP" if proof_key else "Bearer"


# Authorization codes --------------------------------------------------------------------------------


def save_code(
    *, family: TokenFamily, code: str, redirect_uri: str, nonce: str, code_challenge: str, proof_key: str = ""
) -> AuthorizationCode:
    found: AuthorizationCode = AuthorizationCode.objects.create(
        family=family,
        code=hashed(code).hex(),
        expires=timezone.now() + policy.CODE_VALID,
        redirect_uri=redirect_uri,
        nonce=nonce,
        code_challenge=code_challenge,
        code_challenge_method="S256" if code_challenge else "",
        proof_key=proof_key,
    )
    return found


def find_code(code: str) -> AuthorizationCode | None:
    found: AuthorizationCode | None = (
        AuthorizationCode.objects.select_related("family__client", "family__user")
        .filter(code=hashed(code).hex())
        .first()
    )
    return found


def is_usable(code: AuthorizationCode, *, client: Client) -> bool:
    """Whether this client may exchange it. A second use ends what the first one gave (RFC 6749 4.1.2)."""
    if code.family.client_id != client.pk:
        return False
    if code.used_at:
        _stolen(code.family, "code")
        return False
    now = timezone.now()
    return now < code.expires and is_alive(code.family, now=now)


def spend_code(
    code: AuthorizationCode, *, access_token: str, refresh_token: str, proof_key: str = ""
) -> bool:
    """Give the first tokens, bound to the key that was shown. False: somebody else used the code at the same moment,
    and all of it is revoked."""
    now = timezone.now()
    with transaction.atomic():
        won = AuthorizationCode.objects.filter(pk=code.pk, used_at__isnull=True).update(used_at=now)
        if won and _still_alive(code.family, now, proof_key=proof_key):
            save(code.family, access_token, refresh_token, scope=code.family.scope, now=now)
            return True
    _stolen(code.family, "code")
    return False


def _still_alive(family: TokenFamily, now: datetime, **more: str) -> bool:
    """Locks the family: a revocation at the same moment comes before it or waits and finds the new tokens."""
    alive = TokenFamily.objects.filter(id=family.id, revoked_at__isnull=True, expires_at__gt=now)
    return bool(alive.update(used_at=now, **more))


def save(family: TokenFamily, access_token: str, refresh_token: str, *, scope: str, now: datetime) -> None:
    """Put an access and a refresh token of a family into force."""
    AccessToken.objects.create(
        token_hash=hashed(access_token),
        family=family,
        scope=scope,
        created_at=now,
        expires_at=min(now + policy.ACCESS_VALID, family.expires_at),
    )
    RefreshToken.objects.create(token_hash=hashed(refresh_token), family=family, created_at=now)


# Refreshing -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """A refresh token that may be used, for the first time or again within seconds."""

    family: TokenFamily
    token: str = field(repr=False)


def find_refresh(token: str, *, client: Client) -> Renewal | None:
    """None: unknown, another client's, over, or used before; the last ends its family."""
    row = (
        RefreshToken.objects.select_related("family__client", "family__user")
        .filter(token_hash=hashed(token))
        .first()
    )
    if row is None or row.family.client_id != client.pk:
        return None
    now = timezone.now()
    if row.used_at and not _is_repeat(row, token, now):
        _stolen(row.family, "refresh token")
        return None
    return Renewal(family=row.family, token=token) if is_alive(row.family, now=now) else None


def _is_repeat(row: RefreshToken, token: str, now: datetime) -> bool:
    """The same wish again: within seconds, and nobody went on with the answer yet."""
    if row.used_at is None or now - row.used_at > policy.REFRESH_GRACE:
        return False
    follower = hashed(successor(token, "refresh"))
    return RefreshToken.objects.filter(token_hash=follower, used_at__isnull=True).exists()


def renew(renewal: Renewal, *, scope: str) -> str | None:
    """Put the successors of a refresh token into force. The scope that they have; None: it is over after all."""
    now, family, token = timezone.now(), renewal.family, renewal.token
    with transaction.atomic():
        if not _still_alive(family, now):
            return None
        first = RefreshToken.objects.filter(token_hash=hashed(token), used_at__isnull=True).update(
            used_at=now
        )
        access_token = successor(token, "access")
        if first:
            save(family, access_token, successor(token, "refresh"), scope=scope, now=now)
            return scope
    # Its twin was a moment faster. Both get the same answer.
    return AccessToken.objects.filter(token_hash=hashed(access_token)).values_list("scope", flat=True).first()


# Access tokens --------------------------------------------------------------------------------------


def find_access(token: str, *, project_id: uuid.UUID) -> AccessToken | None:
    """A valid access token of this project, with its family, client and user. One query."""
    row = (
        AccessToken.objects.select_related("family__client", "family__user")
        .filter(token_hash=hashed(token), family__client__project_id=project_id)
        .first()
    )
    now = timezone.now()
    valid = row and now < row.expires_at and row.family.client.is_active and is_alive(row.family, now=now)
    return row if valid else None


def revoke_token(token: str, *, client: Client) -> bool:
    """RFC 7009: the family of an access or refresh token of this client ends; whether there was one."""
    digest = hashed(token)
    for model in (RefreshToken, AccessToken):
        found = model.objects.filter(token_hash=digest, family__client=client)
        family_id = found.values_list("family_id", flat=True).first()
        if family_id:
            revoke_families(Q(id=family_id))
            log.info("oidc.revoked", client_id=client.client_id, family_id=str(family_id))
            return True
    return False
