"""The provider's interface for other apps: tokens for an API login, ends of sessions, consent and grants."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Q
from django.utils import timezone

from oidc import backchannel, claims, issue, keys, policy, tokens
from oidc.models import Client, Consent, TokenFamily
from oidc.types import GrantLine, Login, Tokens
from users.models import User

log = structlog.get_logger(__name__)


def issue_tokens(
    *, client: Client, login: Login, scopes: Sequence[str], issuer: str, phone: str = ""
) -> tuple[TokenFamily, str, str]:
    """A family and its first access and refresh token, for a login without a browser.

    Runs in the caller's transaction, so that login and tokens are stored together; `sign_tokens` makes the response
    after the commit. With `phone`, the user's number, the user is not read from the database.
    """
    family, access_token, refresh_token = issue.create_tokens(
        client=client, login=login, scopes=scopes, issuer=issuer
    )
    if phone:
        family.user = User.from_db(DEFAULT_DB_ALIAS, ("id", "phone"), (login.user_id, phone))
    return family, access_token, refresh_token


def sign_tokens(family: TokenFamily, access_token: str, refresh_token: str) -> Tokens:
    """The token response. Signing is the slowest part, so call this outside of the transaction."""
    id_token_claims = claims.id_token(
        family=family, client_id=family.client.client_id, scopes=family.scopes, now=timezone.now()
    )
    return Tokens(
        access_token=access_token,
        refresh_token=refresh_token,
        id_token=keys.sign(id_token_claims, algorithm=family.client.algorithm),
        expires_in=int(policy.ACCESS_VALID.total_seconds()),
        scope=family.scope,
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
    Consent.objects.filter(user_id=user_id, client__client_id=client_id).delete()
    families = Q(user_id=user_id, client__client_id=client_id)
    backchannel.queue_notices(families)
    count = tokens.revoke_families(families)
    log.info("oidc.revoked", client_id=client_id, user_id=str(user_id), families=count)
