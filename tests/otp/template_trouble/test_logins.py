"""P1: trouble of a template belongs to (sender, template, language). Over real HTTP: the simulator plays Meta."""

import pytest
from django.utils import timezone

from channels import alerts
from channels.breaker import State
from channels.models import Sender, SenderHealth, SenderNotice
from channels.types import Channel, FailureReason, Status
from events.models import EventType
from projects.config import ProjectConfig, projects
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.otp.conftest import QueuedTasks, Start
from tests.otp.template_trouble.support import (
    NAME,
    LogIn,
    languages_of,
    make_sender,
    outcomes,
    sender_state,
    went_by,
)
from tests.simulator_client import SimulatorClient
from tests.statements import statements

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


def test_people_whose_language_is_paused_get_another_one_by_whatsapp_at_once(
    log_in: LogIn, meta: SimulatorClient
) -> None:
    """P1, the scenario: six logins in es-MX, then an English one, then a Swahili one."""
    spanish = [log_in("es-MX") for _ in range(6)]
    english, swahili = log_in("en"), log_in("sw")

    for challenge_id in (*spanish, english, swahili):
        assert went_by(challenge_id) == [(WHATSAPP, Status.ACCEPTED)]
        assert languages_of(challenge_id) == ["en"]
    # One call too many for each language in trouble, and no more.
    assert outcomes(meta) == [
        ("refused", 132015),
        *[("accepted", None)] * 7,
        ("refused", 132001),
        ("accepted", None),
    ]
    assert sender_state() is State.CLOSED
    assert not SenderHealth.objects.exists()


def test_the_alert_names_template_and_language_and_every_page_and_project_is_told(log_in: LogIn) -> None:
    """P1."""
    log_in("es-MX")
    log_in("es-MX")
    log_in("sw")

    told = [(str(item.problem), item.provider_code, item.skipped) for item in alerts.current()]
    assert told == [
        ("The template one_time_password is paused or disabled in es_MX", "132015", False),
        ("The template one_time_password does not exist in sw, or is not approved", "132001", False),
    ]
    assert all(item.remedy for item in alerts.current())
    data = [item for kind, item in factories.told() if kind == EventType.SENDER_ALERT]
    named = [(item["template"], item["language"], item["reason"], item["provider_code"]) for item in data]
    assert named == [(NAME, "es_MX", "template_paused", "132015"), (NAME, "sw", "template_missing", "132001")]
    assert data[0]["problem"] == told[0][0]
    assert {reason for _, channel, reason in alerts.labels()} == {"template_paused", "template_missing"}


@pytest.mark.parametrize(
    ("state", "code"), [("PAUSED", 132015), ("DISABLED", 132016), ("REJECTED", 132001), ("DELETED", 132001)]
)
def test_whatever_is_wrong_with_a_template_another_language_goes(
    state: str, code: int, log_in: LogIn, meta: SimulatorClient
) -> None:
    """P1: other members of the kind, and the language of the whole installation among them."""
    meta.set_template(NAME, "en", state, report=False)
    meta.set_template(NAME, "es_MX", "APPROVED", report=False)

    challenge_ids = [log_in("en"), log_in("en")]

    assert [went_by(item) for item in challenge_ids] == [[(WHATSAPP, Status.ACCEPTED)]] * 2
    assert [languages_of(item) for item in challenge_ids] == [["es_MX"]] * 2
    assert outcomes(meta) == [("refused", code), ("accepted", None), ("accepted", None)]


def test_the_same_base_language_is_preferred(
    start: Start, queued: QueuedTasks, meta: SimulatorClient
) -> None:
    Sender.objects.get(channel="whatsapp").delete()
    make_sender(["en", "fr", "es_MX", "es"])

    challenge_id = start(language="es-MX")
    queued.run()

    assert languages_of(challenge_id) == ["es"]


def test_one_more_call_and_then_the_next_channel(log_in: LogIn, meta: SimulatorClient) -> None:
    """P1: at most one extra call; what it has learnt helps the next person."""
    meta.set_template(NAME, "en", "PAUSED", report=False)  # all three are in trouble now

    first = log_in("es-MX")

    assert went_by(first) == [(WHATSAPP, Status.FAILED), (SMS, Status.ACCEPTED)]
    assert factories.deliveries(first)[0].reason == FailureReason.TEMPLATE_PAUSED
    assert outcomes(meta) == [("refused", 132015)] * 2

    assert went_by(log_in("es-MX")) == [(WHATSAPP, Status.FAILED), (SMS, Status.ACCEPTED)]
    assert len(outcomes(meta)) == 3  # sw alone was left to try
    assert went_by(log_in("es-MX")) == [(SMS, Status.ACCEPTED)]  # none is left: WhatsApp is passed over
    assert len(outcomes(meta)) == 3


