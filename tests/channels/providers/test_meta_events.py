"""Meta's events of accounts and templates: which begin a notice, which end it, which need nobody (P1)."""

from typing import Any

import pytest

from channels.notices import Notice, NoticeUpdate, Subject, Topic
from channels.providers.meta import texts
from channels.providers.meta.events import read
from tests.fixtures.load import load

T = Topic
STATUS, QUALITY = "message_template_status_update", "message_template_quality_update"


def told(kind: str, **value: Any) -> list[tuple[Topic, str]]:
    template = {"message_template_name": "login_code", "message_template_language": "es-MX"}
    return [(item.subject.topic, item.reason) for item in read(kind, template | value)]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("PAUSED", "template_paused"),
        ("DISABLED", "template_paused"),
        ("LIMIT_EXCEEDED", "template_paused"),
        ("REJECTED", "template_missing"),
        ("IN_APPEAL", "template_missing"),
        ("ARCHIVED", "template_missing"),
        ("PENDING_DELETION", "template_missing"),
        ("DELETED", "template_missing"),
        ("paused", "template_paused"),
    ],
)
def test_a_template_that_cannot_be_sent_any_more(event: str, reason: str) -> None:
    assert told(STATUS, event=event) == [(T.TEMPLATE, reason)]


@pytest.mark.parametrize("event", ["APPROVED", "REINSTATED"])
def test_a_template_that_can_be_sent_again_and_is_no_longer_at_risk(event: str) -> None:
    assert told(STATUS, event=event) == [(T.TEMPLATE, ""), (T.TEMPLATE_RISK, "")]


def test_other_words_for_good_news() -> None:
    assert told(STATUS, event="UNARCHIVED") == [(T.TEMPLATE, "")]
    assert told(STATUS, event="PAUSED", other_info={"title": "UNPAUSE"}) == [(T.TEMPLATE, "")]


def test_a_template_at_risk_is_still_sent() -> None:
    assert told(STATUS, event="FLAGGED") == [(T.TEMPLATE_RISK, "FLAGGED")]


@pytest.mark.parametrize("event", ["PENDING", "LOCKED", "SOMETHING_NEW", "", None, 5, {}])
def test_what_says_nothing_about_sending_changes_nothing(event: object) -> None:
    assert told(STATUS, event=event) == []


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (QUALITY, {"new_quality_score": "RED"}, [(T.TEMPLATE_QUALITY, "RED")]),
        (QUALITY, {"new_quality_score": "YELLOW"}, [(T.TEMPLATE_QUALITY, "YELLOW")]),
        (QUALITY, {"new_quality_score": "GREEN"}, [(T.TEMPLATE_QUALITY, "")]),
        ("template_category_update", {"new_category": "MARKETING"}, [(T.TEMPLATE_CATEGORY, "MARKETING")]),
        ("template_category_update", {"new_category": "AUTHENTICATION"}, [(T.TEMPLATE_CATEGORY, "")]),
        (
            "template_category_update",
            {"new_category": "AUTHENTICATION", "correct_category": "UTILITY"},
            [(T.TEMPLATE_CATEGORY, "UTILITY")],
        ),
        ("template_category_update", {}, []),
        ("phone_number_quality_update", {"event": "FLAGGED"}, [(T.NUMBER_QUALITY, "FLAGGED")]),
        ("phone_number_quality_update", {"event": "DOWNGRADE"}, [(T.NUMBER_QUALITY, "DOWNGRADE")]),
        ("phone_number_quality_update", {"event": "UNFLAGGED"}, [(T.NUMBER_QUALITY, "")]),
        ("phone_number_quality_update", {"event": "THROUGHPUT_UPGRADE"}, []),
        ("phone_number_name_update", {"decision": "REJECTED"}, [(T.DISPLAY_NAME, "REJECTED")]),
        ("phone_number_name_update", {"decision": "APPROVED"}, [(T.DISPLAY_NAME, "")]),
        ("account_update", {"event": "ACCOUNT_VIOLATION"}, [(T.ACCOUNT, "ACCOUNT_VIOLATION")]),
        ("account_update", {"event": "ACCOUNT_DELETED"}, [(T.ACCOUNT, "ACCOUNT_DELETED")]),
        (
            "account_update",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
            [(T.ACCOUNT, "DISABLE")],
        ),
        (
            "account_update",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}},
            [(T.ACCOUNT, "")],
        ),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": "DISABLE"}, []),
        ("account_update", {"event": "VOLUME_BASED_PRICING_TIER_UPDATE"}, []),
        ("account_review_update", {"decision": "REJECTED"}, [(T.ACCOUNT_REVIEW, "REJECTED")]),
        (
            "account_alerts",
            {"alert_info": {"alert_severity": "CRITICAL", "alert_type": "INCREASED_CAPABILITIES"}},
            [(T.ACCOUNT_ALERT, "INCREASED_CAPABILITIES")],
        ),
        ("account_alerts", {"alert_info": {"alert_severity": "WARNING"}}, [(T.ACCOUNT_ALERT, "ALERT")]),
        ("account_alerts", {"alert_info": {"alert_severity": "INFORMATIONAL"}}, []),
        (
            "account_alerts",
            {"alert_info": {"alert_severity": "CRITICAL", "alert_status": "RESOLVED"}},
            [(T.ACCOUNT_ALERT, "")],
        ),
        ("business_capability_update", {"event": "PAUSED"}, []),
        ("", {"event": "PAUSED"}, []),
    ],
)
def test_each_field(kind: str, value: dict[str, Any], expected: list[tuple[Topic, str]]) -> None:
    assert told(kind, **value) == expected


def test_template_and_language_are_named_in_one_spelling() -> None:
    (item,) = read(
        STATUS, load("webhooks/template-status-update-paused.json")["entry"][0]["changes"][0]["value"]
    )
    subject = Subject(topic=T.TEMPLATE, template="login_code", language="es_MX")
    assert item == NoticeUpdate(subject=subject, reason="template_paused", word="PAUSED")

    assert read(STATUS, {"event": "PAUSED", "message_template_name": 5})[0].subject == Subject(
        topic=T.TEMPLATE
    )


@pytest.mark.parametrize("topic", Topic)
def test_every_topic_has_a_problem_and_a_remedy_that_name_what_they_are_about(topic: Topic) -> None:
    """P1: the alert names template and language."""
    subject = Subject(topic=topic, template="login_code" if topic.is_of_template else "", language="es_MX")

    problem, remedy = texts.words(subject, Notice(reason="RED"))

    assert remedy
    assert "{" not in problem + remedy
    if topic.is_of_template:
        assert "login_code" in problem
        assert "es_MX" in problem
    else:
        assert "RED" in problem
