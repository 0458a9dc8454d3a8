"""The last step: a sample message and a test code, each followed until it arrives."""

from typing import Any

import pytest
from django.test import Client, TestCase

from channels import samples
from channels.models import SampleMessage, Sender
from channels.types import Status
from otp.models import Challenge, Purpose
from tests import factories
from tests.console.sender_setup.conftest import SetupPage, make_meta
from tests.console.sender_setup.test_actions import PHONE, history, said
from tests.otp.conftest import QueuedTasks
from tests.simulator.support import Receiver
from tests.simulator_client import SimulatorClient

pytestmark = pytest.mark.django_db


def hand_over(receiver: Receiver, count: int) -> None:
    for item in receiver.wait(count):
        names = {"x-hub-signature-256": "X-Hub-Signature-256", "x-twilio-signature": "X-Twilio-Signature"}
        headers = {name: item.headers[key] for key, name in names.items() if key in item.headers}
        kind = item.headers["content-type"]
        assert Client().post(item.path, item.body, content_type=kind, headers=headers).status_code == 200


def statuses() -> list[str]:
    return [Status(step["status"]).name for step in SampleMessage.objects.get().steps]


# hello_world ------------------------------------------------------------------------------------------


def test_hello_world_arrives_and_is_followed(
    meta: SetupPage, receiver: Receiver, provider: SimulatorClient
) -> None:
    provider.set_handset(PHONE, whatsapp="read")
    assert "Sent: see its timeline" in said(meta.press("hello", phone=" +852 5123 4567 "))
    assert statuses() == ["ACCEPTED"]
    assert "Welcome and congratulations" in provider.messages(PHONE)[0]["text"]

    hand_over(receiver, 3)

    assert statuses() == ["ACCEPTED", "SENT", "DELIVERED", "READ"]
    live = meta.client.get(f"{meta.address}live/").content.decode()
    assert "delivered" in live
    assert PHONE not in live
    assert meta.level("try") == "ok"
    assert PHONE not in "".join(history())


def test_a_refused_hello_world_says_why(meta: SetupPage, provider: SimulatorClient) -> None:
    meta.sender.values = meta.sender.values | {"access_token": "a-token-of-nobody"}
    meta.sender.save()
    meta.press("hello", phone=PHONE)

    (step,) = SampleMessage.objects.get().steps
    assert (step["reason"], step["code"]) == ("misconfigured", "190")
    assert meta.level("try") == "fail"


def test_reports_of_a_sample_come_in_any_order_and_twice(meta: SetupPage) -> None:
    sample = _sample(meta.sender)
    for status in (Status.DELIVERED, Status.SENT, Status.DELIVERED):
        samples.record([_told(sample, meta.sender, status)])

    assert statuses() == ["DELIVERED", "SENT"]


def test_another_senders_report_changes_nothing(meta: SetupPage, project: Any) -> None:
    other = make_meta(project_id=project.id)
    sample = _sample(meta.sender)

    samples.record([_told(sample, other, Status.DELIVERED)])

    assert statuses() == []


@pytest.mark.parametrize(
    "reference", [None, 5, "", "sample:", "sample:x", "01890000-0000-7000-8000-00000000abcd"]
)
def test_other_references_name_no_sample(reference: object) -> None:
    assert samples.sample_id(reference) is None


def test_an_hour_has_five_samples(meta: SetupPage, provider: SimulatorClient) -> None:
    for _nth in range(samples.MOST):
        meta.press("hello", phone=PHONE)

    assert "Five sample messages an hour" in said(meta.press("hello", phone=PHONE))
    assert len(provider.sends()) == samples.MOST


def test_the_last_samples_are_kept(meta: SetupPage) -> None:
    from django.utils import timezone

    for _nth in range(14):
        _sample(meta.sender)
    SampleMessage.objects.update(created_at=timezone.now() - samples.WITHIN)
    meta.press("hello", phone=PHONE)

    assert SampleMessage.objects.count() == samples._KEPT


@pytest.mark.parametrize("phone", ["", "5123", "no number", "51234567", "+1", "+" * 200])
@pytest.mark.parametrize("action", ["hello", "test_code"])
def test_what_is_no_number_is_refused(
    action: str, phone: str, meta: SetupPage, provider: SimulatorClient
) -> None:
    assert "no phone number" in said(meta.press(action, phone=phone))
    assert (provider.sends(), history()) == ([], [])


def _sample(sender: Sender) -> SampleMessage:
    from django.utils import timezone

    return SampleMessage.objects.create(sender=sender, phone_masked="+852••", created_at=timezone.now())


def _told(sample: SampleMessage, sender: Sender, status: Status) -> samples.SampleUpdate:
    return samples.SampleUpdate(
        sample_id=sample.pk, sender_ids=(sender.pk,), status=status, at=sample.created_at
    )


