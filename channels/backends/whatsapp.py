"""WhatsApp by Meta's Cloud API: sends the code in an authentication template. Reports are read in `webhooks.meta`."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import structlog
from django.conf import settings

from channels import http, texts
from channels.base import SenderConfig
from channels.errors import SendError
from channels.types import FailureReason, Message, Receipt

log = structlog.get_logger(__name__)

_LONGEST_ID = 255  # of a stored message id

# Meta, "Error codes". Titles in the comments. What comes of a reason is decided in `channels.errors`.
REASONS: Mapping[int, FailureReason] = MappingProxyType(
    {
        # Authorisation and integrity
        0: FailureReason.MISCONFIGURED,  # AuthException
        3: FailureReason.MISCONFIGURED,  # API Method: capability or permission missing
        10: FailureReason.MISCONFIGURED,  # Permission Denied
        104: FailureReason.MISCONFIGURED,  # access token missing
        190: FailureReason.MISCONFIGURED,  # access token expired or invalid
        **dict.fromkeys(range(200, 300), FailureReason.MISCONFIGURED),  # API Permission
        368: FailureReason.ACCOUNT_BLOCKED,  # temporarily blocked for policy violations
        803: FailureReason.MISCONFIGURED,  # object does not exist, or is not visible to this token
        130497: FailureReason.REFUSED,  # business restricted from messaging this country: others go on
        131031: FailureReason.ACCOUNT_BLOCKED,  # account locked
        # Throttling
        4: FailureReason.RATE_LIMITED,  # API Too Many Calls
        17: FailureReason.RATE_LIMITED,  # user request limit reached
        613: FailureReason.RATE_LIMITED,  # custom rate limit
        80007: FailureReason.RATE_LIMITED,  # rate limit of the business account
        130429: FailureReason.RATE_LIMITED,  # throughput: messages per second
        131048: FailureReason.ACCOUNT_BLOCKED,  # spam rate limit: the number's quality is restricted
        131056: FailureReason.PAIR_LIMITED,  # pair rate limit: too many messages to this recipient
        131064: FailureReason.ACCOUNT_BLOCKED,  # messaging limited: template classification violations
        133016: FailureReason.MISCONFIGURED,  # register or deregister rate limit: somebody is at the number
        # Message and recipient
        1: FailureReason.UNAVAILABLE,  # API Unknown
        2: FailureReason.UNAVAILABLE,  # API Service: downtime or overload
        33: FailureReason.MISCONFIGURED,  # business number deleted
        100: FailureReason.BAD_REQUEST,  # Invalid parameter
        130403: FailureReason.BLOCKED_BY_USER,  # user blocked the business
        130472: FailureReason.REFUSED,  # user is part of an experiment
        131000: FailureReason.UNAVAILABLE,  # Something went wrong
        131005: FailureReason.MISCONFIGURED,  # Access denied
        131008: FailureReason.BAD_REQUEST,  # required parameter missing
        131009: FailureReason.BAD_REQUEST,  # parameter value not valid
        131016: FailureReason.UNAVAILABLE,  # Service unavailable
        131021: FailureReason.INVALID_NUMBER,  # recipient cannot be sender
        131026: FailureReason.NOT_ON_CHANNEL,  # Message undeliverable: no WhatsApp, old client, terms not accepted
        131030: FailureReason.MISCONFIGURED,  # recipient not in allowed list: still a test number
        131037: FailureReason.MISCONFIGURED,  # display name approval needed
        131042: FailureReason.PAYMENT,  # payment problem
        131045: FailureReason.MISCONFIGURED,  # incorrect certificate: number not registered
        131047: FailureReason.BAD_REQUEST,  # Re-engagement: free-form text outside the 24 hours
        131049: FailureReason.REFUSED,  # Meta chose not to deliver, to keep the ecosystem healthy
        131050: FailureReason.BLOCKED_BY_USER,  # user stopped marketing messages
        131051: FailureReason.BAD_REQUEST,  # unsupported message type
        131052: FailureReason.BAD_REQUEST,  # media download error
        131053: FailureReason.BAD_REQUEST,  # media upload error
        131055: FailureReason.BAD_REQUEST,  # method not allowed
        131057: FailureReason.UNAVAILABLE,  # account in maintenance mode, a minute at most
        131059: FailureReason.BAD_REQUEST,  # invalid paging cursor
        131060: FailureReason.MISCONFIGURED,  # onboarding is not finished
        131062: FailureReason.BAD_REQUEST,  # business-scoped user id as recipient
        131063: FailureReason.MISCONFIGURED,  # marketing disabled: the template has the wrong category
        135000: FailureReason.UNAVAILABLE,  # Generic user error
        137000: FailureReason.IDENTITY_CHANGED,  # recipient identity key hash mismatch
        # Template and flow
        132000: FailureReason.BAD_REQUEST,  # parameter count mismatch
        132001: FailureReason.MISCONFIGURED,  # template does not exist in that language, or is not approved
        132005: FailureReason.BAD_REQUEST,  # hydrated text too long
        132007: FailureReason.MISCONFIGURED,  # template violates format or policy
        132008: FailureReason.BAD_REQUEST,  # parameter value invalid
        132012: FailureReason.BAD_REQUEST,  # parameter format mismatch
        132015: FailureReason.TEMPLATE_PAUSED,  # paused for low quality; also what becomes of held messages
        132016: FailureReason.TEMPLATE_PAUSED,  # disabled for good
        132018: FailureReason.BAD_REQUEST,  # problem with the parameters in the template
        132068: FailureReason.BAD_REQUEST,  # flow blocked
        132069: FailureReason.BAD_REQUEST,  # flow throttled
        134011: FailureReason.PAYMENT,  # payments terms not accepted
        # Registration of our number
        133000: FailureReason.MISCONFIGURED,  # incomplete deregistration
        133004: FailureReason.UNAVAILABLE,  # server temporarily unavailable
        133005: FailureReason.MISCONFIGURED,  # two-step PIN mismatch
        133006: FailureReason.MISCONFIGURED,  # number must be verified again
        133008: FailureReason.MISCONFIGURED,  # too many PIN guesses
        133009: FailureReason.MISCONFIGURED,  # PIN entered too fast
        133010: FailureReason.MISCONFIGURED,  # phone number not registered
        133015: FailureReason.MISCONFIGURED,  # number deleted recently
    }
)
# Message statuses of a 200 that mean "not now, and perhaps never". Meta, "Business portfolio pacing".
_HELD = frozenset({"held_for_quality_assessment", "paused"})


def error_code(error: Mapping[str, Any]) -> int | None:
    """The number of a Graph error, whether it is written as one or as digits."""
    code = error.get("code")
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


class WhatsAppBackend:
    """Meta's Cloud API. See `channels.base.Backend`."""

    def __init__(self, client: http.HttpClient | None = None) -> None:
        self._client = client

    def send(self, message: Message, sender: SenderConfig) -> Receipt:
        url, headers = _address(sender)
        body = json.dumps(_payload(message, sender)).encode()
        try:
            answer = (self._client or http.shared()).post(url, content=body, headers=headers)
        except http.AnswerLost as lost:
            # Meta has no idempotency key: the message may be on its way, and a second one would be one too many.
            # Its reports name our delivery, so it is found again without its id.
            log.warning("whatsapp.answer_lost", delivery_id=str(message.delivery_id), error=str(lost))
            return Receipt(certain=False)
        return _read(answer, message)


