"""What an operator is told of senders: the words, the order, and which trouble is shown at all."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels import alerts, health, report_counts
from channels.breaker import Source
from channels.models import Sender, SenderHealth, SenderNotice, SenderReports
from channels.notices import Notice, Subject, Topic
from channels.providers import PROVIDERS
from channels.types import Channel, FailureReason
from projects.models import Project
from tests import factories

F = FailureReason
MINUTE = timedelta(minutes=1)


def whatsapp(project: Project | None = None, **fields: Any) -> Sender:
    known = {"provider": "meta", "template_name": "login_code", "template_languages": ["en"]}
    return factories.make_sender("whatsapp", project, **(known | fields))


def own_project() -> Project:
    return Project.objects.get(id=factories.make_project(senders=False).id)


# Words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "reason", "code", "problem"),
    [
        ("meta", F.MISCONFIGURED, "190", "The access token is expired or not valid"),
        ("meta", F.MISCONFIGURED, "104", "The access token is expired or not valid"),
        ("meta", F.MISCONFIGURED, "133010", "The phone number is not registered with the Cloud API"),
        ("meta", F.MISCONFIGURED, "20003", "The provider refuses this sender"),
        ("twilio", F.MISCONFIGURED, "20003", "The account SID or the auth token is wrong"),
        ("twilio", F.MISCONFIGURED, "190", "The provider refuses this sender"),
        ("vonage", F.MISCONFIGURED, "unauthorized", "The API key or the API secret is wrong"),
        ("vonage", F.MISCONFIGURED, "http-401", "The API key or the API secret is wrong"),
        ("http", F.MISCONFIGURED, "not-public", "The gateway's address is not a public one"),
        ("http", F.MISCONFIGURED, "http-401", "The provider refuses this sender"),
        ("http", F.UNAVAILABLE, "", "The provider does not answer, or answers with errors"),
        ("twilio", F.PAYMENT, "", "The provider cannot charge the account"),
        ("twilio", F.ACCOUNT_BLOCKED, "30002", "The provider has restricted the account"),
        ("meta", F.HELD, "", "The provider takes messages but holds them back"),
        ("http", F.UNKNOWN, "", "The provider refuses one message after the other, and its code does not say why"),
        ("http", F.BAD_REQUEST, "", "The provider refuses one message after the other, and its code does not say why"),
        ("http", "", "", "The provider refuses one message after the other, and its code does not say why"),
        ("http", F.CRASHED, "", "Messages fail"),
        ("newer", F.MISCONFIGURED, "190", "The provider refuses this sender"),
        ("meta", "a_reason_of_a_newer_version", "", "Messages fail"),
    ],
)  # fmt: skip
def test_the_problem_by_provider_reason_and_code(provider: str, reason: str, code: str, problem: str) -> None:
    words = alerts.words(provider=provider, reason=reason, provider_code=code)

    assert str(words[0]) == problem
    assert str(words[1])


@pytest.mark.parametrize("provider", list(PROVIDERS))
@pytest.mark.parametrize("reason", F)
def test_every_reason_has_a_problem_and_a_remedy_for_every_provider(
    provider: str, reason: FailureReason
) -> None:
    problem, remedy = alerts.words(provider=provider, reason=reason, provider_code="")

    assert str(problem)
    assert str(remedy).endswith(".")


@pytest.mark.parametrize("name", list(PROVIDERS))
def test_a_code_with_words_of_its_own_is_one_that_raises_an_alert(name: str) -> None:
    """Words that are never shown are a mistake in the table."""
    for code, (problem, remedy) in PROVIDERS[name].words_by_code.items():
        assert 0 < len(code) <= 20
        assert str(problem) != str(remedy)
        assert alerts.words(provider=name, reason=F.MISCONFIGURED, provider_code=code)[0] == problem


@pytest.mark.parametrize(
    ("provider", "refused", "word"),
    [
        ("meta", False, "Meta's reports do not arrive"),
        ("meta", True, "carry a signature that this app secret does not match"),
        ("twilio", False, "do not arrive"),
        ("twilio", True, "this auth token does not match"),
        ("vonage", True, "this signature secret does not match"),
        ("http", False, "The gateway's reports do not arrive any more"),
        ("http", True, "this signing secret does not match"),
        ("memory", False, "Messages fail"),
        ("newer", True, "Messages fail"),
    ],
)
def test_the_words_for_missing_reports(provider: str, refused: bool, word: str) -> None:
    problem, remedy = alerts.report_words(provider=provider, refused=refused)

    assert word in str(problem)
    assert str(remedy)


@pytest.mark.parametrize(
    ("provider", "word"),
    [("meta", "login_code is paused"), ("http", "Messages fail"), ("newer", "Messages fail")],
)
def test_the_words_for_a_template(provider: str, word: str) -> None:
    subject = Subject(topic=Topic.TEMPLATE, template="login_code", language="en")
    problem, _ = alerts.notice_words(
        Sender(channel="whatsapp", provider=provider), subject, Notice(reason="template_paused")
    )

    assert word in str(problem)


# Current ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_without_trouble_there_is_nothing_to_say() -> None:
    sender = whatsapp()
    SenderHealth.objects.create(sender=sender, alert=False, reason="unavailable")
    SenderReports.objects.create(sender=sender)
    SenderNotice.objects.create(sender=sender, topic="template", template="login_code", language="en")

    assert alerts.current() == []
    assert alerts.labels() == []


@pytest.mark.django_db
def test_each_kind_of_trouble_is_an_alert_of_its_own_oldest_first() -> None:
    sender, now = whatsapp(), timezone.now()
    SenderHealth.objects.create(
        sender=sender, alert=True, reason="misconfigured", provider_code="190", since=now - 2 * MINUTE
    )
    SenderReports.objects.create(sender=sender, missing_since=now - 3 * MINUTE)
    SenderNotice.objects.create(
        sender=sender,
        topic="template",
        template="login_code",
        language="en",
        reason="template_paused",
        provider_code="132015",
        since=now - MINUTE,
    )

    shown = alerts.current()

    assert [item.since for item in shown] == [now - number * MINUTE for number in (3, 2, 1)]
    assert [item.provider_code for item in shown] == ["", "190", "132015"]
    assert {(item.sender_id, item.sender, item.channel) for item in shown} == {
        (sender.id, "Shared · WhatsApp", Channel.WHATSAPP)
    }
    assert alerts.labels() == [
        (sender.id, "whatsapp", "misconfigured"),
        (sender.id, "whatsapp", "reports_missing"),
        (sender.id, "whatsapp", "template_paused"),
    ]


@pytest.mark.django_db
def test_an_alert_whose_beginning_is_not_known_comes_last() -> None:
    old, unknown = whatsapp(), factories.make_sender("sms")
    SenderHealth.objects.create(sender=unknown, alert=True, reason="payment", since=None)
    SenderHealth.objects.create(sender=old, alert=True, reason="payment", since=timezone.now() - MINUTE)

    assert [item.sender_id for item in alerts.current()] == [old.id, unknown.id]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("opened_by", "seconds", "skipped"),
    [("", None, False), ("call", 60, True), ("call", -60, True), ("report", 60, True), ("call", None, False)],
)
def test_it_says_whether_new_logins_pass_the_sender_by(
    opened_by: str, seconds: int | None, skipped: bool
) -> None:
    """A sender that waits for its probe is not used as usual either."""
    until = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    SenderHealth.objects.create(
        sender=whatsapp(), alert=True, reason="payment", opened_by=opened_by, open_until=until
    )

    (alert,) = alerts.current()

    assert alert.skipped is skipped


@pytest.mark.django_db
def test_a_sender_that_is_switched_off_is_nobodys_trouble_of_any_kind() -> None:
    sender, now = whatsapp(is_active=False), timezone.now()
    SenderHealth.objects.create(sender=sender, alert=True, reason="payment", since=now)
    SenderReports.objects.create(sender=sender, missing_since=now)
    SenderNotice.objects.create(sender=sender, topic="account", reason="DISABLE", since=now)

    assert (alerts.current(), alerts.labels()) == ([], [])


@pytest.mark.django_db
def test_a_sender_of_a_project_is_named_by_it() -> None:
    sender = whatsapp(own_project())
    health.failed(sender.id, source=Source.CALL, reason=F.MISCONFIGURED, provider_code="10")

    (alert,) = alerts.current()

    assert alert.sender == "Acme · WhatsApp"
    assert alert.provider_code == "10"


@pytest.mark.django_db
def test_a_row_of_a_newer_version_takes_no_page_with_it() -> None:
    """Rolled back: provider, reason and topic are of a version that this one does not know."""
    row, now = Sender.objects.create(channel="sms", provider="newer"), timezone.now()
    SenderHealth.objects.create(sender=row, alert=True, reason="a_newer_reason", since=now)
    SenderNotice.objects.create(sender=row, topic="a_newer_topic", reason="BAD", since=now)

    (alert,) = alerts.current()

    assert str(alert.problem) == "Messages fail"
    assert alerts.labels() == [(row.id, "sms", "a_newer_reason")]


@pytest.mark.django_db
@pytest.mark.parametrize(("refused", "word"), [(True, "signature"), (False, "do not arrive")])
def test_missing_reports_are_explained_by_what_was_refused(refused: bool, word: str) -> None:
    sender, now = whatsapp(), timezone.now()
    if refused:
        report_counts.refused([sender.id], now=now - MINUTE)
    report_counts.went_missing(sender.id, first=now - 5 * MINUTE, now=now)

    (alert,) = alerts.current()

    assert word in str(alert.problem)
    assert (alert.since, alert.skipped) == (now, False)


@pytest.mark.django_db
def test_the_same_reason_twice_is_one_label() -> None:
    """Prometheus takes no label twice."""
    sender, now = whatsapp(template_languages=["en", "es"]), timezone.now()
    for language in ("en", "es"):
        SenderNotice.objects.create(
            sender=sender, topic="template", language=language, reason="template_paused", since=now
        )

    assert alerts.labels() == [(sender.id, "whatsapp", "template_paused")]
    assert len(alerts.current()) == 2
