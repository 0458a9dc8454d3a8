"""Prices when Twilio refuses, is away or answers nonsense, when workers die and when several run at once."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import respx
from structlog.testing import capture_logs

from channels.models import Sender, SenderHealth
from channels.prices import ReportedPrice
from core import http
from otp.models import Delivery
from otp.store import prices
from projects.config import ProjectConfig
from simulator.accounts import TwilioAccount
from stats import reported_prices
from stats.models import PriceReading
from stats.reported_prices import EVERY, LEASE, LONGEST_WAIT
from tests.clock import later
from tests.stats.priced import HOUR, MINUTE, Twilio, make_sender, price_of, waits
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.stores]

OTHER = TwilioAccount(account_sid="AC" + "e" * 32, auth_token="another-token")
BASE = "https://twilio.example"


@pytest.fixture
def sender(project: ProjectConfig) -> Sender:
    return make_sender()


def about_prices(logs: list[Any]) -> list[Any]:
    return [entry for entry in logs if entry["event"].startswith("prices.")]


# Twilio -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outage", ["error_500", "error_503_html", "rate_limited", "token_expired", "not_json", "refuse"]
)
def test_an_account_that_cannot_be_read_is_asked_later(outage: str, twilio: Twilio, sender: Sender) -> None:
    sent = twilio.sms(sender)
    twilio.fails(outage)

    assert (twilio.read(), twilio.calls) == (0, 1)
    assert (twilio.read(), twilio.calls) == (0, 1)  # not at once
    twilio.fails(None)
    with later(EVERY.total_seconds() + 1):
        assert (twilio.read(), price_of(sent)) == (1, (7_900, "USD"))
    assert PriceReading.objects.get().failures == 0


def test_it_waits_longer_and_longer_and_tells_once(twilio: Twilio, sender: Sender) -> None:
    twilio.sms(sender)
    twilio.fails("rate_limited")
    seen, seconds = [], 0.0
    with capture_logs() as logs:
        for _ in range(14):
            with later(seconds):
                twilio.read()
                (wait,) = waits()
            seen.append(wait)
            seconds += wait.total_seconds() + 1

    assert seen[:4] == [EVERY, 2 * EVERY, 4 * EVERY, 8 * EVERY]
    assert set(seen[4:]) == {LONGEST_WAIT}
    assert twilio.calls == 14
    (entry,) = about_prices(logs)
    assert (entry["event"], entry["log_level"]) == ("prices.unreadable", "warning")
    assert entry["sender_id"] == str(sender.id)
    assert "rate_limited (20429)" in entry["error"]


def test_it_tells_when_prices_can_be_read_again(twilio: Twilio, sender: Sender) -> None:
    twilio.sms(sender)
    twilio.fails("error_500")
    twilio.read()
    twilio.fails(None)

    with capture_logs() as logs, later(EVERY.total_seconds() + 1):
        twilio.read()

    assert [entry["event"] for entry in about_prices(logs)] == ["prices.readable_again"]


def test_neither_credentials_nor_numbers_are_logged(twilio: Twilio, sender: Sender) -> None:
    twilio.sms(sender)
    twilio.fails("token_expired")

    with capture_logs() as logs:
        twilio.read()

    text = repr(logs)
    assert "prices.unreadable" in text
    for secret in (*sender.secrets.values(), sender.settings["account_sid"], "+852"):
        assert str(secret) not in text


def test_a_failure_says_nothing_of_the_senders_health(twilio: Twilio, sender: Sender) -> None:
    """Its messages go on."""
    twilio.sms(sender)
    twilio.fails("token_expired")

    twilio.read()

    assert not SenderHealth.objects.exists()


def test_one_account_does_not_hold_up_another(twilio: Twilio, sender: Sender) -> None:
    wrong = make_sender(OTHER, name="unknown")
    twilio.sms(wrong, account=OTHER)
    sent = twilio.sms(sender)

    assert (twilio.read(), twilio.calls) == (1, 2)
    assert price_of(sent) == (7_900, "USD")
    assert sorted(PriceReading.objects.values_list("failures", flat=True)) == [0, 1]


def test_after_a_failure_another_sender_of_the_account_asks(twilio: Twilio, project: ProjectConfig) -> None:
    """The token of one was rotated at Twilio, that of the other was entered since."""
    old = make_sender(auth_token="the-token-before")
    make_sender(name="second")
    sent = twilio.sms(old)

    twilio.read()
    with later(EVERY.total_seconds() + 1):
        twilio.read()

    assert (twilio.calls, price_of(sent)) == (2, (7_900, "USD"))


def test_a_next_page_that_is_refused_begins_again(
    twilio: Twilio, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twilio forgets its tokens some time."""
    monkeypatch.setattr(reported_prices, "PAGES", 1)
    monkeypatch.setattr(reported_prices, "MOST", 2)
    monkeypatch.setattr(reported_prices, "FEWEST", 1)
    for nth in range(4):
        twilio.sms(sender, age=HOUR + nth * MINUTE)
    assert twilio.read() == 2
    PriceReading.objects.update(next_page="PageSize=2&Page=1&PageToken=PASM" + "0" * 32)

    assert twilio.read() == 0
    assert PriceReading.objects.get().next_page == ""
    monkeypatch.setattr(reported_prices, "PAGES", 20)
    with later(EVERY.total_seconds() + 1):
        assert twilio.read() == 2


