"""WhatsApp by Meta's Cloud API: sends the code in an authentication template. Reports are read in `webhooks.meta`."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import structlog

from channels import calls, languages
from channels.base import SenderConfig
from channels.errors import MEANINGS, SendError
from channels.providers.meta.codes import NO_SUCH_OBJECT, REASONS, error_code
from channels.providers.meta.settings import API, MetaSettings
from channels.types import FailureReason, Message, Receipt, TemplateRefusal
from core import http

log = structlog.get_logger(__name__)

_LONGEST_ID = 255  # of a stored message id

# Message statuses of a 200 that mean "not now, and perhaps never". Meta, "Business portfolio pacing" and "Pausing".
_NOT_SENT: Mapping[str, FailureReason] = MappingProxyType(
    {"held_for_quality_assessment": FailureReason.HELD, "paused": FailureReason.TEMPLATE_PAUSED}
)
# When the template is refused in one language, this many others are tried before the next channel takes over: within
# the time of one call, on which the claim's lease counts, and only if this much of it is left.
_OTHER_LANGUAGES = 1
_SHORTEST_CALL_SECONDS = 2.0


class WhatsAppBackend(calls.HttpBackend):
    """Meta's Cloud API. See `channels.base.Backend`."""

    def send(self, message: Message, sender: SenderConfig[MetaSettings]) -> Receipt:
        """Of the sender's languages the one that is read best; another one when Meta has no template in it."""
        client = self.client
        until = time.monotonic() + client.call_seconds
        names = _languages(message, sender)[: 1 + _OTHER_LANGUAGES]
        refusals: list[TemplateRefusal] = []
        for number, language in enumerate(names, 1):
            try:
                receipt = _call(client, message, sender, language, until)
            except SendError as error:
                if MEANINGS[error.reason].template:
                    refusals.append(_template_refusal(language, error))
                    left = until - time.monotonic()
                    if number < len(names) and left >= _SHORTEST_CALL_SECONDS:
                        continue
                error.refusals = tuple(refusals)
                raise
            return replace(receipt, template_language=language, refusals=tuple(refusals))
        raise SendError(FailureReason.MISCONFIGURED, detail="template name or languages are empty")


def _languages(message: Message, sender: SenderConfig[MetaSettings]) -> list[str]:
    if not sender.settings.template_name:
        return []
    return languages.language_order(message.language, sender.settings.template_languages)


def _template_refusal(language: str, error: SendError) -> TemplateRefusal:
    return TemplateRefusal(language=language, reason=error.reason, provider_code=error.provider_code)


def _call(
    client: http.HttpClient, message: Message, sender: SenderConfig[MetaSettings], language: str, until: float
) -> Receipt:
    url, headers = _address(sender)
    body = json.dumps(_payload(message, sender, language)).encode()
    try:
        answer = calls.post(client, url, content=body, headers=headers, until=until)
    except http.AnswerLost as lost:
        # Meta has no idempotency key: the message may be on its way, and a second one would be one too many.
        # Its reports name our delivery, so it is found again without its id.
        log.warning("whatsapp.answer_lost", delivery_id=str(message.delivery_id), error=str(lost))
        return Receipt(certain=False)
    return _read(answer, message)


def _address(sender: SenderConfig[MetaSettings]) -> tuple[str, dict[str, str]]:
    number, token = sender.settings.phone_number_id, sender.settings.access_token.get_secret_value()
    if not number or not token:
        raise SendError(FailureReason.MISCONFIGURED, detail="phone number ID or access token is empty")
    url = f"{API}/{quote(number, safe='')}/messages"
    return url, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _payload(message: Message, sender: SenderConfig[MetaSettings], language: str) -> dict[str, object]:
    code = [{"type": "text", "text": message.code}]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.phone,  # with its plus: without, Meta prepends the sender's country code
        "type": "template",
        "biz_opaque_callback_data": str(message.delivery_id),
        "template": {
            "name": sender.settings.template_name,
            "language": {"code": language},
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
        raise calls.refusal(answer)
    match body.get("messages"):
        case [{"message_status": str(status)}, *_] if status in _NOT_SENT:
            raise SendError(_NOT_SENT[status], provider_code=status[:20])
        case [{"id": written}, *_] if message_id := calls.message_id(written, longest=_LONGEST_ID):
            return Receipt(provider_message_id=message_id)
    log.warning("whatsapp.answer_unreadable", delivery_id=str(message.delivery_id), http=answer.status)
    return Receipt(certain=False)  # a 200 all the same: it may have been accepted


def _refusal(error: dict[str, Any], answer: http.Answer, message: Message) -> SendError:
    code = error_code(error)
    reason = None if code is None else REASONS.get(code)
    if (code, error.get("error_subcode")) == NO_SUCH_OBJECT:
        reason = FailureReason.MISCONFIGURED
    trace = error.get("fbtrace_id")
    log.warning(
        "whatsapp.refused",
        delivery_id=str(message.delivery_id),
        provider_code=code,
        http=answer.status,
        trace=trace[:64] if isinstance(trace, str) else "",  # what Meta's support asks for
    )
    return calls.refusal(answer, reason, code)
