"""How long tokens are kept after their end, and their removal."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

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
from projects import batches
from projects.ids import oldest_id_at

BATCH = 1000
CLIENT_BATCH = 100


def purge(*, seconds: float | None = None, batch: int = BATCH) -> dict[str, int]:
    """Delete what is over; how many of each. A family takes its codes and tokens with it."""
    now = timezone.now()
    before = now - policy.KEPT_AFTER_END
    doomed: dict[str, models.QuerySet[models.Model]] = {
        "access_tokens": AccessToken.objects.filter(expires_at__lt=before).order_by("expires_at"),
        "pushed_requests": PushedRequest.objects.filter(expires_at__lt=before).order_by("expires_at"),
        "codes": AuthorizationCode.objects.filter(expires__lt=before).order_by("expires"),
        "families_over": TokenFamily.objects.filter(expires_at__lt=before).order_by("expires_at"),
        "families_revoked": TokenFamily.objects.filter(revoked_at__lt=before).order_by("revoked_at"),
        "families_never_used": TokenFamily.objects.filter(  # codes that nobody exchanged
            used_at__isnull=True, created_at__lt=before
        ).order_by("created_at"),
        "logout_notices": LogoutNotice.objects.filter(id__lt=oldest_id_at(now - policy.FAMILY_VALID)),
    }
    gone = {
        name: batches.run(lambda size, rows=rows: _some(rows, size), batch=batch, seconds=seconds)  # type: ignore[misc] # a default binds it
        for name, rows in doomed.items()
    }
    return gone | {"signing_keys": _old_keys(now)}


def _some(rows: models.QuerySet[models.Model], size: int) -> int:
    found = list(rows.values_list("pk", flat=True)[:size])
    rows.model._default_manager.filter(pk__in=found).delete()
    return len(found)


def _old_keys(now: datetime) -> int:
    """Keys that stopped signing long ago. The one that the settings name stays: it would come back and sign anew."""
    old = list(
        SigningKey.objects.with_retirement().filter(Q(retired_at__lt=now - policy.KEY_KEPT)).defer("pem")
    )
    named = keys.given_kid() if old else ""
    doomed = [row for row in old if row.kid != named]
    for row in doomed:
        row.delete()
    return len(doomed)


def remove_client(client: Client, *, batch: int = CLIENT_BATCH) -> None:
    """The client with all that it was given. In statements that stay short: a family may hold hundreds of tokens."""
    families = TokenFamily.objects.filter(client=client)
    batches.run(lambda size: _some(families, size), batch=batch, seconds=None)
    client.delete()
