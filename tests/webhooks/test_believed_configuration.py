"""Which configuration a report goes by: the one that its process heard of a moment ago, for 100 ms at most."""

from typing import Any

import pytest
from django.test import Client

from channels.models import Sender, SenderReports
from core import config_version
from core.config_models import ConfigVersion
from tests.core.test_config_believed import Clock, Store
from tests.webhooks import support
from tests.webhooks.conftest import HandedOver
from tests.webhooks.whatsapp import PATH, make_sender, post

pytestmark = pytest.mark.django_db
BODY = support.reporting(support.status())


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setattr(config_version, "redis_client", lambda: made)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(config_version, "time", made)
    return made


@pytest.fixture
def sender(store: Store, clock: Clock, handed_over: HandedOver) -> Sender:
    """One whose reports arrive, in a process that has just heard of it."""
    made = make_sender(app_secret_previous="")
    config_version.Cached.clear_all()
    assert post(BODY).status_code == 200
    store.asked = 0
    return made


def change(sender: Sender, store: Store, **fields: Any) -> None:
    """As another process saves it: the row and Redis say so, this process has not heard of it."""
    for name, value in fields.items():
        setattr(sender, name, value)
    heard = config_version._heard
    sender.save()
    config_version._heard = heard
    stored = ConfigVersion.objects.get().value
    assert store.version
    store.version = max(store.version + 1, stored)


def test_most_reports_ask_nothing_of_the_configuration(sender: Sender, store: Store, clock: Clock) -> None:
    for _ in range(20):
        clock.now += 0.004
        assert post(BODY).status_code == 200

    assert store.asked == 0


def test_a_busy_process_asks_ten_times_a_second(sender: Sender, store: Store, clock: Clock) -> None:
    for _ in range(100):
        clock.now += 0.010001
        post(BODY)

    assert store.asked == 10


def test_a_sender_that_is_switched_off_reports_for_a_tenth_of_a_second(
    sender: Sender, store: Store, clock: Clock
) -> None:
    change(sender, store, is_active=False)

    clock.now += 0.09
    assert post(BODY).status_code == 200
    clock.now += 0.02
    assert post(BODY).status_code == 401


def test_a_secret_that_was_taken_away_counts_no_longer_than_that(
    sender: Sender, store: Store, clock: Clock, handed_over: HandedOver
) -> None:
    sender.secrets = sender.secrets | {"app_secret": "another"}
    change(sender, store)

    clock.now += 0.09
    assert post(BODY).status_code == 200
    clock.now += 0.02
    taken = len(handed_over.updates)
    assert post(BODY).status_code == 401
    assert len(handed_over.updates) == taken


def test_a_new_secret_counts_at_once(sender: Sender, store: Store, handed_over: HandedOver) -> None:
    """A refused report may not come again."""
    sender.secrets = sender.secrets | {"app_secret": "another"}
    change(sender, store)
    taken = len(handed_over.updates)

    assert post(BODY, secret="another").status_code == 200

    assert len(handed_over.updates) == taken + 1
    assert store.asked == 1
    assert not SenderReports.objects.filter(refused__gt=0).exists()


def test_a_forged_post_is_refused_after_one_question(sender: Sender, store: Store) -> None:
    assert post(BODY, secret="guessed").status_code == 401
    assert store.asked == 1
    assert SenderReports.objects.get().refused == 1


def test_a_post_without_a_signature_asks_nothing(sender: Sender, store: Store, clock: Clock) -> None:
    clock.now += 10
    assert post(BODY, signature="").status_code == 401
    assert store.asked == 0


def test_the_verification_of_the_address_goes_by_the_newest(sender: Sender, store: Store) -> None:
    """Meta calls in the moment when the token is saved, and only once."""
    sender.secrets = sender.secrets | {"verify_token": "brand new"}
    change(sender, store)

    response = Client().get(
        PATH, {"hub.mode": "subscribe", "hub.verify_token": "brand new", "hub.challenge": "1"}
    )

    assert (response.status_code, response.content) == (200, b"1")


def test_while_redis_is_away_the_row_is_read_each_time(sender: Sender, store: Store, clock: Clock) -> None:
    change(sender, store, is_active=False)
    store.away = True
    clock.now += 0.2

    assert post(BODY).status_code == 401