def test_what_was_planned_before_all_were_in_trouble_is_not_sent_to_meta(
    start: Start, queued: QueuedTasks, meta: SimulatorClient
) -> None:
    challenge_id = start(language="en")
    skip("en", "es_MX", "sw")
    queued.run()

    assert went_by(challenge_id) == [(WHATSAPP, Status.FAILED), (SMS, Status.ACCEPTED)]
    assert factories.deliveries(challenge_id)[0].reason == FailureReason.SKIPPED
    assert outcomes(meta) == []


def skip(*languages: str) -> None:
    from channels import notice_store
    from channels.types import TemplateRefusal

    refusals = [TemplateRefusal(language=item, reason=FailureReason.TEMPLATE_PAUSED) for item in languages]
    notice_store.templates_refused(Sender.objects.get(channel="whatsapp").id, refusals, at=timezone.now())


@pytest.mark.parametrize("fields", [{"verify_phone_by": "whatsapp_only"}, {"fallback_enabled": False}])
def test_without_another_channel_it_is_tried_all_the_same(
    fields: dict[str, object], project: ProjectConfig, log_in: LogIn, meta: SimulatorClient
) -> None:
    """As with an open breaker: a call is the only hope that is left. What works again is seen by it."""
    row = LoginMethods.objects.get()
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    skip("en", "es_MX", "sw")

    challenge_id = log_in("en", project=projects.get().by_id[project.id])

    assert went_by(challenge_id) == [(WHATSAPP, Status.ACCEPTED)]
    assert SenderNotice.objects.get(language="en").reason == ""


def test_fifteen_minutes_later_the_language_is_tried_again(log_in: LogIn, meta: SimulatorClient) -> None:
    log_in("es-MX")
    with later(14 * 60):
        log_in("es-MX")
        assert len(outcomes(meta)) == 3
    meta.set_template(NAME, "es_MX", "APPROVED", report=False)

    with later(15 * 60 + 1):
        challenge_id = log_in("es-MX")

        assert languages_of(challenge_id) == ["es_MX"]
        assert alerts.current() == []
        assert [kind for kind, _ in factories.told() if kind.startswith("sender.")] == [
            "sender.alert",
            "sender.alert_over",
        ]


def test_a_template_that_is_still_paused_is_skipped_again(log_in: LogIn, meta: SimulatorClient) -> None:
    log_in("es-MX")
    with later(15 * 60 + 1):
        assert languages_of(log_in("es-MX")) == ["en"]
        assert languages_of(log_in("es-MX")) == ["en"]
    assert len(outcomes(meta)) == 5  # one refusal more
    kinds = [kind for kind, _ in factories.told() if kind.startswith("sender.")]
    assert kinds == ["sender.alert"]  # the same trouble is told once


@pytest.mark.parametrize(("language", "calls"), [("en", 1), ("es-MX", 2)])
def test_a_lost_answer_is_no_refusal_and_is_not_repeated_in_another_language(
    language: str, calls: int, log_in: LogIn, meta: SimulatorClient
) -> None:
    """Neither after the first call nor after the second one."""
    meta.set_faults(whatsapp_outage="accept_then_close")

    challenge_id = log_in(language)

    assert went_by(challenge_id) == [(WHATSAPP, Status.ACCEPTED)]
    assert languages_of(challenge_id) == ["en"]
    assert len(outcomes(meta)) == calls
    assert set(SenderNotice.objects.values_list("language", flat=True)) == (
        {"es_MX"} if calls == 2 else set()
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_sender_with_a_language_in_trouble_costs_no_statement_more(
    start: Start, queued: QueuedTasks, meta: SimulatorClient
) -> None:
    """The languages that are skipped are read with the senders, from memory."""
    from otp import send

    start(language="es-MX")
    queued.run()
    start(factories.OTHER_PHONE, language="es-MX")
    with statements() as sent:
        send.send_delivery(delivery_id=queued.send[0])

    hot = [
        line for line in sent if "config" not in line and not line.startswith(("SELECT", "BEGIN", "COMMIT"))
    ]
    assert [line.split()[0] for line in hot] == ["UPDATE", "WITH"], sent
