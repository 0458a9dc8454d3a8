"""Reports of an HTTP gateway: whose they are, and what they say (docs: "HTTP gateway").

    POST /sms/http/status   {"id": "<delivery>", "status": "<word>", "error": "<word>", "at": <unix seconds>}
    X-Authsvc-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>." and the raw body, by the signing secret>

A report names no sender: the secret that signed it tells whose it is, so each gateway's is tried.
"""

import hmac
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from channels.base import SenderConfig
from channels.providers.gateway import GATEWAY, REASONS, SIGNATURE_HEADER, GatewaySettings, signature
from channels.types import FailureReason, Status, StatusUpdate
from otp import services
from webhooks.base import Read, Webhook, authenticated, delivery_id, record_one, trusted_ids
from webhooks.errors import Malformed, Unreadable, Untrusted

STATUSES: Mapping[str, Status] = MappingProxyType(
    {
        "sent": Status.SENT,
        "delivered": Status.DELIVERED,
        "failed": Status.FAILED,
        "expired": Status.FAILED,
    }
)
# What a failure without a word means.
_REASONS = {"expired": FailureReason.UNREACHABLE}
# A signature with a time further away is not believed.
TOLERANCE = timedelta(minutes=5)
# A time from before that is none.
OLDEST = timedelta(days=30)

_WORD = re.compile(r"[a-z_]{1,20}")  # no digits: whatever a gateway writes there, it is no number
# Where a body is searched for the delivery that it names when its signature is of no use.
_HEAD_BYTES = 1024
_ID = re.compile(rb'"id"\s*+:\s*+"([0-9A-Fa-f-]{36})"')


def authenticate(
    body: bytes, *, header: str, senders: Sequence[SenderConfig[GatewaySettings]], now: datetime
) -> tuple[uuid.UUID, ...]:
    """The ids of the senders of which a secret signed this body, and lately. Each is tried once. Raises Untrusted.

    The header has the form of `WEBHOOK.signature`.
    """
    at = int(header.partition(",")[0].removeprefix("t="))
    if abs(now.timestamp() - at) > TOLERANCE.total_seconds():
        raise Untrusted("old_signature")
    return trusted_ids(
        senders,
        secrets=lambda sender: sender.settings.signing_secrets,
        fits=lambda secret: hmac.compare_digest(signature(secret, body, at=at), header),
    )


def named(body: bytes, senders: Sequence[SenderConfig[GatewaySettings]]) -> list[uuid.UUID]:
    """The sender of the delivery that a body names at its beginning: to explain a signature that does not fit.

    Only the gateway and we know that id, so no stranger has a sender's reports called refused.
    """
    match = _ID.search(body[:_HEAD_BYTES]) if senders else None
    delivery = delivery_id(match[1].decode()) if match else None
    sender_id = services.sender_of(delivery) if delivery else None
    return [sender.id for sender in senders if sender.id == sender_id]


def read(body: bytes) -> dict[str, Any]:
    """An authenticated body. Raises Malformed when it is no JSON object."""
    try:
        report = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(report, dict):
        raise Malformed("not an object")
    return report


def translate(report: Mapping[str, Any], *, sender_ids: tuple[uuid.UUID, ...], now: datetime) -> StatusUpdate:
    """The report in our words. Raises Unreadable."""
    delivery, word = delivery_id(report.get("id")), report.get("status")
    if delivery is None:
        raise Unreadable("id")
    if not isinstance(word, str) or word not in STATUSES:
        raise Unreadable("status")
    status = STATUSES[word]
    reason, code = _failure(word, report.get("error")) if status is Status.FAILED else (None, "")
    return StatusUpdate(
        sender_ids=sender_ids,
        delivery_id=delivery,
        # A gateway need not have an id of its own; its reports carry ours.
        provider_message_id=delivery,
        status=status,
        occurred_at=_time(report.get("at"), now),
        reason=reason,
        provider_code=code,
    )


def _failure(status: str, error: object) -> tuple[FailureReason, str]:
    word = error if isinstance(error, str) and _WORD.fullmatch(error) else ""
    return REASONS.get(word) or _REASONS.get(status, FailureReason.UNKNOWN), word


def _time(value: object, now: datetime) -> datetime:
    """Unix seconds; without a time that can be right, that of arrival."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return now
    if not (now - OLDEST).timestamp() <= value <= now.timestamp():
        return now
    return datetime.fromtimestamp(value, UTC)


def _receive(request: HttpRequest, read_body: Read) -> None:
    body, header, now = read_body(), WEBHOOK.signature_of(request), timezone.now()
    sender_ids = authenticated(
        GATEWAY.name,
        authenticate=lambda ours: authenticate(body, header=header, senders=ours, now=now),
        named=lambda ours: named(body, ours),
    )
    report = read(body)
    record_one(GATEWAY.name, sender_ids, lambda: translate(report, sender_ids=sender_ids, now=now))


WEBHOOK = Webhook(
    name="http_status",
    receive=_receive,
    limit=16 * 1024,
    header=SIGNATURE_HEADER,
    signature=re.compile(r"t=[0-9]{1,12},v1=[0-9a-f]{64}"),
)
