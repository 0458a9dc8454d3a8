"""What an hour counts of money: what is billed, what a provider said, and what an SMS was saved by."""

import pytest

from channels.types import Channel, Status
from projects.config import ProjectConfig
from stats import rollup
from stats.models import DeliveryRollup
from tests.stats.support import HOUR, login, message

pytestmark = [pytest.mark.django_db, pytest.mark.stores]

SMS = Channel.SMS


@pytest.mark.parametrize(
    ("channel", "status", "unpriced"),
    [
        ("whatsapp", Status.ACCEPTED, 0),
        ("whatsapp", Status.SENT, 0),
        ("whatsapp", Status.FAILED, 0),
        ("whatsapp", Status.DELIVERED, 1),
        ("whatsapp", Status.READ, 1),
        ("sms", Status.QUEUED, 0),
        ("sms", Status.ACCEPTED, 1),
        ("sms", Status.EXPIRED, 1),
        ("sms", Status.DELIVERED, 1),
    ],
)
def test_what_is_billed(channel: str, status: Status, unpriced: int, project: ProjectConfig) -> None:
    """Meta bills what it delivered, SMS providers what they took."""
    login(project, message(channel, status=status))

    rollup.count(HOUR)

    assert DeliveryRollup.objects.get().unpriced == unpriced


def test_what_the_provider_calls_free_costs_nothing(project: ProjectConfig) -> None:
    login(project, message(price_category="free"))

    rollup.count(HOUR)

    row = DeliveryRollup.objects.get()
    assert (row.delivered, row.unpriced, row.priced) == (1, 0, 0)


def test_categories_are_counted_apart(project: ProjectConfig) -> None:
    login(project, message(price_category="authentication"))
    login(project, message(price_category="authentication"))
    login(project, message(price_category="authentication_international"))

    rollup.count(HOUR)

    rows = DeliveryRollup.objects.order_by("category").values_list("category", "unpriced")
    assert list(rows) == [("authentication", 2), ("authentication_international", 1)]


def test_amounts_are_added_up_by_currency(project: ProjectConfig) -> None:
    for micros, currency in ((59_200, "USD"), (7_500, "USD"), (80_000, "EUR")):
        login(project, message(SMS, price_micros=micros, price_currency=currency))
    login(project, message(SMS))

    rollup.count(HOUR)

    columns = ("currency", "priced", "cost_micros", "unpriced")
    rows = DeliveryRollup.objects.order_by("currency").values_list(*columns)
    assert list(rows) == [("", 0, 0, 1), ("EUR", 1, 80_000, 0), ("USD", 2, 66_700, 0)]


def test_an_amount_counts_whatever_became_of_the_message(project: ProjectConfig) -> None:
    """Twilio charges a little for a message that failed."""
    login(project, message(SMS, status=Status.FAILED, price_micros=1_000, price_currency="USD"))

    rollup.count(HOUR)

    assert DeliveryRollup.objects.get().cost_micros == 1_000


def test_an_sms_is_saved_where_none_was_needed(project: ProjectConfig) -> None:
    login(project, message())
    login(project, message(), message(SMS, after=20))  # it arrived late
    login(project, message(status=Status.SENT))
    login(project, message(SMS))

    rollup.count(HOUR)

    rows = DeliveryRollup.objects.values_list("channel", "instead_of_sms")
    assert sum(count for channel, count in rows if channel == "whatsapp") == 1
    assert sum(count for channel, count in rows if channel == "sms") == 0
