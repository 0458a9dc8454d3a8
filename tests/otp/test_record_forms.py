"""The two statements of reports do the same for what both can do, and the one that can do no other is not asked to."""

import uuid
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from channels.types import Channel, FailureReason, Status, StatusUpdate
from core import sql
from otp import services
from otp.models import Delivery, DeliveryEvent
from otp.store import updates
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.test_two_forms import IDS, NOW, Compare, _tables, compare, many, members, senders, worlds
from tests.threads import at_once

__all__ = ["compare", "senders"]  # fixtures

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@st.composite
def reports(draw: st.DrawFn, places: Sequence[tuple[int, Channel]]) -> list[dict[str, Any]]:
    """One for each delivery."""
    return [
        {
            "delivery_id": str(uuid.uuid5(IDS[nth], channel)),
            "provider_message_id": draw(st.sampled_from([f"id-{nth}-{channel}", 'odd"\\{id},'])),
            "status": draw(st.sampled_from(list(Status)[2:])),
            "occurred_at": NOW + timedelta(seconds=draw(st.integers(-90, 30))),
            "reason": draw(st.sampled_from([None, FailureReason.NOT_ON_CHANNEL, FailureReason.UNKNOWN])),
            "provider_code": draw(st.sampled_from(["", "131026", "1" * 30])),
            "price_category": draw(st.sampled_from(["", "authentication", "free"])),
        }
        for nth, channel in places
    ]


_PLACES = [(nth, channel) for nth in range(3) for channel in Channel]


