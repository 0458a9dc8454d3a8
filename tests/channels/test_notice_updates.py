"""What an event or a check changes in the notices of a sender, and whom it reaches."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from channels import alerts, notice_store
from channels.findings import TemplateSeen
from channels.models import Sender, SenderNotice
from channels.notice_store import NoticeChange
from channels.notices import NoticeUpdate, Subject, Topic
from channels.providers.meta import events
from channels.senders import senders
from channels.types import FailureReason, TemplateRefusal
from core import config_version
from projects.models import Project
from tests import factories
from tests.clock import later
from tests.fixtures.load import load

pytestmark = pytest.mark.django_db
F = FailureReason
NAME = "login_code"


@pytest.fixture
def sender() -> Sender:
    return factories.make_sender(
        "whatsapp", provider="meta", template_name=NAME, template_languages=["en", "es_MX"]
    )


def seen(
    sender: Sender, language: str, reason: FailureReason | None, *, ago: float = 0
) -> list[NoticeChange]:
    item = TemplateSeen(language=language, reason=reason, word="PAUSED" if reason else "")
    at = timezone.now() - timedelta(seconds=ago)
    return notice_store.templates_checked(sender.id, [item], at=at)


def refused(sender: Sender, *languages: str, reason: FailureReason = F.TEMPLATE_PAUSED) -> list[NoticeChange]:
    refusals = [TemplateRefusal(language=item, reason=reason, provider_code="132015") for item in languages]
    return notice_store.templates_refused(sender.id, refusals, at=timezone.now())


def update(sender: Sender, topic: Topic, reason: str = "", at: datetime | None = None) -> list[NoticeChange]:
    of_template = {"template": NAME, "language": "en"} if topic.is_of_template else {}
    item = NoticeUpdate(subject=Subject(topic=topic, **of_template), reason=reason, word=reason)
    return notice_store.account_event(sender.id, [item], at=at or timezone.now())


def usable(sender: Sender) -> tuple[str, ...]:
    loaded = senders.get()
    return loaded.template_languages(loaded.by_id[sender.id], now=timezone.now())


# Checks -----------------------------------------------------------------------------------------------


def test_a_check_that_sees_a_pause_skips_the_language_before_anybody_logs_in(sender: Sender) -> None:
    (item,) = seen(sender, "en", F.TEMPLATE_PAUSED)

    assert (item.notice.reason, item.notice.provider_code) == ("template_paused", "PAUSED")
    assert usable(sender) == ("es_MX",)


def test_a_check_that_sees_an_approval_ends_the_trouble(sender: Sender) -> None:
    refused(sender, "en")

    (item,) = seen(sender, "en", None)

    assert item.notice.reason == ""
    assert usable(sender) == ("en", "es_MX")


def test_a_check_that_sees_what_is_well_writes_nothing(sender: Sender) -> None:
    version = config_version.current()

    assert seen(sender, "en", None) == []
    assert not SenderNotice.objects.exists()
    assert config_version.current() == version


@pytest.mark.parametrize("language", ["fr", "", "en_US", "EN"])
def test_what_is_seen_of_a_language_that_is_not_the_senders_is_left_out(
    language: str, sender: Sender
) -> None:
    assert seen(sender, language, F.TEMPLATE_MISSING) == []
    assert not SenderNotice.objects.exists()


def test_a_language_is_found_in_both_spellings(sender: Sender) -> None:
    seen(sender, "es-MX", F.TEMPLATE_PAUSED)

    assert usable(sender) == ("en",)
    assert SenderNotice.objects.get().language == "es_MX"


def test_what_was_asked_before_a_refusal_does_not_end_it(sender: Sender) -> None:
    refused(sender, "en")

    assert seen(sender, "en", None, ago=30) == []
    assert usable(sender) == ("es_MX",)


# Refusals and successes -------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [F.TEMPLATE_MISSING, F.TEMPLATE_PAUSED, F.TEMPLATE_UNFIT])
def test_each_reason_of_a_template_is_kept_and_told(reason: FailureReason, sender: Sender) -> None:
    (item,) = refused(sender, "en", reason=reason)

    assert item.notice.reason == reason
    (alert,) = alerts.current()
    assert NAME in str(alert.problem)
    assert "en" in str(alert.problem)
    assert alert.provider_code == "132015"


def test_several_languages_of_one_send_are_one_change_for_other_processes(sender: Sender) -> None:
    before = config_version.current()

    assert len(refused(sender, "en", "es_MX")) == 2

    assert config_version.current() == before + 1


def test_a_message_that_went_out_ends_the_trouble_of_its_language_alone(sender: Sender) -> None:
    refused(sender, "en", "es_MX")

    (item,) = notice_store.template_works(sender.id, "es_MX", at=timezone.now())

    assert item.subject.language == "es_MX"
    assert usable(sender) == ("es_MX",)


def test_after_the_wait_the_language_is_tried_and_still_an_alert(sender: Sender) -> None:
    refused(sender, "en")

    with later(15 * 60 - 1):
        assert usable(sender) == ("es_MX",)
    with later(15 * 60):
        assert usable(sender) == ("en", "es_MX")
        assert len(alerts.current()) == 1


def test_the_state_is_kept_for_each_sender(sender: Sender) -> None:
    """Two projects with a template of one name, at two accounts."""
    project = Project.objects.create(slug="acme", name="Acme", is_default=True)
    other = factories.make_sender(
        "whatsapp", project, provider="meta", template_name=NAME, template_languages=["en", "es_MX"]
    )

    refused(sender, "en")
    update(sender, Topic.ACCOUNT, "DISABLE")

    assert usable(other) == ("en", "es_MX")
    assert not SenderNotice.objects.filter(sender=other).exists()


def test_a_sender_without_templates_has_no_state_of_any() -> None:
    sms = factories.make_sender("sms", provider="http", url="https://gateway.example/")

    assert refused(sms, "en") == []
    assert notice_store.template_works(sms.id, "en", at=timezone.now()) == []
    assert not SenderNotice.objects.exists()


def test_of_a_sender_that_was_deleted_nothing_is_kept(sender: Sender) -> None:
    sender.delete()
    gone = Sender(id=uuid.uuid4(), channel="whatsapp", provider="meta")

    for row in (sender, gone):
        row.id = row.id or uuid.uuid4()
        assert refused(row, "en") == []
        assert seen(row, "en", F.TEMPLATE_MISSING) == []
        assert update(row, Topic.ACCOUNT, "DISABLE") == []
    assert not SenderNotice.objects.exists()


# Events -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", [topic for topic in Topic if topic is not Topic.TEMPLATE])
def test_other_topics_are_shown_and_skip_nothing(topic: Topic, sender: Sender) -> None:
    (item,) = update(sender, topic, "RED")

    assert item.notice.reason == "RED"
    assert usable(sender) == ("en", "es_MX")
    assert len(alerts.current()) == 1
    assert [reason for _, _, reason in alerts.labels()] == ["RED"]

    (over,) = update(sender, topic)
    assert over.notice.reason == ""
    assert alerts.current() == []


@pytest.mark.parametrize("topic", [topic for topic in Topic if topic is not Topic.TEMPLATE])
def test_what_nobody_takes_back_ends_after_a_week(topic: Topic, sender: Sender) -> None:
    update(sender, topic, "RED")

    with later(7 * 24 * 3600 - 5):
        assert len(alerts.current()) == 1
    with later(7 * 24 * 3600 + 5):
        assert alerts.current() == []


def test_a_template_that_cannot_be_sent_stays_for_as_long_as_it_lasts(sender: Sender) -> None:
    refused(sender, "en")

    with later(30 * 24 * 3600):
        assert len(alerts.current()) == 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("template-status-update-paused", [("template", NAME, "es_MX", "template_paused", "PAUSED")]),
        ("template-status-update-disabled", [("template", NAME, "es_MX", "template_paused", "DISABLED")]),
        (
            "template-status-update-approved",  # remembered: a pause from before it may come later
            [("template", NAME, "es_MX", "", ""), ("template_risk", NAME, "es_MX", "", "")],
        ),
        ("template-quality-update", [("template_quality", NAME, "es_MX", "YELLOW", "YELLOW")]),
        ("phone-number-quality-update", []),  # a higher throughput
        ("account-update-restriction", [("account", "", "", "ACCOUNT_RESTRICTION", "ACCOUNT_RESTRICTION")]),
    ],
)
def test_the_captured_events_are_kept_by_what_they_are_about(
    name: str, kept: list[tuple[str, ...]], sender: Sender
) -> None:
    change: dict[str, Any] = load(f"webhooks/{name}.json")["entry"][0]["changes"][0]

    notice_store.account_event(sender.id, events.read(change["field"], change["value"]), at=timezone.now())

    rows = SenderNotice.objects.order_by("topic")
    columns = ("topic", "template", "language", "reason", "provider_code")
    assert list(rows.values_list(*columns)) == [(*item[:4], item[4][:20]) for item in kept]


def test_an_event_about_nothing_touches_no_row(sender: Sender) -> None:
    assert notice_store.account_event(sender.id, [], at=timezone.now()) == []
    assert not SenderNotice.objects.exists()


def test_one_post_may_hold_several(sender: Sender) -> None:
    value = {"event": "APPROVED", "message_template_name": NAME, "message_template_language": "en"}
    refused(sender, "en")
    update(sender, Topic.TEMPLATE_RISK, "FLAGGED")

    reported = notice_store.account_event(
        sender.id, events.read("message_template_status_update", value), at=timezone.now()
    )

    assert {item.subject.topic for item in reported} == {Topic.TEMPLATE, Topic.TEMPLATE_RISK}
    assert alerts.current() == []


def test_beginning_and_end_are_logged_with_what_they_are_about(sender: Sender) -> None:
    with capture_logs() as lines:
        refused(sender, "en")
        refused(sender, "en")
        notice_store.template_works(sender.id, "en", at=timezone.now())

    about = {"sender_id": str(sender.id), "topic": "template", "template": NAME, "language": "en"}
    assert lines == [
        {
            "event": "sender.notice",
            "log_level": "error",
            "reason": "template_paused",
            "provider_code": "132015",
            **about,
        },
        {"event": "sender.notice_over", "log_level": "warning", **about},
    ]
