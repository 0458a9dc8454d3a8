"""Twilio's status callback: whose it is, and what it says."""

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped] # no py.typed

from channels.base import SenderConfig
from channels.providers.twilio import TWILIO
from channels.providers.twilio.codes import REASONS
from channels.providers.twilio.settings import TwilioSettings
from channels.types import FailureReason, Status, StatusUpdate
from projects.origin import address_of
from webhooks.base import Read, Webhook, authenticated, check_signature, delivery_id, record_one, trusted_ids
from webhooks.errors import Malformed, Unreadable

# Twilio, "Message resource: status values". The others come before the message leaves Twilio and tell nothing new.
STATUSES: Mapping[str, Status] = MappingProxyType(
    {
        "sent": Status.SENT,
        "delivered": Status.DELIVERED,
        "read": Status.READ,
        "undelivered": Status.FAILED,
        "failed": Status.FAILED,
        "canceled": Status.FAILED,
    }
)
MOST_FIELDS = 100  # Twilio sends some twenty

_ID = re.compile(r"[!-~]{1,64}")
_CODE = re.compile(r"[0-9]{1,9}")


def read(body: bytes) -> QueryDict:
    """The form, of which nothing is to be believed yet. Raises Malformed when it has more fields than Twilio's."""
    if body.count(b"&") >= MOST_FIELDS:
        raise Malformed("too many fields")
    return QueryDict(body, encoding="utf-8")


def authenticate(
    form: QueryDict, *, url: str, signature: str, senders: Sequence[SenderConfig[TwilioSettings]]
) -> tuple[uuid.UUID, ...]:
    """The ids of the senders whose token signed this form for this URL. Raises Untrusted.

    The whole form is signed, fields that we do not know included. A token is tried once, and always all of them.
    """
    check_signature(WEBHOOK.signature, signature)
    return trusted_ids(
        _of_account(form, senders),
        secrets=lambda sender: sender.settings.auth_tokens,
        fits=lambda token: bool(RequestValidator(token).validate(url, form, signature)),
    )


def named(form: QueryDict, senders: Sequence[SenderConfig[TwilioSettings]]) -> list[uuid.UUID]:
    """The senders that a form names, true or not: to explain a signature that does not fit."""
    return [sender.id for sender in _of_account(form, senders)]


def _of_account(
    form: QueryDict, senders: Sequence[SenderConfig[TwilioSettings]]
) -> list[SenderConfig[TwilioSettings]]:
    account_sid = form.get("AccountSid", "")
    return [sender for sender in senders if account_sid and sender.settings.account_sid == account_sid]


def translate(
    form: QueryDict, *, delivery: str, sender_ids: tuple[uuid.UUID, ...], now: datetime
) -> StatusUpdate | None:
    """The form in our words; None when it tells nothing new. Raises Unreadable.

    The time is that of receipt: Twilio sends none but RawDlrDoneDate, the carrier's local time to the minute, which
    would put `delivered` hours away from, or before, `sent`.
    """
    status = STATUSES.get(form.get("MessageStatus", ""))
    if status is None:
        return None
    message_id = form.get("MessageSid", "")
    if not _ID.fullmatch(message_id):
        raise Unreadable("MessageSid")
    reason, code = _failure(form) if status is Status.FAILED else (None, "")
    return StatusUpdate(
        sender_ids=sender_ids,
        delivery_id=delivery_id(delivery),
        provider_message_id=message_id,
        status=status,
        occurred_at=now,
        reason=reason,
        provider_code=code,
    )


def _failure(form: QueryDict) -> tuple[FailureReason, str]:
    code = form.get("ErrorCode", "")
    if not _CODE.fullmatch(code):
        return FailureReason.UNKNOWN, ""
    return REASONS.get(int(code), FailureReason.UNKNOWN), code


def _receive(request: HttpRequest, read_body: Read) -> None:
    """What Twilio signs is the form's fields, so a form of a few fields is read before it is believed."""
    form, signature = read(read_body()), WEBHOOK.signature_of(request)
    # The URL as Twilio called it is part of what it signs.
    url = f"{settings.AUTHSVC_PUBLIC_URL or address_of(request)}{request.get_full_path()}"
    sender_ids = authenticated(
        TWILIO.name,
        authenticate=lambda ours: authenticate(form, url=url, signature=signature, senders=ours),
        named=lambda ours: named(form, ours),
    )
    now, delivery = timezone.now(), request.GET.get("delivery", "")
    record_one(
        TWILIO.name, sender_ids, lambda: translate(form, delivery=delivery, sender_ids=sender_ids, now=now)
    )


WEBHOOK = Webhook(
    name="twilio_status",
    receive=_receive,
    limit=64 * 1024,
    header="X-Twilio-Signature",
    signature=re.compile(r"[A-Za-z0-9+/]{27}="),  # base64 of an HMAC-SHA1
)