def test_an_answer_that_is_too_long_is_asked_for_in_smaller_pages(
    project: ProjectConfig, twilio: Twilio, sender: Sender
) -> None:
    """Otherwise one span of long texts would hold up all that come after it."""
    for nth in range(8):
        twilio.sms(sender, age=HOUR + nth * MINUTE)
    sizes = []

    class Short(http.HttpClient):
        def get(self, url: str, *, headers: Mapping[str, str]) -> http.Answer:
            sizes.append(int(url.rpartition("PageSize=")[2].partition("&")[0]))
            answer = twilio.client.get(url, headers=headers)
            return answer if sizes[-1] <= 250 else http.Answer(status=200, body=answer.body[:-1])

    stored = []
    for seconds in (0, 1, 3, 7):
        with later(seconds * EVERY.total_seconds() + seconds):
            stored.append(reported_prices.read(seconds=20, client=Short()))

    assert (stored, sizes) == ([0, 0, 8, 0], [1000, 500, 250])


@pytest.mark.parametrize("number", [1, 30])
def test_pages_that_lead_to_themselves_end(
    number: int, twilio: Twilio, sender: Sender, settings: Any
) -> None:
    twilio.sms(sender)
    settings.PROVIDER_API_URLS = {"twilio": BASE}
    path = f"/2010-04-01/Accounts/{sender.settings['account_sid']}/Messages.json"
    with respx.mock() as router:
        pages = router.get(url__startswith=f"{BASE}{path}")
        pages.side_effect = [
            respx.MockResponse(json={"messages": [], "next_page_uri": f"{path}?Page={nth % number + 1}"})
            for nth in range(30)
        ]
        twilio.read()

    assert pages.call_count == (2 if number == 1 else reported_prices.PAGES)


def test_an_answer_leads_to_no_other_host(twilio: Twilio, sender: Sender, settings: Any) -> None:
    twilio.sms(sender)
    settings.PROVIDER_API_URLS = {"twilio": BASE}
    path = f"/2010-04-01/Accounts/{sender.settings['account_sid']}/Messages.json"
    with respx.mock() as router:
        page = router.get(url__startswith=f"{BASE}{path}")
        page.respond(json={"messages": [], "next_page_uri": f"https://attacker.example{path}?Page=1"})
        twilio.read()  # any other call would be an error here

    assert page.call_count == 1
    assert PriceReading.objects.get().failures == 1


def test_a_backlog_after_an_outage_of_days_is_read_as_far_as_it_counts(
    twilio: Twilio, sender: Sender
) -> None:
    twilio.read()
    with later(timedelta(days=4).total_seconds()):
        old = twilio.sms(sender, age=50 * HOUR)
        young = twilio.sms(sender, age=40 * HOUR)
        twilio.read()

    assert (price_of(old), price_of(young)) == ((None, ""), (7_900, "USD"))


# Workers ------------------------------------------------------------------------------------------


class Crash(Exception):
    pass


class Crashing(http.HttpClient):
    def get(self, url: str, *, headers: Mapping[str, str]) -> http.Answer:
        raise Crash


def test_another_run_takes_over_from_one_that_died(twilio: Twilio, sender: Sender) -> None:
    sent = twilio.sms(sender)
    with pytest.raises(Crash):
        reported_prices.read(seconds=20, client=Crashing())

    assert (twilio.read(), twilio.calls) == (0, 0)
    with later(LEASE.total_seconds() + 1):
        assert (twilio.read(), price_of(sent)) == (1, (7_900, "USD"))


def test_a_run_that_lost_its_account_writes_nothing_of_it(twilio: Twilio, sender: Sender) -> None:
    """It hung for longer than its lease, and another one has been at work since."""
    twilio.sms(sender)

    class Slow(http.HttpClient):
        def get(self, url: str, *, headers: Mapping[str, str]) -> http.Answer:
            with later(LEASE.total_seconds() + 1):
                twilio.read()
            return twilio.client.get(url, headers=headers)

    reported_prices.read(seconds=20, client=Slow())

    assert waits()[0] > LEASE + EVERY - MINUTE  # as the second run wrote it
    assert Delivery.objects.exclude(price_micros=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_several_runs_at_once_ask_once(twilio: Twilio, sender: Sender) -> None:
    for nth in range(6):
        twilio.sms(sender, age=HOUR + nth * MINUTE)

    results = at_once([twilio.read] * 4)

    assert sorted(results, key=repr) == [0, 0, 0, 6]
    assert twilio.calls == 1
    assert PriceReading.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_page_stored_by_several_at_once_is_stored_once(twilio: Twilio, sender: Sender) -> None:
    """Whichever was first; and no two wait for each other for ever, whatever the order of their pages."""
    ids = [twilio.sms(sender).provider_message_id for _ in range(40)]

    def page(micros: int, order: int) -> int:
        told = [
            ReportedPrice(provider_message_id=item, micros=micros, currency="USD") for item in ids[::order]
        ]
        return prices.record(told, sender_ids=[sender.id])

    results = at_once([partial(page, 1_000 + nth, -1 if nth % 2 else 1) for nth in range(4)])

    assert all(isinstance(result, int) for result in results), results
    assert sum(int(str(result)) for result in results) == 40
    assert set(Delivery.objects.values_list("price_micros", flat=True)) <= {1_000, 1_001, 1_002, 1_003}
    assert not Delivery.objects.filter(price_micros=None).exists()
