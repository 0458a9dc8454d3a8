"""What reports change of a sample message: in any order, more than once, and never another sender's."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from channels import samples
from channels.models import SampleMessage, Sender
from channels.samples import SampleUpdate
from channels.types import Status
from tests import factories

AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def make_sender() -> Sender:
    return factories.make_sender("whatsapp", provider="meta")


@pytest.fixture
def sender(db: None) -> Sender:
    return make_sender()


def make_sample(sender: Sender) -> SampleMessage:
    return SampleMessage.objects.create(sender=sender, phone_masked="+52 ••", created_at=timezone.now())


def report(
    sample: SampleMessage, *statuses: Status, sender_ids: tuple[uuid.UUID, ...] = (), **fields: Any
) -> None:
    known: dict[str, Any] = {
        "sample_id": sample.pk,
        "at": AT,
        "sender_ids": sender_ids or (sample.sender_id,),
    }
    samples.record(SampleUpdate(**(known | fields), status=status) for status in statuses)


def steps(sample: SampleMessage) -> list[Status]:
    sample.refresh_from_db()
    return [Status(step["status"]) for step in sample.steps]


def test_a_report_is_a_step_with_the_providers_time_and_code(sender: Sender) -> None:
    sample = make_sample(sender)

    report(sample, Status.FAILED, reason="not_on_channel", code="131026")

    sample.refresh_from_db()
    assert sample.steps == [
        {"at": AT.isoformat(), "status": Status.FAILED.value, "reason": "not_on_channel", "code": "131026"}
    ]


def test_a_status_is_kept_once_as_it_came_first(sender: Sender) -> None:
    sample = make_sample(sender)
    report(sample, Status.SENT)

    report(sample, Status.SENT, Status.DELIVERED, at=AT + timedelta(hours=1))

    assert steps(sample) == [Status.SENT, Status.DELIVERED]
    assert sample.steps[0]["at"] == AT.isoformat()


def test_a_report_may_be_signed_for_several_senders(sender: Sender) -> None:
    sample = make_sample(sender)

    report(sample, Status.SENT, sender_ids=(uuid.uuid4(), sender.id))

    assert steps(sample) == [Status.SENT]


def test_reports_of_others_and_of_none_change_nothing_and_stop_nothing(sender: Sender) -> None:
    sample, other = make_sample(sender), make_sender()

    report(sample, Status.READ, sender_ids=(other.id,))
    report(sample, Status.READ, sample_id=uuid.uuid4())
    report(sample, Status.SENT)

    assert steps(sample) == [Status.SENT]
    assert SampleMessage.objects.count() == 1


def test_steps_end_somewhere(sender: Sender) -> None:
    sample = make_sample(sender)
    sample.steps = [{"at": AT.isoformat(), "status": 90 + nth, "reason": "", "code": ""} for nth in range(12)]
    sample.save()

    report(sample, Status.READ)

    sample.refresh_from_db()
    assert len(sample.steps) == samples._MOST_STEPS
    assert sample.steps[-1]["status"] != Status.READ.value


# References -------------------------------------------------------------------------------------------


@given(st.uuids())
def test_a_reference_names_its_sample_and_a_bare_id_none(known: uuid.UUID) -> None:
    assert samples.sample_id(f"sample:{known}") == known
    assert samples.sample_id(str(known)) is None
    assert samples.sample_id(f" sample:{known}") is None
