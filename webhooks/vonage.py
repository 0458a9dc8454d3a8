"""Vonage's status webhook: whose it is, and what it says.

Vonage, "Signed webhooks": a JWT in the Authorization header, by the signature secret, with a hash of the body.
"""

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import jwt
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from channels.base import SenderConfig
from channels.providers.vonage import REASONS, VONAGE, VonageSettings, error_code
from channels.types import FailureReason, Status, StatusUpdate
from webhooks.base import Read, Webhook, authenticated, check_signature, delivery_id, record_one, trusted_ids
from webhooks.errors import Malformed, Unreadable, Untrusted

STATUSES: Mapping[str, Status] = MappingProxyType(
    {
        "submitted": Status.SENT,
        "delivered": Status.DELIVERED,
        "read": Status.READ,
        "rejected": Status.FAILED,
        "undeliverable": Status.FAILED,
    }
)
# A time from before that is none: Vonage repeats for a day what it could not post.
OLDEST = timedelta(days=30)
_ID = re.compile(r"[!-~]{1,64}")


def authenticate(
    body: bytes, *, signature: str, senders: Sequence[SenderConfig[VonageSettings]]
) -> tuple[uuid.UUID, ...]:
    """The ids of the senders whose secret signed this body. Raises Untrusted.

    The key in the token says whose secrets to try; all of these are tried. How old a token is does not matter: a
    repeated report changes nothing.
    """
    check_signature(WEBHOOK.signature, signature)
    ids = named(signature, senders)
    digest = hashlib.sha256(body).hexdigest()
    return trusted_ids(
        [sender for sender in senders if sender.id in ids],
        secrets=lambda sender: sender.settings.signature_secrets,
        fits=lambda secret: _signs(signature.removeprefix("Bearer "), secret, digest),
    )


def _signs(token: str, secret: str, digest: str) -> bool:
    try:
        claims = jwt.decode(
            token, secret, algorithms=["HS256"], options={"verify_aud": False, "verify_iat": False}
        )
    except jwt.PyJWTError:
        return False
    signed = claims.get("payload_hash")
    return isinstance(signed, str) and hmac.compare_digest(signed.encode(), digest.encode())


def named(signature: str, senders: Sequence[SenderConfig[VonageSettings]]) -> list[uuid.UUID]:
    """The senders that a token names, true or not."""
    try:
        claims = jwt.decode(signature.removeprefix("Bearer "), options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise Untrusted("no_signature") from error
    api_key = claims.get("api_key")
    return [sender.id for sender in senders if api_key and sender.settings.api_key == api_key]


def read(body: bytes) -> dict[str, Any]:
    """An authenticated body. Raises Malformed when it is no JSON object."""
    try:
        report = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(report, dict):
        raise Malformed("not an object")
    return report


def translate(
    report: Mapping[str, Any], *, sender_ids: tuple[uuid.UUID, ...], now: datetime
) -> StatusUpdate | None:
    """The report in our words; None when it tells nothing new. Raises Unreadable."""
    word = report.get("status")
    status = STATUSES.get(word) if isinstance(word, str) else None
    if status is None:
        return None
    message_id = report.get("message_uuid")
    if not isinstance(message_id, str) or not _ID.fullmatch(message_id):
        raise Unreadable("message_uuid")
    reason, code = _failure(report.get("error")) if status is Status.FAILED else (None, "")
    return StatusUpdate(
        sender_ids=sender_ids,
        delivery_id=delivery_id(report.get("client_ref")),
        provider_message_id=message_id,
        status=status,
        occurred_at=_time(report.get("timestamp"), now),
        reason=reason,
        provider_code=code,
    )


def _failure(error: object) -> tuple[FailureReason, str]:
    code = error_code(error) if isinstance(error, dict) else ""
    return REASONS.get(code, FailureReason.UNKNOWN), code


def _time(value: object, now: datetime) -> datetime:
    """ISO 8601 with a zone; without a time that can be right, that of arrival."""
    try:
        at = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    return at if at and at.tzinfo and now - OLDEST <= at <= now else now


def _receive(request: HttpRequest, read_body: Read) -> None:
    body, signature = read_body(), WEBHOOK.signature_of(request)
    sender_ids = authenticated(
        VONAGE.name,
        authenticate=lambda ours: authenticate(body, signature=signature, senders=ours),
        named=lambda ours: named(signature, ours),
    )
    report, now = read(body), timezone.now()
    record_one(VONAGE.name, sender_ids, lambda: translate(report, sender_ids=sender_ids, now=now))


WEBHOOK = Webhook(
    name="vonage_status",
    receive=_receive,
    limit=64 * 1024,
    header="Authorization",
    signature=re.compile(r"Bearer [A-Za-z0-9_-]{1,1024}\.[A-Za-z0-9_-]{1,4096}\.[A-Za-z0-9_-]{43}"),
)
