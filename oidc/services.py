"""What other apps ask of the provider."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Q
from django.utils import timezone

from oidc import backchannel, claims, direct, keys, policy, tokens
from oidc.models import Client, Consent, TokenFamily
from oidc.types import GrantLine, Login, Tokens
from users.models import User

log = structlog.get_logger(__name__)


def begin(
    *, client: Client, login: Login, scopes: Sequence[str], issuer: str, phone: str = ""
) -> tuple[TokenFamily, str, str]:
    """A family and its first access and refresh token, for a login without a browser. Joins the caller's transaction,
    so a login is there whole or not at all; `signed` makes the answer, after the commit. `phone`: of the user, when
    the caller has it at hand: then the user is not read for it."""
    family, access_token, refresh_token = direct.begin(
        client=client, login=login, scopes=scopes, issuer=issuer
    )
    if phone:
        family.user = User.from_db(DEFAULT_DB_ALIAS, ("id", "phone"), (login.user_id, phone))
    return family, access_token, refresh_token


def signed(family: TokenFamily, access_token: str, refresh_token: str) -> Tokens:
    """The token response. Signing takes longer than all the rest, so no transaction waits for it."""
    found = claims.id_token(
        family=family, client_id=family.client.client_id, scopes=family.scopes, now=timezone.now()
    )
    return Tokens(
        access_token=access_token,
        refresh_token=refresh_token,
        id_token=keys.sign(found, algorithm=family.client.algorithm),
        expires_in=int(policy.ACCESS_VALID.total_seconds()),
        scope=family.scope,
    )


# Sessions -------------------------------------------------------------------------------------------


def sessions_ended(sids: Iterable[uuid.UUID]) -> None:
    """Browser sessions are over: tokens that were not asked for offline use end with them, and every client that was
    signed in through them is told. Joins the caller's transaction."""
    found = list(sids)
    if not found:
        return
    backchannel.note(Q(sid__in=found))
    tokens.revoke_families(Q(sid__in=found) & ~Q(scope__contains="offline_access"))


def user_signed_out(user_id: uuid.UUID) -> None:
    """The person signed out everywhere, or was blocked: every token ends and every client is told."""
    backchannel.note(Q(user_id=user_id))
    tokens.revoke_families(Q(user_id=user_id))


# What a person gave to whom -------------------------------------------------------------------------


def consented_at(*, user_id: uuid.UUID, client: Client, scopes: Sequence[str]) -> datetime | None:
    """When the person allowed this client all of these scopes; None: not yet, or not all."""
    if client.skip_authorization:
        return None
    consent = Consent.objects.filter(user_id=user_id, client=client).first()
    covered = consent and policy.covers(granted=consent.scope.split(), asked=scopes)
    return consent.granted_at if consent and covered else None


def give_consent(*, user_id: uuid.UUID, client: Client, scopes: Sequence[str]) -> None:
    """The person allowed this client these scopes, beside what they allowed it before."""
    with transaction.atomic():
        row, _ = Consent.objects.select_for_update().get_or_create(
            user_id=user_id, client=client, defaults={"scope": "", "granted_at": timezone.now()}
        )
        row.scope = " ".join(policy.known({*row.scope.split(), *scopes}))
        row.granted_at = timezone.now()
        row.save()
    log.info("oidc.consented", client_id=client.client_id, user_id=str(user_id), scope=row.scope)


def grants_of(user_id: uuid.UUID) -> list[GrantLine]:
    """The applications that hold living tokens of this person or have their consent, a line each."""
    now = timezone.now()
    lines: dict[int, GrantLine] = {}
    families = (
        TokenFamily.objects.filter(
            user_id=user_id, revoked_at__isnull=True, expires_at__gt=now, used_at__isnull=False
        )
        .select_related("client", "user")
        .order_by("created_at")
    )
    for family in families:
        if not tokens.is_alive(family, now=now):
            continue
        known = lines.get(family.client_id)
        scopes = policy.known({*family.scopes, *(known.scopes if known else ())})
        lines[family.client_id] = GrantLine(
            client_id=family.client.client_id,
            name=str(family.client),
            scopes=tuple(scopes),
            since=known.since if known else family.created_at,
            last_used_at=max(filter(None, (family.used_at, known.last_used_at if known else None))),
            is_first_party=family.client.skip_authorization,
        )
    for consent in Consent.objects.filter(user_id=user_id).select_related("client"):
        if consent.client.pk not in lines:
            lines[consent.client.pk] = GrantLine(
                client_id=consent.client.client_id,
                name=str(consent.client),
                scopes=tuple(consent.scope.split()),
                since=consent.granted_at,
                last_used_at=None,
                is_first_party=consent.client.skip_authorization,
            )
    return sorted(lines.values(), key=lambda line: line.name.lower())


def revoke_grant(*, user_id: uuid.UUID, client_id: str) -> None:
    """Take back what a person gave to a client: consent and every token. Safe to repeat."""
    Consent.objects.filter(user_id=user_id, client__client_id=client_id).delete()
    found = Q(user_id=user_id, client__client_id=client_id)
    backchannel.note(found)
    count = tokens.revoke_families(found)
    log.info("oidc.revoked", client_id=client_id, user_id=str(user_id), families=count)
