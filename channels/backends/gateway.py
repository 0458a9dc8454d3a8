"""SMS by any HTTP gateway that speaks our small signed protocol (docs: "HTTP gateway"). It sends no reports.

    POST <url>   {"id": "<delivery>", "to": "+…", "text": "…", "validity_seconds": n}
    X-Authsvc-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>." and the raw body, by the signing secret>

2xx: taken, `{"id": "…"}` is optional. 4xx: `{"error": "<word>"}` with a word of `REASONS`. The delivery's id is the
same for each copy of one message, so a gateway can tell them apart.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from types import MappingProxyType

import structlog

from channels import http
from channels.base import SenderConfig
from channels.errors import SendError
from channels.types import FailureReason, Message, Receipt

log = structlog.get_logger(__name__)

_LONGEST_ID = 255

REASONS: Mapping[str, FailureReason] = MappingProxyType(
    {
        "invalid_number": FailureReason.INVALID_NUMBER,
        "not_mobile": FailureReason.NOT_ON_CHANNEL,
        "unreachable": FailureReason.UNREACHABLE,
        "opted_out": FailureReason.BLOCKED_BY_USER,
        "recipient_opted_out": FailureReason.BLOCKED_BY_USER,
        "refused": FailureReason.REFUSED,
        "country_not_allowed": FailureReason.REFUSED,
        "rate_limited": FailureReason.RATE_LIMITED,
        "unavailable": FailureReason.UNAVAILABLE,
        "internal_error": FailureReason.UNAVAILABLE,
        "unauthorized": FailureReason.MISCONFIGURED,
        "invalid_signature": FailureReason.MISCONFIGURED,
        "invalid_sender": FailureReason.MISCONFIGURED,
        "payment_required": FailureReason.PAYMENT,
        "account_blocked": FailureReason.ACCOUNT_BLOCKED,
        "fraud_blocked": FailureReason.FRAUD_BLOCKED,
        "invalid_request": FailureReason.BAD_REQUEST,
    }
)


class GatewayBackend:
    """A generic HTTP gateway. See `channels.base.Backend`."""

    def __init__(self, client: http.HttpClient | None = None) -> None:
        self._client = client

    def send(self, message: Message, sender: SenderConfig) -> Receipt:
        if not sender.url or not sender.signing_secret:
            raise SendError(FailureReason.MISCONFIGURED, detail="URL or signing secret is empty")
        body = _body(message)
        headers = {
            "Content-Type": "application/json",
            "X-Authsvc-Signature": signature(sender.signing_secret, body, at=int(time.time())),
        }
        try:
            answer = (self._client or http.shared()).post(sender.url, content=body, headers=headers)
        except http.AnswerLost as lost:
            log.warning("gateway.answer_lost", delivery_id=str(message.delivery_id), error=str(lost))
            return Receipt(certain=False)
        return _read(answer)


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The header's value. The time is signed along, so that a gateway can refuse what is old."""
    digest = hmac.digest(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hex()
    return f"t={at},v1={digest}"


def _body(message: Message) -> bytes:
    return json.dumps(
        {
            "id": str(message.delivery_id),
            "to": message.phone,
            "text": message.text,
            "validity_seconds": message.valid_seconds,
        }
    ).encode()


def _read(answer: http.Answer) -> Receipt:
    body = answer.json_object() or {}
    if answer.is_taken:
        message_id = body.get("id")
        if isinstance(message_id, str) and len(message_id) <= _LONGEST_ID:
            return Receipt(provider_message_id=message_id)
        return Receipt()
    word = body.get("error")
    if isinstance(word, str) and word in REASONS:
        raise SendError(REASONS[word], provider_code=word[:20])
    raise SendError(answer.status_reason, provider_code=answer.status_code)
