"""The items of a Meta webhook in our words: status updates, disavowals, notices for the operator. Pure.

An item that cannot be read is left out and counted; the others go through. What we have no use for is left out too.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

from channels.notices import NoticeUpdate
from channels.providers.meta import events
from channels.providers.meta.codes import REASONS, error_code
from channels.samples import SampleUpdate, sample_id
from channels.types import FREE, Disavowal, FailureReason, Status, StatusUpdate
from webhooks.base import delivery_id
from webhooks.errors import Counts, LeftOut, Unreadable
from webhooks.meta.authentication import Change, Json, TrustedChange, an_object, objects, text

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
_LONGEST_CATEGORY = 32
_CATEGORY = re.compile(r"[a-z_]+")
_WORD = re.compile(r"[A-Za-z0-9_.\- ]{1,80}")

# Statuses and messages of one body. Meta puts at most 1,000 into one; what is beyond is counted and left out.
MOST_ITEMS = 2000
# Meta repeats what it could not post for seven days. A time from before that is none.
OLDEST = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What Meta says about an account, a template or the service as a whole: for the operator's eyes."""

    kind: str
    details: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class AccountEvent:
    """For the program: what `events.sender_events.account_event` takes."""

    sender_ids: tuple[uuid.UUID, ...]
    updates: Sequence[NoticeUpdate]
    at: datetime


@dataclass(kw_only=True)
class Items:
    """What a body comes to."""

    updates: list[StatusUpdate] = field(default_factory=list)
    samples: list[SampleUpdate] = field(default_factory=list)
    disavowals: list[Disavowal] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    account_events: list[AccountEvent] = field(default_factory=list)
    left_out: Counts = field(default_factory=Counts)


def translate(changes: Sequence[TrustedChange], *, now: datetime) -> Items:
    """Everything that an authenticated body says. `now` is when it arrived."""
    items, room, times = Items(), MOST_ITEMS, _Times(now)
    for trusted in changes:
        if trusted.change.kind != "messages":
            items.notices.extend(_notices(trusted.change))
            if trusted.change.kind:
                items.account_events.append(_account_event(trusted, times))
            continue
        items.notices.extend(_value_errors(trusted.change.value))
        value, sender_ids = trusted.change.value, trusted.sender_ids
        statuses, messages = _list(value, "statuses"), _list(value, "messages")
        taken = statuses[:room]
        _add_statuses(items, taken, sender_ids, times)
        room -= len(taken)
        _add_disavowals(items, messages[:room], sender_ids)
        items.left_out[LeftOut.BEYOND_LIMIT] += len(statuses) - len(taken) + len(messages[room:])
        room -= len(messages[:room])
    items.left_out = +items.left_out  # without zeros
    return items


def _add_statuses(
    items: Items, statuses: Sequence[object], sender_ids: tuple[uuid.UUID, ...], times: "_Times"
) -> None:
    for item in statuses:
        try:
            update = _status_update(item, sender_ids, times)
        except Unreadable:
            items.left_out[LeftOut.UNREADABLE] += 1
            continue
        if update is None:
            continue
        # What names no delivery of ours may name a sample that staff sent.
        sample = None if update.delivery_id else sample_id(an_object(item).get("biz_opaque_callback_data"))
        if sample is None:
            items.updates.append(update)
        else:
            items.samples.append(_sample_update(sample, update))


def _sample_update(sample: uuid.UUID, update: StatusUpdate) -> SampleUpdate:
    return SampleUpdate(
        sample_id=sample,
        sender_ids=update.sender_ids,
        status=update.status,
        at=update.occurred_at,
        reason=update.reason.value if update.reason else "",
        code=update.provider_code,
    )


