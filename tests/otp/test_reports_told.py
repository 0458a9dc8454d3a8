"""What the log and the metrics say of reports: one, several, and those that change nothing."""

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from channels.types import FailureReason, Status
from otp import services
from otp.models import Delivery
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start


@pytest.fixture
def sent(start: Start, queued: QueuedTasks, providers: Providers) -> Delivery:
    start()
    queued.run()
    return Delivery.objects.get()


def test_one_report_is_one_line(sent: Delivery) -> None:
    """It says all that the line of a batch would."""
    with capture_logs() as lines:
        services.record_status_updates([factories.report(sent, Status.DELIVERED)])

    assert [line["event"] for line in lines] == ["delivery.reported"]
    assert lines[0]["delivery_id"] == str(sent.id)
    assert (lines[0]["status"], lines[0]["channel"]) == ("delivered", "whatsapp")


def test_what_changes_nothing_is_a_line_of_numbers(sent: Delivery) -> None:
    services.record_status_updates([factories.report(sent, Status.DELIVERED)])
    with capture_logs() as lines:
        services.record_status_updates([factories.report(sent, Status.DELIVERED)])

    assert [(line["event"], line["received"], line["moved"], line["failed"]) for line in lines] == [
        ("reports.recorded", 1, 0, 0)
    ]


def test_several_reports_are_summed_up_too(sent: Delivery) -> None:
    with capture_logs() as lines:
        services.record_status_updates([factories.report(sent, step) for step in (Status.SENT, Status.READ)])

    assert [line["event"] for line in lines] == ["delivery.reported", "reports.recorded"]
    assert (lines[1]["received"], lines[1]["moved"]) == (2, 1)


def test_every_delivery_that_moved_is_counted_once(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """By channel, provider, status and reason, however the batch was made up."""
    for nth in range(4):
        start(f"+8525123{4000 + nth}", address=f"198.51.{nth}.1")
    queued.run()
    first, second, third, fourth = Delivery.objects.all()
    begun = timezone.now()

    def counts() -> list[float]:
        of = {"channel": "whatsapp", "provider": "memory"}
        names = [("delivered", ""), ("failed", "payment"), ("failed", "unreachable")]
        labels = [of | {"status": status, "reason": reason} for status, reason in names]
        values = [REGISTRY.get_sample_value("authsvc_deliveries_total", item) or 0 for item in labels]
        lag = REGISTRY.get_sample_value("authsvc_webhook_lag_seconds_count", {"channel": "whatsapp"}) or 0
        stage = {"stage": "delivered", "channel": "whatsapp"}
        return [*values, lag, REGISTRY.get_sample_value("authsvc_since_start_seconds_count", stage) or 0]

    before = counts()
    services.record_status_updates(
        [
            factories.report(first, Status.DELIVERED, at=begun),
            factories.report(second, Status.DELIVERED, at=begun),
            factories.report(second, Status.SENT, at=begun),
            factories.report(third, Status.FAILED, reason=FailureReason.PAYMENT),
            factories.report(fourth, Status.FAILED, reason=FailureReason.UNREACHABLE),
            factories.report(first, Status.DELIVERED, at=begun),
        ]
    )

    assert [now - then for now, then in zip(counts(), before, strict=True)] == [2, 1, 1, 4, 2]
