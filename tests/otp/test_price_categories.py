"""What a provider says that it bills a message as, and the country of a challenge, are stored on the way."""

import pytest

from channels.types import Status
from otp import services
from otp.models import Challenge, Delivery
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start


@pytest.fixture
def sent(start: Start, queued: QueuedTasks, providers: Providers) -> Delivery:
    start()
    queued.run()
    return Delivery.objects.get()


def report(delivery: Delivery, status: Status, category: str) -> None:
    services.record_status_updates([factories.report(delivery, status)._replace(price_category=category)])


def category() -> str:
    return str(Delivery.objects.values_list("price_category", flat=True).get())


def test_it_comes_with_a_report(sent: Delivery) -> None:
    report(sent, Status.SENT, "authentication")

    assert category() == "authentication"


def test_a_report_without_one_leaves_it(sent: Delivery) -> None:
    """Meta tells it with `sent` and with one of `delivered` and `read`."""
    report(sent, Status.SENT, "authentication")
    report(sent, Status.DELIVERED, "")

    assert category() == "authentication"


def test_a_later_one_corrects_it(sent: Delivery) -> None:
    report(sent, Status.SENT, "authentication")
    report(sent, Status.DELIVERED, "authentication_international")

    assert category() == "authentication_international"


def test_one_batch_may_tell_it_with_any_of_its_reports(sent: Delivery) -> None:
    reports = [factories.report(sent, status) for status in (Status.SENT, Status.DELIVERED)]
    services.record_status_updates([reports[0]._replace(price_category="free"), reports[1]])

    assert category() == "free"
    assert Delivery.objects.get().status == Status.DELIVERED


def test_a_long_one_is_cut_to_its_column(sent: Delivery) -> None:
    report(sent, Status.SENT, "a" * 99)

    assert category() == "a" * 32


@pytest.mark.parametrize(("number", "country"), [(factories.PHONE, "HK"), ("+447400123456", "GB")])
def test_a_challenge_has_its_country(number: str, country: str, start: Start) -> None:
    start(number)

    assert Challenge.objects.get().country == country
