"""Twilio's status callback: whose it is, and what it says. Pure; no HTTP, no database."""

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from django.http import QueryDict
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped] # no py.typed

from channels.backends.twilio import REASONS
from channels.base import SenderConfig
from channels.types import FailureReason, Status, StatusUpdate
from webhooks.errors import Unreadable, Untrusted

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
_ID = re.compile(r"[!-~]{1,64}")
_CODE = re.compile(r"[0-9]{1,9}")


def authenticate(
    form: QueryDict, *, url: str, signature: str, senders: Sequence[SenderConfig]
) -> tuple[uuid.UUID, ...]:
    """The ids of the senders whose token signed this form for this URL. Raises Untrusted.

    The whole form is signed, fields that we do not know included. A token is tried once, and always all of them.
    """
    if not signature:
        raise Untrusted("no_signature")
    account_sid = form.get("AccountSid", "")
    named = [sender for sender in senders if account_sid and sender.account_sid == account_sid]
    if not named:
        raise Untrusted("unknown_account")
    tokens = {token for sender in named for token in sender.auth_tokens}
    fitting = {token for token in tokens if RequestValidator(token).validate(url, form, signature)}
    trusted = tuple(sender.id for sender in named if not fitting.isdisjoint(sender.auth_tokens))
    if not trusted:
        raise Untrusted("wrong_signature")
    return trusted


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
        delivery_id=_uuid(delivery),
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


def _uuid(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None
