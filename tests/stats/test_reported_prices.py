"""Prices asked of Twilio over HTTP: which messages, how many calls, what is stored, and what is counted of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from channels.models import Sender
from channels.senders import senders
from channels.types import Channel
from core import config_version
from otp import sweep
from otp.models import Delivery
from projects.config import ProjectConfig
from simulator.accounts import TwilioAccount
from stats import reported_prices, rollup, tasks
from stats.models import DeliveryRollup, PriceReading
from stats.reported_prices import EVERY, OLDEST, REPEAT, YOUNGEST
from tests.clock import later
from tests.statements import statements
from tests.stats.priced import HOUR, MINUTE, Twilio, make_sender, price_of
from tests.stats.support import login, message

pytestmark = [pytest.mark.django_db, pytest.mark.stores]

OTHER = TwilioAccount(account_sid="AC" + "e" * 32, auth_token="another-token")


@pytest.fixture
def sender(project: ProjectConfig) -> Sender:
    return make_sender()


# What is stored -----------------------------------------------------------------------------------


def test_the_price_of_a_message_is_stored(twilio: Twilio, sender: Sender) -> None:
    sent = twilio.sms(sender)

    assert twilio.read() == 1
    assert price_of(sent) == (7_900, "USD")
    assert twilio.calls == 1


@pytest.mark.parametrize(
    ("age", "stored"),
    [
        (YOUNGEST - MINUTE, 0),
        (YOUNGEST + MINUTE, 1),
        (OLDEST - MINUTE, 1),
        (OLDEST + MINUTE, 0),
    ],
)
def test_messages_of_a_certain_age_are_asked_for(
    age: timedelta, stored: int, twilio: Twilio, sender: Sender
) -> None:
    twilio.sms(sender, age=age)

    assert (twilio.read(), twilio.calls) == (stored, stored)


@pytest.mark.parametrize("status", ["sent", "delivered", "undelivered"])
def test_what_twilio_bills_has_a_price_whatever_became_of_it(
    status: str, twilio: Twilio, sender: Sender
) -> None:
    sent = twilio.sms(sender, status=status)

    twilio.read()

    assert price_of(sent) == (7_900, "USD")


def test_a_price_that_is_stored_stays(twilio: Twilio, sender: Sender) -> None:
    known = twilio.sms(sender, price_micros=59_200, price_currency="EUR")
    unknown = twilio.sms(sender)

    assert twilio.read() == 1
    assert (price_of(known), price_of(unknown)) == ((59_200, "EUR"), (7_900, "USD"))


def test_messages_of_other_senders_stay_as_they_are(twilio: Twilio, sender: Sender) -> None:
    """Another provider's message may have the same id."""
    sent = twilio.sms(sender)
    other = Sender.objects.exclude(id=sender.id).get(channel="sms")
    alike = message(Channel.SMS, provider_message_id=sent.provider_message_id, sender=other)
    login(twilio.project, alike, at=timezone.now() - HOUR)

    assert twilio.read() == 1
    assert Delivery.objects.get(sender=other).price_micros is None


def test_messages_without_an_id_cannot_be_asked_for(twilio: Twilio, sender: Sender) -> None:
    login(twilio.project, message(Channel.SMS, sender=sender), at=timezone.now() - HOUR)

    assert (twilio.read(), twilio.calls) == (0, 0)


def test_what_has_no_price_yet_is_left_for_later(twilio: Twilio, sender: Sender) -> None:
    twilio.costs(None)
    sent = twilio.sms(sender)

    assert (twilio.read(), price_of(sent)) == (0, (None, ""))
    twilio.costs("-0.0521", "EUR")
    with later(REPEAT.total_seconds() + 60):
        assert (twilio.read(), price_of(sent)) == (1, (52_100, "EUR"))


# How many calls -----------------------------------------------------------------------------------


def test_a_page_serves_many_messages(twilio: Twilio, sender: Sender) -> None:
    for nth in range(20):
        twilio.sms(sender, age=HOUR + nth * MINUTE)

    assert (twilio.read(), twilio.calls) == (20, 1)


def test_all_pages_are_read(twilio: Twilio, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reported_prices, "MOST", 2)
    monkeypatch.setattr(reported_prices, "FEWEST", 1)
    for nth in range(5):
        twilio.sms(sender, age=HOUR + nth * MINUTE)

    assert (twilio.read(), twilio.calls) == (5, 3)
    assert "PageToken" in twilio.client.urls[-1]


