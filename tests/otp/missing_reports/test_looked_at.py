"""How many messages are looked at before a sender's reports are called missing: an end to the work, in both forms."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from channels.types import Status
from core import sql
from otp import services
from otp.models import Delivery
from otp.store import unreported
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start


@pytest.fixture(params=[1, 2, 3])
def looked_at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """So many instead of thousands."""
    most = int(request.param)
    file = Path(unreported.__file__).with_name("unreported.sql")
    statement = sql.load(file, accepted=Status.ACCEPTED, expired=Status.EXPIRED, looked_at=most)
    monkeypatch.setattr(unreported, "_LOOKED_AT", most)
    monkeypatch.setattr(unreported, "_SENDS", statement)
    return most


@pytest.mark.parametrize("is_postgres", [pytest.param(True, marks=pytest.mark.postgres), False])
def test_the_first_after_the_last_report_are_looked_at(
    is_postgres: bool,
    looked_at: int,
    start: Start,
    queued: QueuedTasks,
    providers: Providers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two that were reported right after it, and then one that was not."""
    for nth in range(3):
        start(f"+8525123{4000 + nth}", address=f"198.51.{nth}.1")
    queued.run()
    first, second, third = Delivery.objects.order_by("accepted_at")
    services.record_status_updates([factories.report(item, Status.SENT) for item in (first, second)])
    monkeypatch.setattr(sql, "is_postgres", lambda: is_postgres)
    assert first.sender_id
    assert first.accepted_at
    since = {first.sender_id: first.accepted_at - timedelta(seconds=1)}

    times = unreported.sends(since, until=timezone.now(), most=3)

    assert times == {first.sender_id: [third.accepted_at] if looked_at == 3 else []}


def test_as_many_as_a_busy_sender_has_between_two_notes_of_its_reports() -> None:
    assert unreported._LOOKED_AT == 5000
    assert f"LIMIT {unreported._LOOKED_AT}" in unreported._SENDS
