"""Deletion of expired tokens, codes, notices and keys, and of all that belongs to a client or a person."""

import uuid
from datetime import datetime

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from core import batches
from core.ids import oldest_id_at
from oidc import keys, policy
from oidc.models import (
    AccessToken,
    AuthorizationCode,
    Client,
    LogoutNotice,
    PushedRequest,
    SigningKey,
    TokenFamily,
)

BATCH = 1000
CLIENT_BATCH = 100


def purge(*, seconds: float | None = None, batch: int = BATCH) -> dict[str, int]:
    """Delete expired rows and return how many of each kind. Codes and tokens go with their family."""
    now = timezone.now()
    before = now - policy.KEPT_AFTER_END
    expired: dict[str, models.QuerySet[models.Model]] = {
        "access_tokens": AccessToken.objects.filter(expires_at__lt=before).order_by("expires_at"),
        "pushed_requests": PushedRequest.objects.filter(expires_at__lt=now).order_by("expires_at"),
        "codes": AuthorizationCode.objects.filter(expires__lt=before).order_by("expires"),
        "families_over": TokenFamily.objects.filter(expires_at__lt=before).order_by("expires_at"),
        "families_revoked": TokenFamily.objects.filter(revoked_at__lt=before).order_by("revoked_at"),
        "families_never_used": TokenFamily.objects.filter(  # codes that were never exchanged
            used_at__isnull=True, created_at__lt=before
        ).order_by("created_at"),
        "logout_notices": LogoutNotice.objects.filter(id__lt=oldest_id_at(now - policy.FAMILY_VALID)),
    }
    deleted = {
        name: batches.run(lambda size, rows=rows: _delete_some(rows, size), batch=batch, seconds=seconds)  # type: ignore[misc] # a default binds it
        for name, rows in expired.items()
    }
    return deleted | {"signing_keys": _delete_old_keys(now)}


def _delete_some(rows: models.QuerySet[models.Model], size: int) -> int:
    """Locks them first: whoever adds tokens to a family locks it, too, so that none is left without one."""
    with transaction.atomic():
        keys = list(rows.select_for_update(of=("self",)).values_list("pk", flat=True)[:size])
        rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)


def _delete_old_keys(now: datetime) -> int:
    """Keys that stopped signing long ago. AUTHSVC_OIDC_KEY stays: it would be stored again and sign."""
    old = list(
        SigningKey.objects.with_retirement().filter(Q(retired_at__lt=now - policy.KEY_KEPT)).defer("pem")
    )
    configured = keys.configured_kid() if old else ""
    expired = [row for row in old if row.kid != configured]
    for row in expired:
        row.delete()
    return len(expired)


def remove_client(client: Client, *, batch: int = CLIENT_BATCH) -> None:
    """Delete a client with all its tokens, in short statements: a family may hold hundreds of tokens."""
    families = TokenFamily.objects.filter(client=client)
    batches.run(lambda size: _delete_some(families, size), batch=batch, seconds=None)
    client.delete()


def remove_tokens_of(user_id: uuid.UUID, *, seconds: float | None, batch: int = CLIENT_BATCH) -> bool:
    """Delete the token families of a person, for at most `seconds`; whether none is left."""
    families = TokenFamily.objects.filter(user_id=user_id)
    batches.run(lambda size: _delete_some(families, size), batch=batch, seconds=seconds)
    return not families.exists()
