"""The items of a Meta webhook in our words: status updates, disavowals, notices for the operator. Pure.

An item that cannot be read is left out and counted; the others go through. What we have no use for is left out too.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from channels.backends.whatsapp import REASONS, error_code
from channels.types import Disavowal, FailureReason, Status, StatusUpdate
from webhooks.errors import Unreadable
from webhooks.meta import Change, Json, TrustedChange, an_object, objects, text

# Meta, "Status messages webhook reference". Others (played, deleted, warning …) tell nothing about a code.
STATUSES: Mapping[str, Status] = MappingProxyType(
    {
        "sent": Status.SENT,
        "delivered": Status.DELIVERED,
        "read": Status.READ,  # comes without `delivered` when the message was shown at once
        "failed": Status.FAILED,
    }
)
# The button of Meta's authentication templates: "I didn't request a code".
DISAVOWAL_PAYLOAD = "DID_NOT_REQUEST_CODE"

# Printable ASCII and not too long for its column: PostgreSQL refuses NUL, and one bad id must not stop a batch.
_ID = re.compile(r"[!-~]{1,255}")
_SECONDS = re.compile(r"[0-9]{1,10}")
_WORD = re.compile(r"[A-Za-z0-9_.\- ]{1,80}")


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What Meta says about an account, a template or the service as a whole: for the operator's eyes."""

    kind: str
    details: Mapping[str, str]


@dataclass(kw_only=True)
class Items:
    """What a body comes to."""

    updates: list[StatusUpdate] = field(default_factory=list)
    disavowals: list[Disavowal] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    unreadable: int = 0


def translate(changes: Sequence[TrustedChange]) -> Items:
    """Everything that an authenticated body says."""
    items = Items()
    for trusted in changes:
        if trusted.change.kind != "messages":
            items.notices.extend(_notices(trusted.change))
            continue
        items.notices.extend(_value_errors(trusted.change.value))
        if trusted.sender_ids:
            _add_statuses(items, trusted)
            _add_disavowals(items, trusted)
    return items


def _add_statuses(items: Items, trusted: TrustedChange) -> None:
    for item in _list(trusted.change.value, "statuses"):
        try:
            update = _status_update(item, trusted.sender_ids)
        except Unreadable:
            items.unreadable += 1
        else:
            items.updates.extend([update] if update else [])


def _add_disavowals(items: Items, trusted: TrustedChange) -> None:
    for item in objects(trusted.change.value.get("messages")):
        if an_object(item.get("button")).get("payload") != DISAVOWAL_PAYLOAD:
            continue
        message_id = an_object(item.get("context")).get("id")
        if isinstance(message_id, str) and _ID.fullmatch(message_id):
            items.disavowals.append(Disavowal(sender_ids=trusted.sender_ids, provider_message_id=message_id))
        else:
            items.unreadable += 1


def _status_update(item: object, sender_ids: tuple[uuid.UUID, ...]) -> StatusUpdate | None:
    """None for a status that we have no use for. Raises Unreadable."""
    if not isinstance(item, dict):
        raise Unreadable
    status = STATUSES.get(text(item.get("status")))
    if status is None:
        return None
    message_id = item.get("id")
    if not isinstance(message_id, str) or not _ID.fullmatch(message_id):
        raise Unreadable
    reason, code = _failure(item) if status is Status.FAILED else (None, "")
    return StatusUpdate(
        sender_ids=sender_ids,
        delivery_id=_uuid(item.get("biz_opaque_callback_data")),
        provider_message_id=message_id,
        status=status,
        occurred_at=_time(item.get("timestamp")),
        reason=reason,
        provider_code=code,
    )


def _failure(item: Json) -> tuple[FailureReason, str]:
    """Why it failed: the first error that we know, else the first at all."""
    codes = [code for error in objects(item.get("errors")) if (code := error_code(error)) is not None]
    known = next((code for code in codes if code in REASONS), None)
    if known is not None:
        return REASONS[known], str(known)
    return FailureReason.UNKNOWN, str(codes[0])[:20] if codes else ""


def _time(value: object) -> datetime:
    """Unix seconds, which Meta writes as a string. Raises Unreadable."""
    written = text(value)
    if not _SECONDS.fullmatch(written):
        raise Unreadable
    return datetime.fromtimestamp(int(written), UTC)


def _uuid(value: object) -> uuid.UUID | None:
    """Our delivery's id, as we gave it along; None for messages that we did not send."""
    try:
        return uuid.UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _value_errors(value: Json) -> list[Notice]:
    codes = [str(error_code(error)) for error in objects(value.get("errors"))]
    return [Notice(kind="errors", details={"codes": ", ".join(codes[:10])})] if codes else []


def _notices(change: Change) -> list[Notice]:
    """Words only: no number, no text that a person wrote."""
    if not change.kind:
        return []
    value = change.value
    found = {
        "state": value.get("event"),  # `event` is the log line's own name
        "template": value.get("message_template_name"),
        # Meta writes it with a hyphen here and with an underscore elsewhere.
        "language": text(value.get("message_template_language")).replace("-", "_"),
        "reason": value.get("reason"),
        "quality": value.get("new_quality_score"),
        "limit": value.get("max_daily_conversations_per_business"),
        "decision": value.get("decision"),
        "severity": an_object(value.get("alert_info")).get("alert_severity"),
        "restrictions": ", ".join(
            text(item.get("restriction_type")) for item in objects(value.get("restriction_info"))[:5]
        ),
    }
    details = {name: words for name, words in found.items() if isinstance(words, str) and _is_plain(words)}
    return [Notice(kind=change.kind if _WORD.fullmatch(change.kind) else "other", details=details)]


def _is_plain(words: str) -> bool:
    return all(_WORD.fullmatch(word) for word in words.split(", "))


def _list(value: Json, name: str) -> list[object]:
    found = value.get(name)
    return found if isinstance(found, list) else []
