"""What a start gives: the challenge as it is at that moment, and the earlier one for a caller that repeats itself."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from channels.types import Channel
from otp import services
from otp.errors import ChallengeExpired
from otp.models import Challenge, PhoneRecord
from otp.types import ChallengeView, Started
from projects.config import ProjectConfig, projects
from projects.models import LoginMethods, TestNumber
from tests import factories
from tests.clock import later
from tests.otp.conftest import QueuedTasks


def begin(project: ProjectConfig, number: str = factories.PHONE, **more: object) -> Started:
    values: dict[str, object] = {
        "project": project,
        "phone": factories.phone(number),
        "language": "en",
        "origin": factories.ORIGIN,
        "address": factories.ADDRESS,
    }
    return services.start_challenge(**(values | more))  # type: ignore[arg-type] # as given


def before(project: ProjectConfig, token: str, number: str = factories.PHONE) -> Started | None:
    return services.started_before(project=project, phone=factories.phone(number), form_token=token)


@pytest.mark.parametrize("channel", [None, Channel.WHATSAPP, Channel.SMS])
def test_a_new_challenge_is_known_without_reading_it(
    project: ProjectConfig, queued: QueuedTasks, channel: Channel | None
) -> None:
    """The view that a start gives is the one that reading gives, to the microsecond."""
    with time_machine.travel(timezone.now(), tick=False):
        started = begin(project, channel=channel)
        read = services.describe(challenge_id=started.challenge_id)

    assert started.created
    assert started.view == read


def test_also_when_the_number_was_guessed_at(project: ProjectConfig, queued: QueuedTasks) -> None:
    now = timezone.now()
    PhoneRecord.objects.create(
        project_id=project.id, phone=factories.PHONE, wrong_guesses=100, updated_at=now
    )

    with time_machine.travel(timezone.now(), tick=False):
        started = begin(project)
        read = services.describe(challenge_id=started.challenge_id)

    assert started.view == read
    assert read.attempts_left == 1


@pytest.mark.parametrize("days", [0, 6, 8])
def test_a_start_says_nothing_of_what_is_remembered_of_the_number(
    project: ProjectConfig, queued: QueuedTasks, days: int
) -> None:
    """S5: whether WhatsApp was asked for it here lately."""
    then = timezone.now() - timedelta(days=days)
    PhoneRecord.objects.create(
        project_id=project.id, phone=factories.PHONE, not_on_whatsapp_at=then, updated_at=then
    )

    with time_machine.travel(timezone.now(), tick=False):
        told = [begin(project, number).view for number in (factories.PHONE, "+85251234568")]

    assert told[0]
    assert told[1]
    assert _without_names(told[0]) == _without_names(told[1])
    assert told[0].channel is Channel.WHATSAPP


def _without_names(view: ChallengeView) -> dict[str, object]:
    return {name: value for name, value in vars(view).items() if name not in ("id", "phone", "phone_masked")}


def test_also_for_a_test_number_and_a_single_channel(project: ProjectConfig, queued: QueuedTasks) -> None:
    TestNumber.objects.create(
        project_id=project.id, phone=factories.PHONE, code="424242", until=date(2999, 1, 1)
    )
    methods = LoginMethods.objects.get()
    methods.verify_phone_by, methods.otp_length = "sms_only", 8
    methods.save()

    with time_machine.travel(timezone.now(), tick=False):
        started = begin(projects.get().by_id[project.id])
        read = services.describe(challenge_id=started.challenge_id)

    assert started.view == read
    assert (read.code_length, read.channels) == (6, (Channel.SMS,))  # of the fixed code


def test_one_that_was_there_has_to_be_read(project: ProjectConfig, queued: QueuedTasks) -> None:
    first = begin(project, form_token="form")
    again = begin(project, form_token="form")

    assert (again.challenge_id, again.created, again.view) == (first.challenge_id, False, None)


def test_the_earlier_challenge_of_a_token_is_found_whatever_became_of_it(
    project: ProjectConfig, queued: QueuedTasks
) -> None:
    first = begin(project, form_token="one")
    services.cancel(challenge_id=first.challenge_id)

    with later(5000):
        found = before(project, "one")

    assert found
    assert (found.challenge_id, found.phone_key, found.created) == (
        first.challenge_id,
        first.phone_key,
        False,
    )
    with pytest.raises(ChallengeExpired):
        services.resend(challenge_id=found.challenge_id, address=factories.ADDRESS)


def test_a_form_that_is_posted_again_after_its_end_is_a_new_wish(
    project: ProjectConfig, queued: QueuedTasks
) -> None:
    """The difference to the hosted pages."""
    first = begin(project, form_token="one")
    services.cancel(challenge_id=first.challenge_id)

    with later(100):
        assert begin(project, form_token="one").challenge_id != first.challenge_id


def test_it_is_found_by_its_own_token_number_and_project_only(
    project: ProjectConfig, queued: QueuedTasks
) -> None:
    begin(project, form_token="one")
    begin(project, factories.OTHER_PHONE)
    other = factories.make_project(slug="other", is_default=False)

    assert before(project, "two") is None
    assert before(project, "one", factories.OTHER_PHONE) is None
    assert before(other, "one") is None
    assert before(project, "") is None
    assert Challenge.objects.count() == 2