def _add_disavowals(items: Items, messages: Sequence[object], sender_ids: tuple[uuid.UUID, ...]) -> None:
    for item in objects(messages):
        if an_object(item.get("button")).get("payload") != DISAVOWAL_PAYLOAD:
            continue
        message_id = an_object(item.get("context")).get("id")
        if isinstance(message_id, str) and _ID.fullmatch(message_id):
            items.disavowals.append(Disavowal(sender_ids=sender_ids, provider_message_id=message_id))
        else:
            items.left_out[LeftOut.UNREADABLE] += 1


def _status_update(item: object, sender_ids: tuple[uuid.UUID, ...], times: "_Times") -> StatusUpdate | None:
    """None for a status that we have no use for. Raises Unreadable. By position: a batch makes a thousand."""
    if not isinstance(item, dict):
        raise Unreadable
    word = item.get("status")
    status = STATUSES.get(word) if isinstance(word, str) else None
    if status is None:
        return None
    message_id = item.get("id")
    if not isinstance(message_id, str) or not _ID.fullmatch(message_id):
        raise Unreadable
    reason, code = _failure(item) if status is Status.FAILED else (None, "")
    ours, at = delivery_id(item.get("biz_opaque_callback_data")), times[text(item.get("timestamp"))]
    return StatusUpdate(
        sender_ids, ours, message_id, status, at, reason, code, _price_category(item.get("pricing"))
    )


def _price_category(pricing: object) -> str:
    """What it is billed as; "": not stated."""
    if not isinstance(pricing, dict):
        return ""
    if pricing.get("billable") is False:
        return FREE
    category = pricing.get("category")
    return _category(category) if isinstance(category, str) and len(category) <= _LONGEST_CATEGORY else ""


@lru_cache(maxsize=128)
def _category(written: str) -> str:
    """`authentication`, `authentication_international` …, which Meta writes with a hyphen or an underscore. What cannot
    be one is not stated: a report is worth more than its price."""
    category = written.lower().replace("-", "_")
    return category if _CATEGORY.fullmatch(category) else ""


def _failure(item: Json) -> tuple[FailureReason, str]:
    """Why it failed: the first error that we know, else the first at all."""
    errors = objects(_list(item, "errors")[:10])
    codes = [code for error in errors if (code := error_code(error)) is not None]
    known = next((code for code in codes if code in REASONS), None)
    if known is not None:
        return REASONS[known], str(known)
    return FailureReason.UNKNOWN, str(codes[0])[:20] if codes else ""


class _Times(dict[str, datetime]):
    """What Meta writes as times in one body, which arrived at `now`: Unix seconds, as a string. Without a time that can
    be right, that of arrival: what happened matters more than when. The reports of a batch share a few seconds."""

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self._now = now

    def __missing__(self, written: str) -> datetime:
        at = self[written] = self._time(written)
        return at

    def _time(self, written: str) -> datetime:
        if not _SECONDS.fullmatch(written):
            return self._now
        at = datetime.fromtimestamp(int(written), UTC)
        return at if self._now - OLDEST <= at <= self._now else self._now


def _value_errors(value: Json) -> list[Notice]:
    codes = [str(error_code(error)) for error in objects(_list(value, "errors")[:10])]
    return [Notice(kind="errors", details={"codes": ", ".join(codes)})] if codes else []


def _notices(change: Change) -> list[Notice]:
    """Words only: no number, no text that a person wrote."""
    if not change.kind:
        return []
    value = change.value
    fields = {
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
    details = {name: words for name, words in fields.items() if isinstance(words, str) and _is_plain(words)}
    return [Notice(kind=change.kind if _WORD.fullmatch(change.kind) else "other", details=details)]


def _account_event(trusted: TrustedChange, times: _Times) -> AccountEvent:
    change = trusted.change
    return AccountEvent(
        sender_ids=trusted.sender_ids,
        updates=events.read(change.kind, change.value),
        at=times[change.at],
    )


def _is_plain(words: str) -> bool:
    return all(_WORD.fullmatch(word) for word in words.split(", "))


def _list(value: Json, name: str) -> list[object]:
    items = value.get(name)
    return items if isinstance(items, list) else []
