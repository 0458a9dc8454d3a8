"""What follows from reports, what others see of a failover, and that it happens once."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from channels.models import Sender
from channels.types import Channel, FailureReason, Status
from events.models import EventType
from otp import fallback, services, sweep
from otp.models import Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.otp.conftest import QueuedTasks, Start
from tests.otp.failover.support import TOKEN, Lines, path_of
from tests.threads import at_once

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


# Reports ----------------------------------------------------------------------------------------------


def reported(challenge_id: uuid.UUID, reason: FailureReason, queued: QueuedTasks) -> None:
    delivery = Delivery.objects.filter(challenge_id=challenge_id).earliest("id")
    services.record_status_updates([factories.report(delivery, Status.FAILED, reason=reason)])
    queued.fall_back.append(delivery.id)
    queued.run()


def test_a_report_that_blames_the_account_is_followed_by_the_next_sender(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    challenge_id = start()
    queued.run()

    reported(challenge_id, FailureReason.PAYMENT, queued)

    assert path_of(challenge_id) == [("one", "start"), ("two", "failover")]


def test_silence_is_followed_by_the_next_channel(start: Start, queued: QueuedTasks, lines: Lines) -> None:
    challenge_id = start()
    queued.run()
    with later(30):
        sweep.watch_deliveries()

    assert path_of(challenge_id) == [("one", "start"), ("sms", "fallback")]


def test_a_late_report_changes_nothing_once_another_message_is_under_way(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    challenge_id = start()
    queued.run()
    with later(30):
        sweep.watch_deliveries()

    reported(challenge_id, FailureReason.PAYMENT, queued)

    assert path_of(challenge_id) == [("one", "start"), ("sms", "fallback")]


def test_each_delivery_keeps_its_sender_and_its_reports_find_it(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    senders: dict[str, Sender],
) -> None:
    lines.errors["one"] = TOKEN
    challenge_id = start()
    queued.run()
    _first, second = factories.deliveries(challenge_id)

    services.record_status_updates([factories.report(second, Status.DELIVERED)])
    foreign = factories.report(second, Status.READ, sender_ids=(senders["one"].id,))
    services.record_status_updates([foreign])

    second.refresh_from_db()
    assert second.status == Status.DELIVERED


# What others see --------------------------------------------------------------------------------------


def test_applications_hear_of_the_failure_and_of_no_fallback(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    project: ProjectConfig,
) -> None:
    factories.make_endpoint(project)
    lines.errors["one"] = TOKEN

    start()
    queued.run()

    types = [kind for kind, _data in factories.told()]
    assert EventType.DELIVERY_FAILED in types
    assert EventType.FALLBACK_SENT not in types


def test_the_page_tells_of_one_message_that_is_on_its_way(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    from login.messages.delivery import live

    lines.errors["one"] = TOKEN
    challenge_id = start()
    queued.run()

    shown = live(services.describe(challenge_id=challenge_id), now=timezone.now())

    assert shown.channel is WHATSAPP
    assert [row.channel for row in shown.rows] == [WHATSAPP]
    assert "SMS" not in shown.headline
    assert shown.countdown_seconds > 0  # silence of the second one turns into an SMS


def test_a_call_that_failed_pays_for_the_next_sender(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    charged: list[object] = []

    def charge(challenge: object) -> bool:
        charged.append(challenge)
        return True

    monkeypatch.setattr(fallback, "_charge_fallback", charge)
    lines.errors["one"] = TOKEN

    start()
    queued.run()
    assert charged == []

    lines.errors["two"] = TOKEN
    start(factories.OTHER_PHONE)
    queued.run()
    assert len(charged) == 1  # the SMS


def test_a_failover_leaves_room_for_the_fallback(
    start: Start, queued: QueuedTasks, lines: Lines, settings: Settings
) -> None:
    """The limits have one message left beside the first: it is the SMS, not another call to WhatsApp."""
    settings.AUTHSVC_LIMITS = {"send.number.hour": "2/1h"}
    challenge_id = start()
    queued.run()

    reported(challenge_id, FailureReason.PAYMENT, queued)
    with later(30):
        sweep.watch_deliveries()
        queued.run()

    assert path_of(challenge_id) == [("one", "start"), ("two", "failover"), ("sms", "fallback")]
    assert factories.deliveries(challenge_id)[-1].status == Status.ACCEPTED


def test_the_one_that_took_over_is_known_whatever_the_clocks_say(
    start: Start, queued: QueuedTasks, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's clock is behind: the second message has the smaller id."""
    challenge_id = start()
    queued.run()
    first = Delivery.objects.get(challenge_id=challenge_id)
    services.record_status_updates([factories.report(first, Status.FAILED, reason=FailureReason.PAYMENT)])
    earlier = uuid.UUID(int=first.id.int - 1)
    monkeypatch.setattr(Delivery._meta.get_field("id"), "_get_default", lambda: earlier)
    assert fallback.fall_back(delivery_id=first.id) == earlier
    monkeypatch.undo()

    assert fallback.fall_back(delivery_id=first.id) is None
    assert Delivery.objects.filter(challenge_id=challenge_id).count() == 2


# Races ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_worker_sweep_and_resend_at_the_same_moment_give_one_more_message(
    round_: int,
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    challenge_id = start()
    delivery = factories.deliveries(challenge_id)[0]
    past = timezone.now() - timedelta(seconds=40)
    Delivery.objects.filter(id=delivery.id).update(
        status=Status.FAILED, reason=FailureReason.MISCONFIGURED, due_at=timezone.now(), created_at=past
    )

    at_once(
        [
            lambda: fallback.fall_back(delivery_id=delivery.id),
            lambda: fallback.fall_back(delivery_id=delivery.id),
            sweep.watch_deliveries,
            lambda: fallback.fall_back(delivery_id=delivery.id),
        ]
    )
    queued.run()

    assert path_of(challenge_id) == [("one", "start"), ("two", "failover")]


def test_a_message_that_the_person_asked_for_meanwhile_is_the_one(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    challenge_id = start()
    [delivery] = factories.deliveries(challenge_id)
    Delivery.objects.filter(id=delivery.id).update(status=Status.FAILED, reason=FailureReason.MISCONFIGURED)
    plan = fallback.following

    def slow(*args: object) -> object:
        step = plan(*args)  # type: ignore[arg-type] # as called
        services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=SMS)
        return step

    monkeypatch.setattr(fallback, "following", slow)
    assert fallback.fall_back(delivery_id=delivery.id) is None

    assert path_of(challenge_id) == [("one", "start"), ("sms", "switch")]
