"""Starting a challenge."""

import threading
import uuid
from datetime import date, timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from channels.models import Sender
from channels.types import Channel, Status
from otp import services
from otp.errors import ChannelNotAllowed, CountryNotAllowed, RateLimited, Unavailable, WrongCode
from otp.models import Challenge, Delivery, EndReason
from projects.config import ProjectConfig
from projects.models import LoginMethods, TestNumber
from tests import factories
from tests.clock import later
from tests.otp.conftest import Bells, Providers, Start


def test_a_start_writes_one_challenge_and_one_queued_whatsapp_delivery(start: Start, bells: Bells) -> None:
    challenge_id = start()

    (delivery,) = factories.deliveries(challenge_id)
    assert delivery.channel == Channel.WHATSAPP
    assert delivery.status == Status.QUEUED
    assert delivery.due_at is not None
    assert bells.send == [delivery.id]


def test_the_code_is_nowhere_in_the_database(start: Start, bells: Bells, providers: Providers) -> None:
    """A9."""
    challenge_id = start()
    bells.answer()

    code = factories.code_of(challenge_id)
    rows = [*Challenge.objects.values_list(), *Delivery.objects.values_list()]
    assert all(code not in str(value) for row in rows for value in row)
    assert providers.codes == {code}


def test_the_challenge_lives_as_long_as_the_project_says(start: Start, project: ProjectConfig) -> None:
    """A3."""
    challenge = Challenge.objects.get(id=start())

    assert challenge.expires_at - challenge.created_at == timedelta(seconds=project.otp_valid_seconds)
    assert project.otp_valid_seconds <= 600


@pytest.mark.parametrize(
    ("verify_phone_by", "expected"),
    [("whatsapp_or_sms", Channel.WHATSAPP), ("whatsapp_only", Channel.WHATSAPP), ("sms_only", Channel.SMS)],
)
@pytest.mark.django_db
def test_the_first_channel_is_the_one_the_project_promises_first(
    verify_phone_by: str, expected: Channel, bells: Bells, providers: Providers
) -> None:
    project = factories.make_project(verify_phone_by=verify_phone_by)

    services.start_challenge(
        project=project,
        phone=factories.phone(),
        language="en",
        origin=factories.ORIGIN,
        address=factories.ADDRESS,
    )
    services_sent = Delivery.objects.get()

    assert services_sent.channel == expected


def test_without_a_whatsapp_sender_the_sms_goes_at_once(start: Start, project: ProjectConfig) -> None:
    Sender.objects.get(channel="whatsapp").delete()

    assert factories.channels_of(start()) == [Channel.SMS]


def test_without_any_sender_nothing_is_written(start: Start, project: ProjectConfig) -> None:
    for sender in Sender.objects.all():
        sender.delete()

    with pytest.raises(Unavailable):
        start()

    assert not Challenge.objects.exists()


def test_a_project_uses_its_own_sender_before_the_shared_one(start: Start, project: ProjectConfig) -> None:
    shared = factories.deliveries(start())[0].sender_id
    own = factories.make_sender("whatsapp", LoginMethods.objects.get().project)

    assert factories.deliveries(start(factories.OTHER_PHONE))[0].sender_id == own.id != shared


def test_an_explicit_channel_is_taken_as_it_is(start: Start) -> None:
    """D14."""
    (delivery,) = factories.deliveries(start(channel=Channel.SMS))

    assert delivery.channel == Channel.SMS
    assert delivery.chosen


@pytest.mark.django_db
def test_a_channel_that_the_project_does_not_promise_is_refused(bells: Bells) -> None:
    project = factories.make_project(verify_phone_by="whatsapp_only")

    with pytest.raises(ChannelNotAllowed):
        services.start_challenge(
            project=project,
            phone=factories.phone(),
            language="en",
            origin=factories.ORIGIN,
            address=factories.ADDRESS,
            channel=Channel.SMS,
        )

    assert not Challenge.objects.exists()