def test_the_next_run_continues_where_one_stopped(
    twilio: Twilio, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after messages whose price is not known, which are still there when it continues."""
    monkeypatch.setattr(reported_prices, "MOST", 2)
    monkeypatch.setattr(reported_prices, "FEWEST", 1)
    monkeypatch.setattr(reported_prices, "PAGES", 1)
    for nth in range(5):
        twilio.sms(sender, age=HOUR + nth * MINUTE, status="failed" if nth < 2 else "delivered")

    assert [twilio.read() for _ in range(3)] == [0, 2, 1]
    assert twilio.calls == 3
    assert len(set(twilio.client.urls)) == 3
    twilio.read()
    assert (twilio.read(), twilio.calls) == (0, 3)  # all was looked for


def test_the_oldest_are_asked_for_first_and_quiet_hours_cost_nothing(twilio: Twilio, sender: Sender) -> None:
    for hours in (40, 3, 20):
        twilio.sms(sender, age=hours * HOUR)

    assert twilio.read() == 3
    days = [url.partition("DateSent%3E=")[2][:13] for url in twilio.client.urls]
    assert len(days) == 3
    assert days == sorted(days)


def test_an_account_is_left_alone_for_a_quarter_of_an_hour(twilio: Twilio, sender: Sender) -> None:
    twilio.sms(sender)
    twilio.read()
    twilio.sms(sender, age=YOUNGEST + MINUTE)
    twilio.sms(sender, age=YOUNGEST - 5 * MINUTE)

    assert (twilio.read(), twilio.calls) == (0, 1)
    with later(EVERY.total_seconds() + 1):
        # The second came of age after it was looked for: it is found when all are looked for again.
        assert (twilio.read(), twilio.calls) == (1, 2)
    with later(REPEAT.total_seconds() + 60):
        assert (twilio.read(), twilio.calls) == (1, 3)


def test_messages_that_never_get_a_price_are_asked_for_a_few_times(twilio: Twilio, sender: Sender) -> None:
    twilio.sms(sender, age=YOUNGEST + MINUTE, status="failed")
    for quarter in range(4 * 50):
        with later(quarter * EVERY.total_seconds() + quarter):
            twilio.read()

    assert twilio.calls == 8


def test_senders_of_one_account_are_asked_for_at_once(twilio: Twilio, sender: Sender) -> None:
    second = make_sender(name="india")
    twilio.sms(sender)
    twilio.sms(second)

    assert (twilio.read(), twilio.calls) == (2, 1)


def test_each_account_is_asked(twilio: Twilio, sender: Sender) -> None:
    with twilio.running.client() as control:
        account = {"account_sid": OTHER.account_sid, "auth_token": OTHER.auth_token}
        control.add_accounts(twilio=[account])
    twilio.sms(sender)
    twilio.sms(make_sender(OTHER, name="other"), account=OTHER)

    assert (twilio.read(), twilio.calls) == (2, 2)
    assert PriceReading.objects.count() == 2


def test_a_sender_that_is_switched_off_is_not_asked_for(twilio: Twilio, sender: Sender) -> None:
    twilio.sms(sender)
    sender.is_active = False
    sender.save()

    assert (twilio.read(), twilio.calls) == (0, 0)


def test_a_run_ends_in_time(twilio: Twilio, sender: Sender) -> None:
    twilio.sms(sender)

    assert (twilio.read(seconds=-1), twilio.calls) == (0, 0)
    assert twilio.read() == 1  # nothing was lost


def test_a_worker_that_is_told_to_end_asks_no_more(
    twilio: Twilio, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio.sms(sender)
    monkeypatch.setattr(sweep, "is_stopping", lambda: True)

    assert (twilio.read(), twilio.calls) == (0, 0)


# What it costs the database -----------------------------------------------------------------------


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements beside those that read senders and the configuration's version, which are in memory and Redis."""
    with config_version.pinned():
        senders.get()
        with statements() as sent:
            yield sent


def test_without_such_a_sender_nothing_is_asked(project: ProjectConfig) -> None:
    tasks.read_prices()

    with counted() as sent:
        tasks.read_prices()

    assert sent == []
    assert not PriceReading.objects.exists()


def test_an_account_that_is_not_due_is_one_statement(twilio: Twilio, sender: Sender) -> None:
    twilio.read()

    with counted() as sent:
        twilio.read()

    assert len(sent) == 1, sent


def test_an_account_with_nothing_to_ask_for_is_a_few(twilio: Twilio, sender: Sender) -> None:
    twilio.read()

    with later(EVERY.total_seconds() + 1), counted() as sent:
        twilio.read()

    assert len(sent) == 4, sent  # its row, the claim, the messages, its row


@pytest.mark.postgres
def test_a_page_is_one_statement(twilio: Twilio, sender: Sender) -> None:
    twilio.read()
    for _ in range(9):
        twilio.sms(sender, age=YOUNGEST - MINUTE)

    with later(EVERY.total_seconds() + 1), counted() as sent:
        assert twilio.read() == 9

    # The row, the claim, the first and the last message of the span, the page, the row.
    assert len(sent) == 6, sent
    assert sent[4].startswith("WITH price AS")
    assert twilio.calls == 1


def test_no_connection_is_held_while_twilio_is_asked(
    twilio: Twilio, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio.sms(sender)
    released: list[int] = []
    monkeypatch.setattr(reported_prices, "release_connection", lambda: released.append(twilio.calls))

    twilio.read()

    assert released == [0]  # before the call


# What is counted of it ----------------------------------------------------------------------------


def test_the_hour_is_counted_again_by_itself(twilio: Twilio, sender: Sender) -> None:
    twilio.sms(sender, age=5 * HOUR)
    rollup.keep(seconds=20)
    assert DeliveryRollup.objects.get(channel="sms").unpriced == 1

    twilio.read()
    with later(HOUR.total_seconds()):  # an hour of this age is due again
        rollup.keep(seconds=20)

    row = DeliveryRollup.objects.get(channel="sms")
    assert (row.unpriced, row.priced, row.cost_micros, row.currency) == (0, 1, 7_900, "USD")


@pytest.mark.parametrize("minute", [0, 30, 59, 110])
def test_the_last_price_of_an_hour_comes_before_its_last_count(minute: int) -> None:
    """Whenever in its hour the login began, and half an hour and more after that the message was made: the hour closes
    after the last moment in which a price can come."""
    hour = rollup.hour_of(timezone.now()) - 60 * HOUR
    latest = hour + minute * MINUTE + OLDEST + timedelta(seconds=tasks.PRICES_SECONDS + 20)

    assert latest < hour + HOUR + rollup.LATE
    assert rollup.is_due(hour, latest, now=hour + HOUR + rollup.LATE)
