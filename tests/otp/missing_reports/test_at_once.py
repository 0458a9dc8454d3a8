"""P2: reports that arrive while others decide that they are missing, and what writing them down costs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from channels import report_counts
from channels.models import Sender, SenderReports
from channels.types import Status
from core.redis import LocalStore
from events import sender_events
from otp import sweep as watch
from otp.models import Delivery
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks
from tests.otp.missing_reports.support import WRONG, Logins, about, entry, is_missing, post, sweep
from tests.threads import at_once
from tests.webhooks import support

# At once --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_row", [True, False])
def test_a_report_that_comes_while_they_are_declared_missing_wins(
    has_row: bool, sender: Sender, logins: Logins, queued: QueuedTasks
) -> None:
    """P2: whoever is first, it does not stay missing after a report."""
    logins(3)
    with later(61):
        now, first = timezone.now(), Delivery.objects.order_by("id")[0].accepted_at
        assert first

        def declare() -> None:
            sender_events.reports_missing(sender.pk, first=first, now=now)

        for _ in range(20):
            SenderReports.objects.all().delete()
            if has_row:
                SenderReports.objects.create(sender=sender)
            LocalStore.clear_all()
            results = at_once([declare, lambda: sender_events.reports_arrived([sender.pk]), declare])

            assert [item for item in results if isinstance(item, Exception)] == []
            assert not is_missing()
            assert SenderReports.objects.get().reported_at is not None


@pytest.mark.django_db(transaction=True)
def test_missing_reports_are_alerted_once_however_many_processes_check(
    sender: Sender, logins: Logins, queued: QueuedTasks
) -> None:
    from projects.config import projects

    factories.make_endpoint(next(iter(projects.get().by_id.values())))
    logins(3)
    now = timezone.now()

    def declare() -> None:
        sender_events.reports_missing(sender.pk, first=now, now=now)

    results = at_once([declare] * 4)
    assert [item for item in results if isinstance(item, Exception)] == []
    results = at_once([lambda: sender_events.reports_arrived([sender.pk])] * 4)
    assert [item for item in results if isinstance(item, Exception)] == []

    news = [kind for kind, _ in factories.told() if kind.startswith("sender.")]
    assert news == ["sender.alert", "sender.alert_over"]


@pytest.mark.django_db(transaction=True)
def test_reports_that_arrive_while_the_sweep_decides(
    sender: Sender, logins: Logins, queued: QueuedTasks, providers: Providers
) -> None:
    """P2: what is reported as delivered gets no SMS while reports were missing, whoever is first."""
    logins(3)
    with later(61):
        sweep(queued)
        begun = logins(6)
    before = len(providers.sent)
    items = [factories.deliveries(challenge_id)[0] for challenge_id in begun]
    with later(61 + 21):
        posts = [lambda item=item: post(about(item)) for item in items]
        results = at_once([watch.watch_deliveries, *posts])

    assert [item for item in results if isinstance(item, Exception)] == []
    assert not is_missing()
    queued.run()
    for challenge_id in begun:
        reported, *fallbacks = factories.deliveries(challenge_id)
        assert reported.status == Status.DELIVERED
        if reported.events.filter(reason=report_counts.REASON).exists():
            assert fallbacks == []
    added = Delivery.objects.filter(cause="fallback", challenge_id__in=begun).count()
    assert len(providers.sent) - before == added


# What it costs --------------------------------------------------------------------------------------------


def test_a_report_is_written_down_every_few_seconds(sender: Sender) -> None:
    """P2: no statement more for each webhook."""
    from tests.statements import statements

    post(entry(statuses=[support.status("played")]))
    with statements() as sent:
        for _ in range(10):
            assert post(entry(statuses=[support.status("played")])) == 200
    assert [line for line in sent if "config" not in line] == []

    with later(report_counts.WRITTEN_EVERY.total_seconds() + 1), statements() as sent:
        for _ in range(10):
            assert post(entry(statuses=[support.status("played")])) == 200
    writes = [line for line in sent if "senderreports" in line]
    assert len(writes) == 1


def test_failed_signatures_are_counted_in_memory_and_written_every_few_seconds(sender: Sender) -> None:
    for _ in range(10):
        post(entry(statuses=[support.status()]), secret=WRONG)
    assert SenderReports.objects.get().refused == 1

    with later(report_counts.WRITTEN_EVERY.total_seconds() + 1):
        post(entry(statuses=[support.status()]), secret=WRONG)
        assert SenderReports.objects.get().refused == 11
    SenderReports.objects.update(refused=report_counts._MOST_REFUSED)
    with later(60):
        assert post(entry(statuses=[support.status()]), secret=WRONG) == 401


def test_a_clock_that_is_set_back_stops_nothing(sender: Sender) -> None:
    with later(3600):
        post(entry(statuses=[support.status("played")]))

    post(entry(statuses=[support.status("played")]))

    limit = timezone.now() + timedelta(minutes=1)
    assert SenderReports.objects.filter(reported_at__lt=limit).exists()
