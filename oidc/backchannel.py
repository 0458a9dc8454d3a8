"""OpenID Connect Back-Channel Logout 1.0: clients are notified of ended sessions, through a durable outbox.

A notice is written in the transaction that ends the session, and posted by beat until the client accepts or refuses it
or all tries (oidc.policy) are used up.
"""

import time
import uuid
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlencode

import structlog
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core import metrics
from core.ids import new_id
from core.outbox import Outbox, post
from oidc import keys, policy
from oidc.models import LogoutNotice, TokenFamily

log = structlog.get_logger(__name__)

EVENT = "http://schemas.openid.net/event/backchannel-logout"
_KEY_OF_FAMILY = ("client_id", "sid", "user_id")  # what a notice is unique by


def queue_notices(families_to_end: Q) -> None:
    """Write one notice for each client and session of these families. Call it before they are revoked.

    A client that was told already is told again only if a family began after that: the person opened the application
    once more in the same session.
    """
    now = timezone.now()
    earlier = LogoutNotice.objects.filter(
        client=OuterRef("client"),
        sid=OuterRef("sid"),
        sub=OuterRef("user_id"),
        created_at__gte=OuterRef("created_at"),
    )
    families = (
        TokenFamily.objects.filter(
            ~Exists(earlier),
            families_to_end,
            revoked_at__isnull=True,
            expires_at__gt=now,
            used_at__isnull=False,
            client__is_active=True,
        )
        .exclude(client__backchannel_logout_uri="")
        .order_by(*_KEY_OF_FAMILY, "created_at")
        .values_list(*_KEY_OF_FAMILY, "issuer")
    )
    # One for each key, because PostgreSQL refuses to write a row twice; with the issuer of the youngest family.
    issuers = {(client, sid, sub): issuer for client, sid, sub, issuer in families}
    LogoutNotice.objects.bulk_create(
        [
            LogoutNotice(client_id=client, issuer=issuer, sub=sub, sid=sid, created_at=now, due_at=now)
            for (client, sid, sub), issuer in issuers.items()
        ],
        update_conflicts=True,
        unique_fields=["client", "sid", "sub"],
        update_fields=["issuer", "created_at", "due_at", "tries", "delivered_at", "outcome"],
    )


def logout_token(notice: LogoutNotice) -> str:
    """The signed claims of one notice (section 2.4)."""
    issued = int(time.time())
    return keys.sign(
        {
            "iss": notice.issuer,
            "aud": notice.client.client_id,
            "iat": issued,
            "exp": issued + int(policy.LOGOUT_TOKEN_VALID.total_seconds()),
            "jti": str(new_id()),
            "sub": str(notice.sub),
            "sid": str(notice.sid),
            "events": {EVENT: {}},
        },
        algorithm=notice.client.algorithm,
        typ="logout+jwt",
    )


class _Notices(Outbox[LogoutNotice]):
    model, target, joined = LogoutNotice, "client_id", ("client",)
    final = frozenset({400})  # understood and refused (section 2.8): a retry would not help

    def next_try(self, tries: int) -> timedelta | None:
        return policy.next_logout_try(tries)

    def send(self, row: LogoutNotice) -> tuple[str, int]:
        body = urlencode({"logout_token": logout_token(row)}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return post(row.client.backchannel_logout_uri, content=body, headers=headers)

    def tell(self, row: LogoutNotice, *, status: int, outcome: str, taken: bool, again: bool) -> None:
        metrics.LOGOUT_NOTICES.labels("taken" if taken else "again" if again else "given up").inc()
        if not taken:
            log.warning(
                "oidc.logout_not_delivered",
                client_id=row.client.client_id,
                status=status,
                outcome=outcome,
                again=again,
            )


outbox = _Notices()
post_due = outbox.post_due


def replay(notice_ids: Iterable[uuid.UUID]) -> int:
    """Post these again with a fresh set of tries and return how many. Skips clients that are switched off or have no
    back-channel URI any more."""
    notices = LogoutNotice.objects.filter(id__in=list(notice_ids), client__is_active=True)
    return outbox.replay(notices.exclude(client__backchannel_logout_uri=""))
