"""Meta's own sample message, hello_world: it shows that number and token can send before any template is approved."""

from channels.base import SenderConfig
from channels.calls import message_id, refusal
from channels.errors import SendError
from channels.providers.meta import graph
from channels.providers.meta.codes import REASONS
from channels.providers.meta.settings import MetaSettings
from channels.types import FailureReason, Receipt
from core.http import Answer, HttpClient

_LONGEST_ID = 255


def greet(sender: SenderConfig[MetaSettings], phone: str, reference: str, client: HttpClient) -> Receipt:
    """Sends it to a number in E.164. Its reports repeat `reference`. Raises SendError, AnswerLost."""
    if not sender.settings.phone_number_id or not sender.settings.access_token.get_secret_value():
        raise SendError(FailureReason.MISCONFIGURED, detail="phone number ID or access token is empty")
    payload = {
        "messaging_product": "whatsapp",
        "to": phone,
        "type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}},
        "biz_opaque_callback_data": reference,
    }
    reply = graph.post(client, sender, f"{sender.settings.phone_number_id}/messages", payload)
    if reply.problem:
        reason = None if reply.code is None else REASONS.get(reply.code)
        if reply.is_not_there:
            reason = FailureReason.MISCONFIGURED
        raise refusal(Answer(status=reply.status, body=b""), reason, reply.code)
    messages = reply.body.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    written = first.get("id") if isinstance(first, dict) else None
    return Receipt(provider_message_id=message_id(written, longest=_LONGEST_ID))
