"""Prices that providers tell later: which messages have none, and what a page of them stores."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from channels.models import Sender
from channels.prices import ReportedPrice
from channels.types import Channel, Status
from core.ids import time_of
from otp.models import Delivery
from otp.store import prices
from projects.config import ProjectConfig
from tests import factories
from tests.otp.plans import plan_of, remember_a_quiet_year
from tests.statements import statements
from tests.stats.support import login, message

pytestmark = [pytest.mark.django_db, pytest.mark.stores]

MINUTE = timedelta(minutes=1)
AGO = timezone.now() - timedelta(hours=10)


@pytest.fixture
def sender(project: ProjectConfig) -> Sender:
    return Sender.objects.get(channel="sms")


def sms(project: ProjectConfig, message_id: str, *, minutes: float = 0, **fields: object) -> Delivery:
    login(
        project,
        message(Channel.SMS, provider_message_id=message_id, **fields),
        at=AGO + minutes * MINUTE,
    )
    return Delivery.objects.get(provider_message_id=message_id, channel="sms")


def price(message_id: str, micros: int = 7_900, currency: str = "USD") -> ReportedPrice:
    return ReportedPrice(provider_message_id=message_id, micros=micros, currency=currency)


def stored() -> dict[str, tuple[int | None, str]]:
    rows = Delivery.objects.values_list("provider_message_id", "price_micros", "price_currency")
    return {message_id: (micros, currency) for message_id, micros, currency in rows}


def test_a_page_stores_its_prices_and_nothing_else(project: ProjectConfig, sender: Sender) -> None:
    before = sms(project, "SM1", status=Status.FAILED, reason="unreachable", price_category="x")
    sms(project, "SM2")
    sms(project, "SM3")

    told = [price("SM1"), price("SM2", 80_000, "EUR"), price("SM9")]
    assert prices.record(told, sender_ids=[sender.id]) == 2
    assert stored() == {"SM1": (7_900, "USD"), "SM2": (80_000, "EUR"), "SM3": (None, "")}
    after = Delivery.objects.get(id=before.id)
    assert (after.status, after.reason, after.price_category, after.status_at) == (
        Status.FAILED,
        "unreachable",
        "x",
        before.status_at,
    )


def test_a_repeat_changes_nothing(project: ProjectConfig, sender: Sender) -> None:
    sms(project, "SM1")
    prices.record([price("SM1")], sender_ids=[sender.id])

    assert prices.record([price("SM1", 9)], sender_ids=[sender.id]) == 0
    assert stored() == {"SM1": (7_900, "USD")}


def test_a_price_of_nothing_is_a_price(project: ProjectConfig, sender: Sender) -> None:
    sms(project, "SM1")

    assert prices.record([price("SM1", 0)], sender_ids=[sender.id]) == 1
    assert prices.record([price("SM1", 5)], sender_ids=[sender.id]) == 0


def test_only_messages_of_these_senders(project: ProjectConfig, sender: Sender) -> None:
    sms(project, "SM1", sender=factories.make_sender("sms", name="other"))
    sms(project, "SM2", sender=None)

    assert prices.record([price("SM1"), price("SM2")], sender_ids=[sender.id]) == 0


def test_an_id_that_a_page_names_twice_is_stored_once(project: ProjectConfig, sender: Sender) -> None:
    sms(project, "SM1")

    assert prices.record([price("SM1", 1), price("SM1", 1)], sender_ids=[sender.id]) == 1


def test_messages_without_an_id_are_nobodys(project: ProjectConfig, sender: Sender) -> None:
    sms(project, "")

    assert prices.record([price("")], sender_ids=[]) == 0
    assert prices.unpriced_span([sender.id], first=AGO, end=timezone.now(), longest=MINUTE) is None


def test_an_empty_page_is_no_statement() -> None:
    with statements() as sent:
        assert prices.record([], sender_ids=[]) == 0

    assert sent == []


@pytest.mark.postgres
def test_a_page_is_one_statement(project: ProjectConfig, sender: Sender) -> None:
    sms(project, "SM1")

    with statements() as sent:
        prices.record([price(f"SM{nth}", nth) for nth in range(1000)], sender_ids=[sender.id])

    assert len(sent) == 1


@pytest.mark.postgres
def test_messages_are_found_by_their_ids(project: ProjectConfig, sender: Sender) -> None:
    """Whatever lies beside them."""
    remember_a_quiet_year(sms(project, "SM1").challenge)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE otp_delivery SET provider_message_id = id::text")
        cursor.execute("ANALYZE otp_delivery")
    told = [price(f"SM{nth}") for nth in range(10)]

    plan = plan_of(lambda: prices.record(told, sender_ids=[sender.id]))

    assert "delivery_by_provider_id" in plan
    assert "Seq Scan on otp_delivery" not in plan


@pytest.mark.postgres
def test_messages_without_a_price_are_found_by_key(project: ProjectConfig, sender: Sender) -> None:
    remember_a_quiet_year(sms(project, "SM1").challenge)

    plan = plan_of(lambda: prices.unpriced_span([sender.id], first=AGO, end=AGO + MINUTE, longest=MINUTE))

    assert plan.count("otp_delivery_pkey") == 2
    assert "Seq Scan on otp_delivery" not in plan


# Which have none ----------------------------------------------------------------------------------


def span(sender: Sender, first: float, end: float, longest: float = 60) -> tuple[float, float] | None:
    """In minutes since AGO."""
    found = prices.unpriced_span(
        [sender.id], first=AGO + first * MINUTE, end=AGO + end * MINUTE, longest=longest * MINUTE
    )
    return found and (round((found[0] - AGO) / MINUTE, 2), round((found[1] - AGO) / MINUTE, 2))


def test_a_span_begins_with_the_oldest_and_ends_with_the_last_one_within(
    project: ProjectConfig, sender: Sender
) -> None:
    for minutes in (5, 20, 64, 66, 200):
        sms(project, f"SM{minutes}", minutes=minutes)

    assert span(sender, 0, 300) == (5, 64)
    assert span(sender, 65, 300) == (66, 66)
    assert span(sender, 0, 20) == (5, 5)
    assert span(sender, 67, 200) is None
    assert span(sender, 6, 300, longest=1) == (20, 20)


def test_what_has_a_price_is_not_in_a_span(project: ProjectConfig, sender: Sender) -> None:
    sms(project, "SM1", minutes=1, price_micros=0, price_currency="USD")
    sms(project, "SM2", minutes=2, sender=None)
    sms(project, "SM3", minutes=3)

    assert span(sender, 0, 300) == (3, 3)


def test_a_span_is_exact_to_the_millisecond(project: ProjectConfig, sender: Sender) -> None:
    sent = sms(project, "SM1", minutes=1)
    at = time_of(sent.id)

    found = prices.unpriced_span([sender.id], first=at, end=at + MINUTE, longest=MINUTE)
    assert found == (at, at)
