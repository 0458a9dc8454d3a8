"""What Meta tells of templates later: events, approvals and dropped messages. Over real HTTP."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from channels import alerts
from channels.breaker import State
from channels.models import SenderHealth, SenderNotice
from events.models import EventType
from projects.config import ProjectConfig
from tests import factories
from tests.otp.template_trouble.support import (
    NAME,
    LogIn,
    hand_over,
    hand_over_event,
    hand_over_failure,
    languages_of,
    outcomes,
    sender_state,
)
from tests.simulator.support import Receiver
from tests.simulator_client import SimulatorClient


def test_meta_says_it_is_paused_before_a_login_fails(
    log_in: LogIn, meta: SimulatorClient, receiver: Receiver
) -> None:
    """P1: `message_template_status_update` marks a language, and clears it."""
    meta.set_template(NAME, "en", "PAUSED")
    hand_over_event(receiver)
    meta.set_template(NAME, "es_MX", "APPROVED")
    hand_over_event(receiver)

    assert languages_of(log_in("en")) == ["es_MX"]
    assert outcomes(meta) == [("accepted", None)]
    assert [str(item.problem) for item in alerts.current()] == [
        "The template one_time_password is paused or disabled in en"
    ]

    meta.set_template(NAME, "en", "APPROVED")
    hand_over_event(receiver)

    assert languages_of(log_in("en")) == ["en"]
    assert alerts.current() == []


def test_an_approval_ends_what_a_refused_login_began(
    log_in: LogIn, meta: SimulatorClient, receiver: Receiver
) -> None:
    log_in("es-MX")
    meta.set_template(NAME, "es_MX", "APPROVED")
    hand_over_event(receiver)

    assert languages_of(log_in("es-MX")) == ["es_MX"]


@pytest.mark.parametrize(
    ("field", "value", "word", "back"),
    [
        (
            "account_update",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}},
            "restricts the WhatsApp Business account (SCHEDULE_FOR_DISABLE)",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}},
        ),
        (
            "phone_number_quality_update",
            {"event": "FLAGGED", "display_phone_number": "15550100300"},
            "lowers the quality or the limit of a number of this account (FLAGGED)",
            {"event": "UNFLAGGED", "display_phone_number": "15550100300"},
        ),
        (
            "message_template_quality_update",
            {
                "new_quality_score": "YELLOW",
                "message_template_name": NAME,
                "message_template_language": "es-MX",
            },
            "The quality of the template one_time_password in es_MX is YELLOW",
            {
                "new_quality_score": "GREEN",
                "message_template_name": NAME,
                "message_template_language": "es-MX",
            },
        ),
    ],
)
def test_quality_and_account_events_become_alerts_with_a_remedy(
    field: str,
    value: dict[str, object],
    word: str,
    back: dict[str, object],
    project: ProjectConfig,
    meta: SimulatorClient,
    receiver: Receiver,
) -> None:
    """P1: on every page of the admin and at the project's URL; the opposite event ends them."""
    meta.account_event(field, value)
    hand_over_event(receiver)

    (alert,) = alerts.current()
    assert word in str(alert.problem)
    assert alert.remedy
    (told,) = [data for kind, data in factories.told() if kind == EventType.SENDER_ALERT]
    assert word in told["problem"]
    assert "1555010" not in str(told)

    meta.account_event(field, back)
    hand_over_event(receiver)

    assert alerts.current() == []
    assert [kind for kind, _ in factories.told()] == [EventType.SENDER_ALERT, EventType.SENDER_ALERT_OVER]


def test_an_event_that_another_secret_signed_changes_nothing(
    project: ProjectConfig, meta: SimulatorClient, receiver: Receiver
) -> None:
    """The set-up of the refusal is that of the success."""
    meta.set_template(NAME, "en", "PAUSED")
    item = receiver.wait(1)[0]
    forged = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
    answer = Client().post(item.path, item.body, content_type="application/json", headers=forged)

    assert answer.status_code == 401
    assert not SenderNotice.objects.exists()
    hand_over(item)
    assert SenderNotice.objects.filter(reason="template_paused").count() == 1


def test_an_approval_from_before_the_refusal_is_not_believed(
    log_in: LogIn, meta: SimulatorClient, receiver: Receiver
) -> None:
    """Meta repeats posts for days, in any order."""
    log_in("es-MX")
    hour_ago = int((timezone.now() - timedelta(hours=1)).timestamp())
    meta.set_template(NAME, "es_MX", "APPROVED", at=hour_ago)
    meta.set_template(NAME, "es_MX", "PAUSED", report=False)
    hand_over_event(receiver)

    log_in("es-MX")

    assert len(outcomes(meta)) == 3  # nobody asked Meta for es_MX again


def test_a_message_that_is_dropped_later_for_its_template_counts_for_the_language(
    log_in: LogIn, meta: SimulatorClient, receiver: Receiver
) -> None:
    """P1, portfolio pacing: Meta takes messages and fails them afterwards with 132015."""
    meta.set_template(NAME, "es_MX", "APPROVED", report=False)
    for _ in range(6):
        log_in("en")
    for nth in range(6):
        meta.report(f"+85251234{100 + nth}", channel="whatsapp", status="failed", code=132015)
        hand_over_failure(receiver)

    notice = SenderNotice.objects.get()
    assert (notice.language, notice.reason, notice.provider_code) == ("en", "template_paused", "132015")
    assert languages_of(log_in("en")) == ["es_MX"]
    assert sender_state() is State.CLOSED
    assert not SenderHealth.objects.exists()