@many
@given(world=worlds(), data=st.data())
def test_the_same_of_both_statements(compare: Compare, world: dict[str, Any], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.sampled_from(_PLACES), unique=True, min_size=1))
    sender = st.sampled_from([*compare.senders.values(), uuid.UUID(int=9)])
    batch = [StatusUpdate(sender_ids=(data.draw(sender),), **fields) for fields in data.draw(reports(places))]
    outcomes = []

    def act() -> object:
        """By the first where it is taken or by the other, and then by the portable form."""
        rows = members(updates.record(batch, now=NOW))
        outcomes.append((rows, _tables()))
        return rows

    compare(world, act)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(updates, "_are_different", lambda _rows: False)
        compare(world, act)

    assert outcomes[0] == outcomes[1] == outcomes[2] == outcomes[3]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that run."""
    sent: list[str] = []
    run = sql.tuples

    def note(statement: str, *args: Any, **options: Any) -> list[tuple[Any, ...]]:
        sent.append(statement)
        return run(statement, *args, **options)

    monkeypatch.setattr(sql, "tuples", note)
    return sent


@pytest.fixture
def sent(start: Start, queued: QueuedTasks, providers: Providers) -> list[Delivery]:
    for nth in range(3):
        start(f"+8525123{4000 + nth}", address=f"198.51.{nth}.1")
    queued.run()
    return list(Delivery.objects.all())


def test_different_deliveries_by_our_id(sent: list[Delivery], taken: list[str]) -> None:
    services.record_status_updates([factories.report(item, Status.SENT) for item in sent])
    services.record_status_updates([factories.report(sent[0], Status.READ)])

    assert taken == [updates._RECORD_RAISED] * 2
    assert sorted(row.status for row in Delivery.objects.all()) == [Status.SENT, Status.SENT, Status.READ]


def test_a_repeated_post_changes_nothing(sent: list[Delivery], taken: list[str]) -> None:
    batch = [factories.report(item, Status.SENT) for item in sent]
    services.record_status_updates(batch)
    kept = _tables()

    services.record_status_updates(batch)

    assert taken == [updates._RECORD_RAISED, updates._RECORD_RAISED, updates._RECORD_ANY]
    assert _tables() == kept


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("together", [True, False], ids=["in one transaction", "alone"])
def test_only_what_raises_nothing_is_given_to_the_other_statement(
    sent: list[Delivery], monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    """In a transaction all is: it may wait for other batches, and must not hold locks then."""
    services.record_status_updates([factories.report(sent[1], Status.READ)])
    rows: list[tuple[str, int]] = []
    run = updates._run

    def note(statement: str, batch: Sequence[tuple[Any, ...]], now: datetime) -> list[updates.Alike]:
        rows.append((statement, len(batch)))
        return run(statement, batch, now)

    monkeypatch.setattr(updates, "_run", note)

    with transaction.atomic() if together else nullcontext():
        groups = updates.record([factories.report(item, Status.SENT) for item in sent], now=timezone.now())

    assert rows == [(updates._RECORD_RAISED, 3), (updates._RECORD_ANY, 3 if together else 1)]
    assert sorted(key for group in groups for key in group.delivery_ids) == sorted(
        [str(sent[0].id), str(sent[2].id)]
    )
    assert sorted(row.status for row in Delivery.objects.all()) == [Status.SENT, Status.SENT, Status.READ]
    assert DeliveryEvent.objects.filter(status=Status.SENT).count() == 3


@pytest.mark.parametrize("together", [True, False])
def test_a_status_that_somebody_lowered_by_hand_climbs_again(
    sent: list[Delivery], taken: list[str], together: bool
) -> None:
    """Its event is there already: the first statement refuses that, the other does not. None of the batch is lost."""
    batch = [factories.report(item, Status.READ) for item in sent]
    services.record_status_updates(batch[:1])
    Delivery.objects.filter(id=sent[0].id).update(status=Status.ACCEPTED)
    taken.clear()

    with capture_logs() as logs:
        services.record_status_updates(batch if together else batch[:1])

    assert taken == [updates._RECORD_RAISED, updates._RECORD_ANY]
    assert [line["received"] for line in logs if line["event"] == "reports.status_was_lowered"] == [
        3 if together else 1
    ]
    moved = sent if together else sent[:1]
    assert all(Delivery.objects.get(id=item.id).status == Status.READ for item in moved)
    assert DeliveryEvent.objects.filter(status=Status.READ).count() == len(moved)


def test_one_delivery_twice(sent: list[Delivery], taken: list[str]) -> None:
    batch = [factories.report(sent[0], status) for status in (Status.READ, Status.SENT)]

    services.record_status_updates(batch)

    assert taken == [updates._RECORD_ANY]
    assert Delivery.objects.get(id=sent[0].id).status == Status.READ
    assert DeliveryEvent.objects.filter(delivery=sent[0], status__gt=Status.ACCEPTED).count() == 2


def test_one_without_our_id(sent: list[Delivery], taken: list[str]) -> None:
    batch = [factories.report(item, Status.SENT, by_reference=item is not sent[1]) for item in sent]

    services.record_status_updates(batch)

    assert taken == [updates._RECORD_ANY]
    assert {row.status for row in Delivery.objects.all()} == {Status.SENT}


def test_one_that_may_be_of_two_senders(sent: list[Delivery], taken: list[str]) -> None:
    assert sent[0].sender_id
    both = (uuid.uuid4(), sent[0].sender_id)

    services.record_status_updates(
        [factories.report(sent[0], Status.SENT, sender_ids=both), factories.report(sent[1], Status.SENT)]
    )

    assert taken == [updates._RECORD_ANY]
    assert sorted(row.status for row in Delivery.objects.all()) == [Status.ACCEPTED, Status.SENT, Status.SENT]


def test_of_no_sender_nothing_is_asked(sent: list[Delivery], taken: list[str]) -> None:
    services.record_status_updates([factories.report(sent[0], Status.SENT, sender_ids=())])

    assert taken == []


def test_what_only_one_of_a_batch_says_is_its_own(sent: list[Delivery], taken: list[str]) -> None:
    """Columns that are empty in all others."""
    batch = [factories.report(item, Status.SENT) for item in sent]
    batch[1] = factories.report(sent[1], Status.FAILED, reason=FailureReason.UNREACHABLE)
    batch[2] = batch[2]._replace(price_category="free")

    services.record_status_updates(batch)

    rows = {row.id: (row.reason, row.provider_code, row.price_category) for row in Delivery.objects.all()}
    assert [rows[item.id] for item in sent] == [
        ("", "", ""),
        ("unreachable", "131026", ""),
        ("", "", "free"),
    ]


def test_groups_are_what_they_have_in_common(sent: list[Delivery]) -> None:
    now = timezone.now()
    batch = [factories.report(item, Status.SENT) for item in sent[:2]]
    batch.append(factories.report(sent[2], Status.FAILED, reason=FailureReason.PAYMENT))

    groups = {group.status: group for group in updates.record(batch, now=now)}

    assert set(groups) == {Status.SENT, Status.FAILED}
    both, failed = groups[Status.SENT], groups[Status.FAILED]
    assert both[:7] == (Channel.WHATSAPP, sent[0].sender_id, Status.SENT, None, "", "", False)
    assert dict(zip(both.delivery_ids, both.challenge_ids, strict=True)) == {
        str(item.id): str(item.challenge_id) for item in sent[:2]
    }
    assert failed[:7] == (
        Channel.WHATSAPP, sent[2].sender_id, Status.FAILED, FailureReason.PAYMENT, "131026", "", False,
    )  # fmt: skip
    assert failed.times == [Delivery.objects.get(id=sent[2].id).status_at.timestamp()]


@pytest.mark.usefixtures("as_several_processes")
@pytest.mark.django_db(transaction=True)
def test_batches_about_the_same_messages_wait_for_each_other(sent: list[Delivery], taken: list[str]) -> None:
    """In whatever order they name them: no deadlock, and each report is one event, posted twice at once or not."""
    steps = [Status.SENT, Status.DELIVERED, Status.READ] * 4
    batches = [
        [factories.report(item, step) for item in sent[:: 1 if nth % 2 else -1]]
        for nth, step in enumerate(steps)
    ]

    results = at_once([partial(services.record_status_updates, batch) for batch in batches])

    assert results == [None] * len(batches)
    assert set(taken) <= {updates._RECORD_RAISED, updates._RECORD_ANY}
    assert {row.status for row in Delivery.objects.all()} == {Status.READ}
    assert DeliveryEvent.objects.filter(status__gt=Status.ACCEPTED).count() == 3 * len(sent)
