"""The provider's interface for other apps: tokens for an API login, ends of sessions, consent and grants."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from oidc import backchannel, claims, keys, policy, tokens
from oidc.issue import NewTokens, new_tokens
from oidc.models import Client, Consent, TokenFamily
from oidc.types import GrantLine, Tokens

__all__ = [
    "NewTokens",
    "consented_at",
    "end_tokens_of_sessions",
    "end_tokens_of_user",
    "grants_of",
    "new_tokens",
    "record_consent",
    "revoke_grant",
    "sign_tokens",
]

log = structlog.get_logger(__name__)


def sign_tokens(
    new: NewTokens, *, user_id: uuid.UUID, phone: str, auth_time: datetime, amr: Sequence[str]
) -> Tokens:
    """The token response to a login without a browser, once its tokens are stored. Reads no user: there are no claims
    of `profile`."""
    scopes = new.scope.split()
    id_token_claims = claims.id_token(
        issuer=new.issuer,
        client_id=new.client.client_id,
        auth_time=auth_time,
        amr=amr,
        sid=new.family_id,
        user=claims.of_number(user_id=user_id, phone=phone, scopes=scopes),
        now=timezone.now(),
    )
    return Tokens(
        access_token=new.access_token,
        refresh_token=new.refresh_token,
        id_token=keys.sign(id_token_claims, algorithm=new.client.algorithm),
        expires_in=policy.seconds_of(policy.ACCESS_VALID),
        scope=new.scope,
    )


# Sessions -------------------------------------------------------------------------------------------


def end_tokens_of_sessions(sids: Iterable[uuid.UUID]) -> None:
    """Browser sessions have ended: revoke their tokens, except those for offline access, and notify every client that
    was signed in through them. Runs in the caller's transaction."""
    ended = list(sids)
    if not ended:
        return
    backchannel.queue_notices(Q(sid__in=ended))
    tokens.revoke_families(Q(sid__in=ended) & ~Q(scope__contains="offline_access"))


def end_tokens_of_user(user_id: uuid.UUID) -> None:
    """The user signed out everywhere, or was blocked: revoke every token and notify every client."""
    backchannel.queue_notices(Q(user_id=user_id))
    tokens.revoke_families(Q(user_id=user_id))


# Consent and grants ---------------------------------------------------------------------------------


def consented_at(*, user_id: uuid.UUID, client: Client, scopes: Sequence[str]) -> datetime | None:
    """When the user granted this client all of these scopes; None if some are missing."""
    if client.skip_authorization:
        return None
    consent = Consent.objects.filter(user_id=user_id, client=client).first()
    covered = consent and policy.covers(granted=consent.scope.split(), requested=scopes)
    return consent.granted_at if consent and covered else None


def record_consent(*, user_id: uuid.UUID, client: Client, scopes: Sequence[str]) -> None:
    """Add these scopes to those that the user has granted this client."""
    with transaction.atomic():
        row, _ = Consent.objects.select_for_update().get_or_create(
            user_id=user_id, client=client, defaults={"scope": "", "granted_at": timezone.now()}
        )
        row.scope = " ".join(policy.known_scopes({*row.scope.split(), *scopes}))
        row.granted_at = timezone.now()
        row.save()
    log.info("oidc.consented", client_id=client.client_id, user_id=str(user_id), scope=row.scope)


def grants_of(user_id: uuid.UUID) -> list[GrantLine]:
    """The clients that hold valid tokens of this user or have their consent, one line each."""
    now = timezone.now()
    lines: dict[int, GrantLine] = {}
    families = TokenFamily.objects.filter(
        user_id=user_id, revoked_at__isnull=True, expires_at__gt=now, used_at__isnull=False
    )
    for family in families.select_related("client", "user").order_by("created_at"):
        if tokens.is_alive(family, now=now):
            lines[family.client_id] = _line_with(family, lines.get(family.client_id))
    for consent in Consent.objects.filter(user_id=user_id).select_related("client"):
        line = _line(consent.client, consent.scope.split(), since=consent.granted_at, last_used_at=None)
        lines.setdefault(consent.client.pk, line)
    return sorted(lines.values(), key=lambda line: line.name.lower())


def _line_with(family: TokenFamily, earlier: GrantLine | None) -> GrantLine:
    """The line of a client after one more, younger family."""
    scopes = policy.known_scopes({*family.scopes, *(earlier.scopes if earlier else ())})
    last_used_at = max(filter(None, (family.used_at, earlier.last_used_at if earlier else None)))
    since = earlier.since if earlier else family.created_at
    return _line(family.client, scopes, since=since, last_used_at=last_used_at)


def _line(
    client: Client, scopes: Sequence[str], *, since: datetime, last_used_at: datetime | None
) -> GrantLine:
    return GrantLine(
        client_id=client.client_id,
        name=str(client),
        scopes=tuple(scopes),
        since=since,
        last_used_at=last_used_at,
        is_first_party=client.skip_authorization,
    )


def revoke_grant(*, user_id: uuid.UUID, client_id: str) -> None:
    """Withdraw a user's consent to a client and revoke its tokens. Idempotent."""
    families = Q(user_id=user_id, client__client_id=client_id)
    with transaction.atomic():
        Consent.objects.filter(user_id=user_id, client__client_id=client_id).delete()
        backchannel.queue_notices(families)
        count = tokens.revoke_families(families)
    log.info("oidc.revoked", client_id=client_id, user_id=str(user_id), families=count)