@pytest.mark.parametrize("allowed", [[], ["GB"], ["US", "CA"]])
@pytest.mark.django_db
def test_a_country_that_is_not_allowed_receives_nothing(allowed: list[str], bells: Bells) -> None:
    """C7: closed by default."""
    project = factories.make_project(countries_allowed=allowed)

    with pytest.raises(CountryNotAllowed):
        services.start_challenge(
            project=project,
            phone=factories.phone(),
            language="en",
            origin=factories.ORIGIN,
            address=factories.ADDRESS,
        )

    assert not Challenge.objects.exists()
    assert bells.send == []


def test_a_saved_change_acts_on_the_next_start(start: Start, project: ProjectConfig) -> None:
    """Decision 13: the caller may still hold the project as it was."""
    methods = LoginMethods.objects.get()
    methods.otp_length = 8
    methods.save()

    assert Challenge.objects.get(id=start()).code_length == 8


def test_the_same_form_posted_twice_is_one_challenge_and_one_message(start: Start, bells: Bells) -> None:
    """C2."""
    first = start(form_token="form-1")
    second = start(form_token="form-1")

    assert first == second
    assert len(bells.send) == 1


def test_another_form_for_the_same_number_must_wait(start: Start) -> None:
    """C3: also from another browser and another address."""
    start(form_token="form-1")

    with pytest.raises(RateLimited) as refused:
        start(form_token="form-2", address="198.51.100.9")

    assert 0 < refused.value.wait_seconds <= 30
    assert Challenge.objects.count() == 1


def test_a_form_whose_challenge_is_over_begins_a_new_one(start: Start, bells: Bells) -> None:
    first = start(form_token="form-1")
    services.cancel(challenge_id=first)

    with later(45):
        second = start(form_token="form-1")

    assert second != first
    assert len(bells.send) == 2


def test_the_same_browser_and_number_goes_on_with_its_challenge(start: Start, bells: Bells) -> None:
    """Back, the same number again: no error and no second message within the wait."""
    first = start(form_token="form-1")

    assert start(form_token="form-2", replaces=first) == first
    assert len(bells.send) == 1


def test_the_same_browser_and_number_after_the_wait_sends_again(start: Start, bells: Bells) -> None:
    first = start(form_token="form-1")

    with later(31):
        assert start(form_token="form-2", replaces=first) == first

    assert len(bells.send) == 2


def test_the_same_number_with_another_channel_is_a_switch(start: Start, bells: Bells) -> None:
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


@pytest.fixture
def test_number(project: ProjectConfig) -> TestNumber:
    until = timezone.now().date()
    owner = LoginMethods.objects.get().project
    return TestNumber.objects.create(project=owner, phone=factories.PHONE, code="424242", until=until)


def test_a_test_number_reaches_no_provider_and_takes_its_fixed_code(
    test_number: TestNumber, start: Start, bells: Bells, providers: Providers
) -> None:
    """A10."""
    challenge_id = start()
    bells.answer()

    verified = services.verify_challenge(challenge_id=challenge_id, code="424242", address=factories.ADDRESS)
    assert providers.sent == []
    assert verified.is_test
    assert Challenge.objects.get(id=challenge_id).is_test


def test_a_test_number_is_an_ordinary_number_after_its_last_day(
    test_number: TestNumber, start: Start, bells: Bells, providers: Providers
) -> None:
    """A10."""
    test_number.until = date(2020, 1, 1)
    test_number.save()

    start()
    bells.answer()

    assert providers.channels == [Channel.WHATSAPP]


def test_no_number_takes_a_fixed_code_unless_it_is_listed(start: Start, test_number: TestNumber) -> None:
    """A10."""
    challenge_id = start(factories.OTHER_PHONE)

    with pytest.raises(WrongCode):
        services.verify_challenge(challenge_id=challenge_id, code="424242", address=factories.ADDRESS)


@pytest.mark.django_db(transaction=True)
def test_twenty_concurrent_posts_of_one_form_give_one_message(bells: Bells) -> None:
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
    assert len(bells.send) == 1


def test_the_limiters_store_being_away_refuses_before_anything_is_written(
    start: Start, settings: LazySettings
) -> None:
    """C13: paid sends are refused, not let through."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    with pytest.raises(Unavailable):
        start()

    assert not Challenge.objects.exists()
