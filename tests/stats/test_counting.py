"""What an hour counts: every rule of the statements, on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from channels.models import Sender
from channels.types import Channel, FailureReason, Status
from otp.models import Purpose
from projects.config import ProjectConfig
from stats import histogram, rollup
from stats.models import DeliveryRollup, LoginRollup, TimingRollup
from tests import factories
from tests.stats.support import CO, HOUR, login, message

pytestmark = [pytest.mark.django_db, pytest.mark.stores]

SMS = Channel.SMS


def counted(*names: str, **where: Any) -> Any:
    """The named columns of the only row."""
    assert rollup.count(HOUR)
    row = DeliveryRollup.objects.filter(**where).values(*names).get()
    return row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)


def test_logins_by_country_and_what_became_of_them(project: ProjectConfig) -> None:
    login(project, message(), verified_after=9)
    login(project, message(status=Status.FAILED), message(SMS, after=3))
    login(project, message(), phone=CO, country="CO", verified_after=20)

    rollup.count(HOUR)

    rows = LoginRollup.objects.order_by("country").values_list("country", "started", "verified", "fell_back")
    assert list(rows) == [("CO", 1, 1, 0), ("HK", 2, 1, 1)]
    assert LoginRollup.objects.values_list("hour", "project_id").first() == (HOUR, project.id)


@pytest.mark.parametrize(
    ("seconds", "is_counted"),
    [(-0.001, False), (0, True), (3599.999, True), (3600, False)],
)
def test_an_hour_ends_where_the_next_begins(seconds: float, is_counted: bool, project: ProjectConfig) -> None:
    login(project, message(), at=HOUR + timedelta(seconds=seconds))

    rollup.count(HOUR)

    assert LoginRollup.objects.exists() is is_counted
    assert DeliveryRollup.objects.exists() is is_counted


def test_a_message_belongs_to_the_hour_of_its_login(project: ProjectConfig) -> None:
    late = HOUR + timedelta(minutes=59, seconds=58)
    login(project, message(status=Status.FAILED), message(SMS, after=5), at=late)

    rollup.count(HOUR)
    rollup.count(HOUR + timedelta(hours=1))

    assert DeliveryRollup.objects.filter(hour=HOUR).count() == 2
    assert DeliveryRollup.objects.count() == 2


def test_test_numbers_are_not_counted(project: ProjectConfig) -> None:
    login(project, message(sender=None), is_test=True, verified_after=3)

    rollup.count(HOUR)

    assert not LoginRollup.objects.exists()
    assert not DeliveryRollup.objects.exists()
    assert not TimingRollup.objects.exists()


def test_an_operator_s_test_message_costs_and_is_no_login(project: ProjectConfig) -> None:
    login(project, message(), verified_after=3, purpose=Purpose.TEST_MESSAGE)

    assert counted("messages", "unpriced", "verified") == (1, 1, 0)
    assert not LoginRollup.objects.exists()
    assert set(TimingRollup.objects.values_list("measure", flat=True)) == {"delivered"}


def test_a_proof_of_a_number_is_a_login(project: ProjectConfig) -> None:
    login(project, message(), verified_after=3, purpose=Purpose.ASSERTION)

    assert counted("verified") == 1
    assert LoginRollup.objects.get().verified == 1


@pytest.mark.parametrize(
    ("status", "accepted", "delivered", "failed"),
    [
        (Status.QUEUED, 0, 0, 0),
        (Status.SENDING, 0, 0, 0),
        (Status.ACCEPTED, 1, 0, 0),
        (Status.SENT, 1, 0, 0),
        (Status.EXPIRED, 1, 0, 0),
        (Status.FAILED, 0, 0, 1),
        (Status.DELIVERED, 1, 1, 0),
        (Status.READ, 1, 1, 0),
    ],
)
def test_what_a_status_counts_as(
    status: Status, accepted: int, delivered: int, failed: int, project: ProjectConfig
) -> None:
    login(project, message(status=status))

    assert counted("messages", "accepted", "delivered", "failed") == (1, accepted, delivered, failed)


def test_a_report_may_come_without_an_acceptance(project: ProjectConfig) -> None:
    """The provider's answer was lost."""
    login(project, message(status=Status.SENT, accepted_at=None))

    assert counted("accepted") == 1


def test_a_reason_is_kept_of_what_did_not_arrive(project: ProjectConfig) -> None:
    login(project, message(status=Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL))
    login(project, message(status=Status.EXPIRED, reason=FailureReason.NO_REPORT))
    login(project, message(status=Status.QUEUED, reason=FailureReason.RATE_LIMITED))  # tried again

    rollup.count(HOUR)

    reasons = DeliveryRollup.objects.order_by("reason").values_list("reason", flat=True)
    assert list(reasons) == ["", "no_news", "not_on_channel"]


def test_a_fallback_counts_for_the_message_that_it_follows(project: ProjectConfig) -> None:
    login(
        project,
        message(status=Status.FAILED, reason=FailureReason.UNREACHABLE, cause="start"),
        message(status=Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL, cause="resend", after=30),
        message(SMS, cause="fallback", after=32),
    )

    rollup.count(HOUR)

    rows = DeliveryRollup.objects.filter(channel="whatsapp").values_list("reason", "fallbacks")
    assert set(rows) == {("unreachable", 0), ("not_on_channel", 1)}
    assert DeliveryRollup.objects.get(channel="sms").fallbacks == 0


def test_a_login_counts_for_its_last_message(project: ProjectConfig) -> None:
    login(project, message(status=Status.EXPIRED), message(SMS, after=20), verified_after=40)
    login(project, message(status=Status.EXPIRED), message(SMS, after=20))

    rollup.count(HOUR)

    rows = DeliveryRollup.objects.order_by("channel").values_list("channel", "messages", "verified")
    assert list(rows) == [("sms", 2, 1), ("whatsapp", 2, 0)]


def test_a_sender_s_provider_is_kept_and_a_deleted_one_has_none(project: ProjectConfig) -> None:
    sender = Sender.objects.get(channel="whatsapp")
    login(project, message())
    login(project, message(sender=None, status=Status.FAILED))

    rollup.count(HOUR)

    rows = DeliveryRollup.objects.order_by("provider").values_list("provider", "sender_id")
    assert list(rows) == [("", None), ("memory", sender.id)]


def test_two_projects_are_counted_apart(project: ProjectConfig) -> None:
    other = factories.make_project(slug="other", name="Other", is_default=False, senders=False)
    login(project, message())
    login(other, message())

    rollup.count(HOUR)

    assert set(LoginRollup.objects.values_list("project_id", "started")) == {(project.id, 1), (other.id, 1)}


def test_how_long_it_took(project: ProjectConfig) -> None:
    """Until the first report that it arrived, not until it was read."""
    login(project, message(delivered_after=2.2), verified_after=14)

    rollup.count(HOUR)

    rows = dict(TimingRollup.objects.values_list("measure", "bucket"))
    assert rows == {"delivered": histogram.bucket_of(2.2), "verified": histogram.bucket_of(14)}


def test_a_clock_that_runs_behind_is_in_the_first_bucket(project: ProjectConfig) -> None:
    login(project, message(delivered_after=-4))

    rollup.count(HOUR)

    assert TimingRollup.objects.get().bucket == 0


def test_a_delivery_without_its_report_has_no_time(project: ProjectConfig) -> None:
    login(project, message(delivered_after=None))

    rollup.count(HOUR)

    assert not TimingRollup.objects.exists()