def _address(sender: SenderConfig) -> tuple[str, dict[str, str]]:
    if not sender.phone_number_id or not sender.access_token:
        raise SendError(FailureReason.MISCONFIGURED, detail="phone number ID or access token is empty")
    url = f"{settings.WHATSAPP_API_URL}/{quote(sender.phone_number_id, safe='')}/messages"
    return url, {"Authorization": f"Bearer {sender.access_token}", "Content-Type": "application/json"}


def _payload(message: Message, sender: SenderConfig) -> dict[str, object]:
    if not sender.template_languages or not sender.template_name:
        raise SendError(FailureReason.MISCONFIGURED, detail="template name or languages are empty")
    code = [{"type": "text", "text": message.code}]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.phone,  # with its plus: without, Meta prepends the sender's country code
        "type": "template",
        "biz_opaque_callback_data": str(message.delivery_id),
        "template": {
            "name": sender.template_name,
            "language": {"code": texts.best_language(message.language, sender.template_languages)},
            "components": [
                {"type": "body", "parameters": code},
                {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
            ],
        },
    }


def _read(answer: http.Answer, message: Message) -> Receipt:
    body = answer.json_object() or {}
    error = body.get("error")
    if isinstance(error, dict):
        raise _refusal(error, answer, message)
    if not answer.is_taken:
        raise SendError(answer.status_reason, provider_code=answer.status_code)
    match body.get("messages"):
        case [{"message_status": status}, *_] if status in _HELD:
            raise SendError(FailureReason.HELD, provider_code=status[:20])
        case [{"id": str(message_id)}, *_] if 0 < len(message_id) <= _LONGEST_ID:
            return Receipt(provider_message_id=message_id)
    log.warning("whatsapp.answer_unreadable", delivery_id=str(message.delivery_id), http=answer.status)
    return Receipt(certain=False)  # a 200 all the same: it may have been accepted


def _refusal(error: dict[str, Any], answer: http.Answer, message: Message) -> SendError:
    code = error_code(error)
    reason = answer.status_reason if code is None else REASONS.get(code, answer.status_reason)
    trace = error.get("fbtrace_id")
    log.warning(
        "whatsapp.refused",
        delivery_id=str(message.delivery_id),
        provider_code=code,
        http=answer.status,
        trace=trace[:64] if isinstance(trace, str) else "",  # what Meta's support asks for
    )
    return SendError(reason, provider_code=answer.status_code if code is None else str(code)[:20])
