"""OpenID Connect Back-Channel Logout 1.0: clients are told that a session ended, from a durable outbox.

A notice is written in the transaction that ends the session, and posted by the sweep until the client takes it.
"""

import time
import uuid
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlencode

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from channels import http
from channels.errors import SendError
from oidc import keys, policy
from oidc.models import LogoutNotice, TokenFamily
from projects import metrics
from projects.ids import new_id

log = structlog.get_logger(__name__)

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def note(ended: Q) -> None:
    """Write a notice for each client and session among these families, before they are revoked. A session that a
    client was told of already is not told again."""
    now = timezone.now()
    families = (
        TokenFamily.objects.filter(
            ended, revoked_at__isnull=True, expires_at__gt=now, used_at__isnull=False, client__is_active=True
        )
        .exclude(client__backchannel_logout_uri="")
        .values_list("client_id", "issuer", "user_id", "sid")
    )
    LogoutNotice.objects.bulk_create(
        [
            LogoutNotice(client_id=client, issuer=issuer, sub=sub, sid=sid, created_at=now, due_at=now)
            for client, issuer, sub, sid in set(families)
        ],
        ignore_conflicts=True,
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


def post_due(*, seconds: float) -> int:
    """Post what is due, for at most `seconds`; how many. Several may run at once."""
    begun, count = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        notice = _claim()
        if notice is None:
            break
        _post(notice)
        count += 1
    return count


def replay(notice_ids: Iterable[uuid.UUID]) -> int:
    """Post these once more, from the beginning of their tries; how many. Clients that are off or no longer want to be
    told are left alone."""
    again = LogoutNotice.objects.filter(id__in=list(notice_ids), client__is_active=True).exclude(
        client__backchannel_logout_uri=""
    )
    return again.update(due_at=timezone.now(), tries=0, delivered_at=None, outcome="")


def _claim() -> LogoutNotice | None:
    """The notice that has waited longest, now held by us."""
    now = timezone.now()
    with transaction.atomic():
        due = LogoutNotice.objects.filter(due_at__lte=now).select_related("client").order_by("due_at")
        if connection.vendor == "postgresql":
            due = due.select_for_update(skip_locked=True, of=("self",))
        notice = due.first()
        if notice:
            notice.tries += 1
            LogoutNotice.objects.filter(id=notice.id).update(
                tries=notice.tries, due_at=now + policy.LOGOUT_LEASE
            )
    return notice


def _post(notice: LogoutNotice) -> None:
    outcome, status = _outcome(notice)
    now = timezone.now()
    if status in (200, 204):
        metrics.LOGOUT_NOTICES.labels("taken").inc()
        LogoutNotice.objects.filter(id=notice.id).update(delivered_at=now, due_at=None, outcome=outcome)
        return
    # 400: it understood and refuses (section 2.8); asking again would not help.
    wait: timedelta | None = policy.next_logout_try(notice.tries) if status != 400 else None
    LogoutNotice.objects.filter(id=notice.id).update(due_at=now + wait if wait else None, outcome=outcome)
    metrics.LOGOUT_NOTICES.labels("again" if wait else "given up").inc()
    log.warning(
        "oidc.logout_not_delivered",
        client_id=notice.client.client_id,
        outcome=outcome,
        again=wait is not None,
    )


def _outcome(notice: LogoutNotice) -> tuple[str, int]:
    """What became of one post, in a word, and its HTTP status (0: none)."""
    body = urlencode({"logout_token": logout_token(notice)}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = http.shared().post(notice.client.backchannel_logout_uri, content=body, headers=headers)
    except http.AnswerLost:
        return "no answer", 0
    except SendError as error:
        return error.reason.value, 0
    return str(answer.status), answer.status
