"""`delivery.failed` by what providers report: once, in any order and number, each project its own."""

import uuid

import pytest

from channels.errors import SendError
from channels.types import Channel, FailureReason, Message, Receipt, Status
from events import store as event_store
from events.models import Endpoint, Event, EventType
from otp import services
from otp.models import Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start, verify
from tests.otp.event_steps import failures, first, report

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
UNKNOWN_THERE = SendError(FailureReason.NOT_ON_CHANNEL, provider_code="131026")


@pytest.fixture(autouse=True)
def endpoint(project: ProjectConfig) -> Endpoint:
    return factories.make_endpoint(project)


def test_a_failed_report_is_told(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    challenge_id = start()
    queued.run()
    report(first(challenge_id), Status.FAILED)

    (data,) = failures()
    assert (data["reason"], data["provider_code"]) == ("not_on_channel", "131026")
    assert data["at"] == first(challenge_id).status_at.isoformat()


@pytest.mark.parametrize(
    ("steps", "count"),
    [
        ((Status.FAILED,) * 5, 1),
        ((Status.FAILED, Status.SENT, Status.FAILED), 1),
        ((Status.FAILED, Status.DELIVERED, Status.FAILED), 1),
        ((Status.DELIVERED, Status.FAILED), 0),
        ((Status.SENT, Status.DELIVERED, Status.READ), 0),
    ],
    ids=lambda value: "-".join(step.word for step in value) if isinstance(value, tuple) else str(value),
)
def test_in_every_order_and_however_often_it_is_told_once(
    steps: tuple[Status, ...], count: int, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D5, D8: a status only climbs, so it becomes failed once."""
    challenge_id = start()
    queued.run()
    report(first(challenge_id), *steps)

    assert len(failures()) == count


@pytest.mark.parametrize(("second", "count"), [(Status.FAILED, 1), (Status.DELIVERED, 0)])
def test_of_one_batch_the_best_counts(
    second: Status, count: int, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start()
    queued.run()
    item = first(challenge_id)
    services.record_status_updates(
        [factories.report(item, Status.FAILED), factories.report(item, second, message_id="another")]
    )

    assert len(failures()) == count


def test_a_report_whose_event_is_not_written_is_not_stored(
    start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its provider is answered with an error and repeats it."""
    challenge_id = start()
    queued.run()
    with monkeypatch.context() as patch:
        patch.setattr(event_store, "insert", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            report(first(challenge_id), Status.FAILED)
    assert first(challenge_id).status == Status.ACCEPTED

    report(first(challenge_id), Status.FAILED)
    assert len(failures()) == 1


def test_a_late_failure_after_the_login_is_told_and_leads_to_nothing(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D4."""
    challenge_id = start()
    queued.run()
    verify(challenge_id)
    report(first(challenge_id), Status.FAILED)
    queued.fall_back.append(first(challenge_id).id)
    queued.run()

    assert [kind for kind, _ in factories.told()] == ["login.succeeded", "delivery.failed"]


def test_a_batch_about_two_projects_tells_each_its_own(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """K8: they share a sender, hence an account and its webhook."""
    other = factories.make_project(slug="other", is_default=False)
    silent = factories.make_project(slug="silent", is_default=False)
    factories.make_endpoint(other, EventType.DELIVERY_FAILED)
    mine = start()
    theirs = start(project=other)
    start(project=silent)
    queued.run()
    services.record_status_updates([factories.report(item, Status.FAILED) for item in Delivery.objects.all()])

    assert [data["challenge_id"] for data in failures()] == [str(mine)]
    assert [data["challenge_id"] for data in failures("other")] == [str(theirs)]
    assert Event.objects.count() == 2


def test_what_a_report_of_a_strangers_sender_says_is_not_told(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D9."""
    challenge_id = start()
    queued.run()
    services.record_status_updates(
        [factories.report(first(challenge_id), Status.FAILED, sender_ids=(uuid.uuid4(),))]
    )

    assert factories.told() == []


def test_a_report_before_the_refusal_is_told_once(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D6: both say that it failed."""

    def report_and_refuse(_message: Message) -> Receipt:
        report(Delivery.objects.get(), Status.FAILED)
        raise UNKNOWN_THERE

    providers.script[WHATSAPP] = report_and_refuse
    start()
    queued.run()

    assert len(failures()) == 1
