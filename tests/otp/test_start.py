"""Starting a challenge."""

from datetime import date, timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from abuse.errors import Unavailable
from channels.models import Sender
from channels.types import Channel, Status
from otp import services
from otp.errors import ChannelNotAllowed, CountryNotAllowed, WrongCode
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from projects.models import LoginMethods, TestNumber
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start, verify


def test_a_start_writes_one_challenge_and_one_queued_whatsapp_delivery(
    start: Start, queued: QueuedTasks
) -> None:
    challenge_id = start()

    (delivery,) = factories.deliveries(challenge_id)
    assert delivery.channel == Channel.WHATSAPP
    assert delivery.status == Status.QUEUED
    assert delivery.due_at is not None
    assert queued.send == [delivery.id]


def test_the_code_is_nowhere_in_the_database(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """A9."""
    challenge_id = start()
    queued.run()

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
    verify_phone_by: str, expected: Channel, queued: QueuedTasks, providers: Providers
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
def test_a_channel_that_the_project_does_not_promise_is_refused(queued: QueuedTasks) -> None:
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


@pytest.mark.parametrize("allowed", [["GB"], ["US", "CA"]])
@pytest.mark.django_db
def test_a_country_that_is_not_allowed_receives_nothing(allowed: list[str], queued: QueuedTasks) -> None:
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
    assert queued.send == []


def test_a_saved_change_acts_on_the_next_start(start: Start, project: ProjectConfig) -> None:
    """Decision 13: the caller may still hold the project as it was."""
    methods = LoginMethods.objects.get()
    methods.otp_length = 8
    methods.save()

    assert Challenge.objects.get(id=start()).code_length == 8


@pytest.fixture
def test_number(project: ProjectConfig) -> TestNumber:
    until = timezone.now().date()
    owner = LoginMethods.objects.get().project
    return TestNumber.objects.create(project=owner, phone=factories.PHONE, code="424242", until=until)


def test_a_test_number_reaches_no_provider_and_takes_its_fixed_code(
    test_number: TestNumber, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """A10."""
    challenge_id = start()
    queued.run()

    verified = verify(challenge_id, "424242")
    assert providers.sent == []
    assert verified.is_test
    assert Challenge.objects.get(id=challenge_id).is_test


def test_a_test_number_is_an_ordinary_number_after_its_last_day(
    test_number: TestNumber, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """A10."""
    test_number.until = date(2020, 1, 1)
    test_number.save()

    start()
    queued.run()

    assert providers.channels == [Channel.WHATSAPP]


def test_no_number_takes_a_fixed_code_unless_it_is_listed(start: Start, test_number: TestNumber) -> None:
    """A10."""
    challenge_id = start(factories.OTHER_PHONE)

    with pytest.raises(WrongCode):
        verify(challenge_id, "424242")


def test_the_limiters_store_being_away_refuses_before_anything_is_written(
    start: Start, settings: LazySettings
) -> None:
    """C13: paid sends are refused, not let through."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    with pytest.raises(Unavailable):
        start()

    assert not Challenge.objects.exists()