# A test code ------------------------------------------------------------------------------------------


@pytest.fixture
def served(meta: SetupPage) -> SetupPage:
    """The project's login methods promise both channels; SMS goes by a sender in memory."""
    factories.make_sender("sms")
    return meta


def send_code(page: SetupPage, queued: QueuedTasks) -> Any:
    """Pressed, committed, and sent as a worker would."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = page.press("test_code", phone=PHONE)
    queued.run()
    return answer


def test_a_test_code_goes_like_a_login_and_is_followed(
    served: SetupPage, queued: QueuedTasks, receiver: Receiver, provider: SimulatorClient
) -> None:
    answer = send_code(served, queued)
    hand_over(receiver, 2)

    challenge = Challenge.objects.get()
    assert (challenge.purpose, challenge.phone) == (Purpose.TEST_MESSAGE.value, PHONE)
    assert answer.request["QUERY_STRING"] == f"challenge={challenge.pk}"
    text = served.text(challenge=str(challenge.pk))
    assert "WhatsApp: delivered" in text
    assert factories.code_of(challenge.pk) not in text
    assert PHONE not in text
    assert "test code to +852" in history()[-1]
    assert served.level("reports") == "ok"
    assert provider.wait_for_code(PHONE) == factories.code_of(challenge.pk)


def test_it_goes_by_this_sender_alone(served: SetupPage, queued: QueuedTasks) -> None:
    """Another one would take over in a login, and hide that this one does not work."""
    served.sender.values = served.sender.values | {"access_token": "a-token-of-nobody"}
    served.sender.save()
    factories.make_sender("whatsapp", name="second", priority=2)

    send_code(served, queued)

    row = factories.deliveries(Challenge.objects.get().pk)
    assert [(item.sender_id, item.reason) for item in row] == [(served.sender.pk, "misconfigured")]


def test_a_sender_behind_others_can_be_tried(served: SetupPage, queued: QueuedTasks) -> None:
    served.sender.priority = 5
    served.sender.save()
    factories.make_sender("whatsapp", name="before", priority=1)

    send_code(served, queued)

    assert [item.sender_id for item in factories.deliveries(Challenge.objects.get().pk)] == [served.sender.pk]


def test_its_limits_are_those_of_a_login(served: SetupPage, queued: QueuedTasks) -> None:
    served.press("test_code", phone=PHONE)

    assert "reached its limits: try again in" in said(served.press("test_code", phone=PHONE))
    assert Challenge.objects.count() == 1
    assert len(history()) == 1


def test_a_sender_that_serves_nobody_sends_no_code(served: SetupPage) -> None:
    Sender.objects.filter(pk=served.sender.pk).update(is_active=False)
    served.sender.refresh_from_db()
    from core.config_models import ConfigVersion

    ConfigVersion.bump()

    assert "No project sends by this sender" in said(served.press("test_code", phone=PHONE))


def test_a_shared_sender_sends_as_the_project_that_is_chosen(served: SetupPage, queued: QueuedTasks) -> None:
    other = factories.make_project(senders=False, slug="other", name="Other", is_default=False)
    assert "As a code of" in served.text()

    served.press("test_code", phone=PHONE, project=str(other.id))
    assert Challenge.objects.get().project_id == other.id


def test_a_project_with_a_sender_of_its_own_is_not_among_them(served: SetupPage, queued: QueuedTasks) -> None:
    other = factories.make_project(senders=False, slug="other", name="Other", is_default=False)
    make_meta(project_id=other.id)

    text = said(served.press("test_code", phone=PHONE, project=str(other.id)))

    assert "No project sends by this sender" in text
    assert Challenge.objects.count() == 0


def test_a_country_that_the_project_refuses(served: SetupPage, project: Any) -> None:
    from core.config_models import ConfigVersion
    from projects.models import LoginMethods

    LoginMethods.objects.filter(project_id=project.id).update(countries_allowed=["US"])
    ConfigVersion.bump()

    assert "Not sent: " in said(served.press("test_code", phone=PHONE))


def test_a_login_of_a_person_is_not_shown_here(served: SetupPage, project: Any) -> None:
    """Whatever id is in the address."""
    from otp import services

    started = services.start_challenge(
        project=project,
        phone=factories.phone(),
        language="en",
        origin="https://x.example",
        address="203.0.113.7",
    )

    text = served.text(challenge=str(started.challenge_id))

    assert "Test code</h2>" not in text
    assert served.text(challenge="junk")


def test_an_sms_is_followed_too(twilio: SetupPage, queued: QueuedTasks, receiver: Receiver) -> None:
    make_meta()
    send_code(twilio, queued)
    hand_over(receiver, 2)

    text = twilio.text(challenge=str(Challenge.objects.get().pk))
    assert "SMS: delivered" in text
    assert "last signed event" in text
