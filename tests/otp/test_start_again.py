"""Starting again: the same form, the same browser, the same number."""

import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from abuse.errors import RateLimited, Unavailable
from channels.models import Sender
from channels.types import Channel
from core.ids import oldest_id_at
from otp import services
from otp import start as starting
from otp.models import Challenge, Delivery
from otp.types import EndReason
from tests import factories
from tests.clock import later
from tests.otp.conftest import QueuedTasks, Start


def test_the_same_form_posted_twice_is_one_challenge_and_one_message(
    start: Start, queued: QueuedTasks
) -> None:
    """C2."""
    first = start(form_token="form-1")
    second = start(form_token="form-1")

    assert first == second
    assert len(queued.send) == 1


def test_another_form_for_the_same_number_must_wait(start: Start) -> None:
    """C3: also from another browser and another address."""
    start(form_token="form-1")

    with pytest.raises(RateLimited) as refused:
        start(form_token="form-2", address="198.51.100.9")

    assert 0 < refused.value.wait_seconds <= 30
    assert Challenge.objects.count() == 1


def test_a_form_whose_challenge_is_over_begins_a_new_one(start: Start, queued: QueuedTasks) -> None:
    first = start(form_token="form-1")
    services.cancel(challenge_id=first)

    with later(45):
        second = start(form_token="form-1")

    assert second != first
    assert len(queued.send) == 2


def test_the_same_browser_and_number_goes_on_with_its_challenge(start: Start, queued: QueuedTasks) -> None:
    """Back, the same number again: no error and no second message within the wait."""
    first = start(form_token="form-1")

    assert start(form_token="form-2", replaces=first) == first
    assert len(queued.send) == 1


def test_the_same_browser_and_number_after_the_wait_sends_again(start: Start, queued: QueuedTasks) -> None:
    first = start(form_token="form-1")

    with later(31):
        assert start(form_token="form-2", replaces=first) == first

    assert len(queued.send) == 2


def test_the_same_number_with_another_channel_is_a_switch(start: Start, queued: QueuedTasks) -> None:
    """D14: back to the form, then "Get the code by SMS"."""
    first = start(form_token="form-1")

    again = [start(form_token=f"form-{nth}", replaces=first, channel=Channel.SMS) for nth in (2, 3)]

    assert again == [first, first]
    assert factories.channels_of(first) == [Channel.WHATSAPP, Channel.SMS]
    assert factories.deliveries(first)[1].chosen


def test_another_number_ends_the_browsers_earlier_challenge(start: Start) -> None:
    """D4: nothing more is sent for an attempt that was left."""
    first = start(form_token="form-1")
    second = start(factories.OTHER_PHONE, form_token="form-2", replaces=first)

    ended = Challenge.objects.get(id=first)
    assert second != first
    assert ended.end_reason == EndReason.RESTARTED
    assert factories.deliveries(first)[0].due_at is None


def test_two_browsers_may_both_have_a_challenge_for_one_number(start: Start) -> None:
    """A7."""
    first = start(form_token="form-1")

    with later(31):
        second = start(form_token="form-2", address="198.51.100.9")

    assert first != second
    assert Challenge.objects.filter(ended_at=None).count() == 2


@pytest.mark.django_db(transaction=True)
def test_twenty_concurrent_posts_of_one_form_give_one_message(queued: QueuedTasks) -> None:
    """C2, with real transactions."""
    project = factories.make_project()
    phone = factories.phone()
    barrier = threading.Barrier(20)
    results: list[uuid.UUID | Exception] = []

    def post() -> None:
        from django.db import connection

        barrier.wait()
        try:
            started = services.start_challenge(
                project=project,
                phone=phone,
                language="en",
                origin=factories.ORIGIN,
                address=factories.ADDRESS,
                form_token="the form",
            )
            results.append(started.challenge_id)
        except Exception as error:  # noqa: BLE001 # shown by the assertion below
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert len(set(results)) == 1, results
    assert Challenge.objects.count() == Delivery.objects.count() == 1
    assert len(queued.send) == 1


def test_a_form_that_was_charged_and_never_stored_is_not_waited_for_later(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the moment in which the other post may still be committing is: whoever posts the form again and again later
    keeps no thread of the server busy."""
    sender = Sender.objects.get(channel="whatsapp")
    Sender.objects.all().delete()
    minute_ago = oldest_id_at(timezone.now() - timedelta(minutes=1))
    with monkeypatch.context() as patch:
        patch.setattr(starting, "new_id", lambda: minute_ago)
        with pytest.raises(Unavailable):
            start(form_token="form-1")
    sender.save(force_insert=True)
    begun = time.monotonic()

    with CaptureQueriesContext(connection) as queries, pytest.raises(RateLimited):
        start(form_token="form-1")

    assert time.monotonic() - begun < 1
    assert len(queries) < 10
