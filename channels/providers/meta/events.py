"""Meta's events of accounts and templates in our words: what ends, what begins, of what. Pure.

The fields are those of Meta's webhook reference. Words that we do not know say nothing.
"""

from collections.abc import Collection, Mapping
from typing import Any

from channels.notices import NoticeUpdate, Subject, Topic, normal_language
from channels.types import FailureReason

_LONGEST_NAME, _LONGEST_WORD = 512, 40

# message_template_status_update: what can no longer be sent. PENDING and LOCKED say nothing about what was approved.
_CANNOT_BE_SENT: Mapping[str, FailureReason] = {
    "REJECTED": FailureReason.TEMPLATE_MISSING,
    "IN_APPEAL": FailureReason.TEMPLATE_MISSING,
    "PAUSED": FailureReason.TEMPLATE_PAUSED,
    "DISABLED": FailureReason.TEMPLATE_PAUSED,
    "LIMIT_EXCEEDED": FailureReason.TEMPLATE_PAUSED,
    "ARCHIVED": FailureReason.TEMPLATE_MISSING,
    "PENDING_DELETION": FailureReason.TEMPLATE_MISSING,
    "DELETED": FailureReason.TEMPLATE_MISSING,
}
_CAN_BE_SENT = frozenset({"APPROVED", "REINSTATED", "UNARCHIVED", "UNPAUSED"})
# What warns of an end, and what takes the warning back.
_FLAGGED, _UNFLAGGED = frozenset({"FLAGGED"}), frozenset({"REINSTATED", "UNFLAGGED", "APPROVED"})
# account_update, besides DISABLED_UPDATE
_ACCOUNT_BAD = frozenset({"ACCOUNT_VIOLATION", "ACCOUNT_RESTRICTION", "ACCOUNT_DELETED"})
_BANS = frozenset({"SCHEDULE_FOR_DISABLE", "DISABLE"})
_SEVERE = frozenset({"WARNING", "CRITICAL"})


def read(kind: str, value: Mapping[str, Any]) -> list[NoticeUpdate]:
    """What an event of this webhook field tells; nothing for fields and words that need no operator."""
    if kind in _ONE_WORD:
        name, topic, bad, good = _ONE_WORD[kind]
        return _either(_subject(value, topic), _word(value, name), bad=bad, good=good)
    reader = _READERS.get(kind)
    return reader(value) if reader else []


def _template_status(value: Mapping[str, Any]) -> list[NoticeUpdate]:
    event, title = _word(value, "event"), _word(_object(value, "other_info"), "title")
    if title == "UNPAUSE":
        event = "UNPAUSED"
    sendable, risk = _subject(value, Topic.TEMPLATE), _subject(value, Topic.TEMPLATE_RISK)
    updates = []
    if event in _CANNOT_BE_SENT:
        updates.append(NoticeUpdate(subject=sendable, reason=_CANNOT_BE_SENT[event], word=event))
    elif event in _CAN_BE_SENT:
        updates.append(NoticeUpdate(subject=sendable))
    return updates + _either(risk, event, bad=_FLAGGED, good=_UNFLAGGED)


def _template_category(value: Mapping[str, Any]) -> list[NoticeUpdate]:
    """`correct_category` warns of a change to come, `new_category` alone is one that was made."""
    category = _word(value, "correct_category") or _word(value, "new_category")
    subject = _subject(value, Topic.TEMPLATE_CATEGORY)
    if not category:
        return []
    if category == "AUTHENTICATION":
        return [NoticeUpdate(subject=subject)]
    return [NoticeUpdate(subject=subject, reason=category, word=category)]


def _account(value: Mapping[str, Any]) -> list[NoticeUpdate]:
    subject, event = Subject(topic=Topic.ACCOUNT), _word(value, "event")
    if event == "DISABLED_UPDATE":
        ban = _word(_object(value, "ban_info"), "waba_ban_state")
        return _either(subject, ban, bad=_BANS, good={"REINSTATE"})
    return _either(subject, event, bad=_ACCOUNT_BAD, good={"ACCOUNT_REINSTATED"})


def _account_alert(value: Mapping[str, Any]) -> list[NoticeUpdate]:
    subject, info = Subject(topic=Topic.ACCOUNT_ALERT), _object(value, "alert_info")
    if _word(info, "alert_status") in ("RESOLVED", "NONE"):
        return [NoticeUpdate(subject=subject)]
    if _word(info, "alert_severity") not in _SEVERE:
        return []
    kind = _word(info, "alert_type") or "ALERT"
    return [NoticeUpdate(subject=subject, reason=kind, word=kind)]


# Fields of which one word says all: its name, what it is about, and which words are bad and good.
_ONE_WORD: Mapping[str, tuple[str, Topic, set[str], set[str]]] = {
    "message_template_quality_update": (
        "new_quality_score", Topic.TEMPLATE_QUALITY, {"RED", "YELLOW"}, {"GREEN", "UNKNOWN"},
    ),
    "phone_number_quality_update": (
        "event", Topic.NUMBER_QUALITY, {"FLAGGED", "DOWNGRADE"}, {"UNFLAGGED", "UPGRADE"},
    ),
    "phone_number_name_update": ("decision", Topic.DISPLAY_NAME, {"REJECTED", "DECLINED"}, {"APPROVED"}),
    "account_review_update": ("decision", Topic.ACCOUNT_REVIEW, {"REJECTED"}, {"APPROVED"}),
}  # fmt: skip
_READERS = {
    "message_template_status_update": _template_status,
    "template_category_update": _template_category,
    "account_update": _account,
    "account_alerts": _account_alert,
}


def _either(
    subject: Subject, word: str, *, bad: Collection[str], good: Collection[str]
) -> list[NoticeUpdate]:
    if word in bad:
        return [NoticeUpdate(subject=subject, reason=word, word=word)]
    return [NoticeUpdate(subject=subject)] if word in good else []


def _subject(value: Mapping[str, Any], topic: Topic) -> Subject:
    if not topic.is_of_template:
        return Subject(topic=topic)
    name, language = value.get("message_template_name"), value.get("message_template_language")
    return Subject(
        topic=topic,
        template=name[:_LONGEST_NAME] if isinstance(name, str) else "",
        language=normal_language(language) if isinstance(language, str) else "",
    )


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    item = value.get(name)
    return item if isinstance(item, dict) else {}


def _word(value: Mapping[str, Any], name: str) -> str:
    item = value.get(name)
    return item.upper()[:_LONGEST_WORD] if isinstance(item, str) else ""
