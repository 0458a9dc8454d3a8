"""How long audit events are kept."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit import retention
from audit.kinds import Kind
from audit.models import AuditEvent
from audit.record import record
from audit.tasks import purge as purge_task
from core.ids import oldest_id_at
from tests.clock import later

pytestmark = pytest.mark.django_db
DAY = 24 * 3600.0


def aged(days: float) -> AuditEvent:
    """An event of that long ago: its id holds its time."""
    at = timezone.now() - timedelta(days=days)
    event = AuditEvent(id=oldest_id_at(at), at=at, kind=Kind.ADDED)
    event.save(force_insert=True)
    return event


def test_what_is_older_than_the_setting_goes(settings: Any) -> None:
    settings.AUTHSVC_AUDIT_DAYS = 100
    aged(101)
    young = aged(99)

    assert retention.purge() == {"audit_events": 1}
    assert list(AuditEvent.objects.all()) == [young]


def test_a_year_is_the_default() -> None:
    aged(366)
    aged(364)

    assert retention.purge() == {"audit_events": 1}


def test_batches_go_one_after_the_other() -> None:
    for number in range(5):
        aged(400 + number)

    assert retention.purge(batch=2) == {"audit_events": 5}
    assert not AuditEvent.objects.exists()


def test_the_time_of_a_purge_is_bounded() -> None:
    for number in range(5):
        aged(400 + number)

    assert retention.purge(batch=2, seconds=-1) == {"audit_events": 2}
    assert AuditEvent.objects.count() == 3


def test_nothing_old_is_no_error() -> None:
    record(Kind.ADDED)

    assert retention.purge() == {"audit_events": 0}
    assert AuditEvent.objects.count() == 1


def test_the_task_purges() -> None:
    record(Kind.ADDED)
    with later(400 * DAY):
        purge_task()

    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_purge_outside_a_transaction_commits() -> None:
    aged(400)

    assert retention.purge() == {"audit_events": 1}
    assert not AuditEvent.objects.exists()
