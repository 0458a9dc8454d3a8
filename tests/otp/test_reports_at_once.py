"""Reports of several posts that arrive while others are being stored: one statement, and each post has its own end."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import pytest
from django.db import DatabaseError, connection, transaction
from structlog.testing import capture_logs

from channels.types import FailureReason, Status, StatusUpdate
from otp import services, status_updates
from otp.models import Delivery, DeliveryEvent
from otp.store import updates
from otp.store.updates import Alike
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.processes import until
from tests.threads import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sent(start: Start, queued: QueuedTasks, providers: Providers) -> list[Delivery]:
    for nth in range(5):
        start(f"+8525123{4000 + nth}", address=f"198.51.{nth}.1")
    queued.run()
    return list(Delivery.objects.order_by("id"))


class Store:
    """`updates.record`, which stops at its first call until `may_go_on`; a batch with what is in `refused` fails."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.refused: list[StatusUpdate] = []
        self.is_at_work, self.may_go_on = threading.Event(), threading.Event()
        self._record = updates.record

    def record(self, reports: Sequence[StatusUpdate], *, now: datetime) -> list[Alike]:
        self.sizes.append(len(reports))
        self.is_at_work.set()
        assert self.may_go_on.wait(20)
        if any(item in self.refused for item in reports):
            raise DatabaseError("refused")
        return self._record(reports, now=now)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    made = Store()
    monkeypatch.setattr(updates, "record", made.record)
    yield made
    made.may_go_on.set()


@pytest.fixture
def post(store: Store) -> Callable[..., list[Exception | None]]:
    """Posts at once, the first of which is being stored while the others come; what each raised."""

    def run(*posts: Sequence[StatusUpdate]) -> list[Exception | None]:
        ends: list[Exception | None] = [None] * len(posts)

        def call(nth: int) -> None:
            try:
                services.record_status_updates(posts[nth])
            except Exception as error:  # noqa: BLE001 # handed to the test
                ends[nth] = error
            finally:
                connection.close()

        threads = [threading.Thread(target=call, args=(nth,)) for nth in range(len(posts))]
        threads[0].start()
        assert store.is_at_work.wait(20)
        for thread in threads[1:]:
            thread.start()
        waiting = status_updates._record_together._waiting
        until(lambda: len(waiting) == len(posts) - 1, "all posts have come")
        store.may_go_on.set()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        return ends

    return run


type Post = Callable[..., list[Exception | None]]


def test_one_statement_stores_what_came_meanwhile(sent: list[Delivery], store: Store, post: Post) -> None:
    ends = post(*([factories.report(item, Status.DELIVERED)] for item in sent))

    assert ends == [None] * 5
    assert store.sizes == [1, 4]
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.DELIVERED}
    assert DeliveryEvent.objects.filter(status=Status.DELIVERED).count() == 5


def test_several_reports_of_one_message_in_any_order(sent: list[Delivery], store: Store, post: Post) -> None:
    steps = (Status.READ, Status.SENT, Status.DELIVERED)

    post([factories.report(sent[1], Status.SENT)], *([factories.report(sent[0], step)] for step in steps))

    assert store.sizes == [1, 3]
    assert Delivery.objects.get(id=sent[0].id).status == Status.READ
    assert {*DeliveryEvent.objects.filter(delivery=sent[0].id).values_list("status", flat=True)} >= set(steps)


def test_each_failure_is_followed_by_its_fallback(
    sent: list[Delivery], store: Store, post: Post, queued: QueuedTasks
) -> None:
    failed = [factories.report(item, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL) for item in sent[:3]]

    post([factories.report(sent[3], Status.DELIVERED)], *([report] for report in failed))

    assert store.sizes == [1, 3]
    assert sorted(queued.fall_back) == sorted(item.id for item in sent[:3])


def test_what_cannot_be_stored_fails_its_own_post_only(
    sent: list[Delivery], store: Store, post: Post
) -> None:
    """Its provider sends it again; those of the others were answered."""
    reports = [factories.report(item, Status.DELIVERED) for item in sent]
    store.refused.append(reports[2])

    ends = post(*([report] for report in reports))

    assert [type(end) for end in ends] == [type(None), type(None), DatabaseError, type(None), type(None)]
    assert store.sizes == [1, 4, 1, 1, 1, 1]
    reached = Delivery.objects.filter(status=Status.DELIVERED).values_list("id", flat=True)
    assert set(reached) == {item.id for item in sent} - {sent[2].id}


def test_a_report_is_only_believed_of_its_own_sender(sent: list[Delivery], store: Store, post: Post) -> None:
    """Posts of several senders share a statement, and no rights."""
    other = factories.make_sender("whatsapp", provider="meta")
    foreign = factories.report(sent[1], Status.DELIVERED, sender_ids=(other.id,))

    post([factories.report(sent[2], Status.SENT)], [foreign], [factories.report(sent[3], Status.DELIVERED)])

    assert store.sizes == [1, 2]
    assert Delivery.objects.get(id=sent[1].id).status == Status.ACCEPTED
    assert Delivery.objects.get(id=sent[3].id).status == Status.DELIVERED


def test_each_post_of_several_has_its_line(sent: list[Delivery], store: Store, post: Post) -> None:
    with capture_logs() as lines:
        post(*([factories.report(item, Status.DELIVERED)] for item in sent[:3]))

    told = [line["delivery_id"] for line in lines if line["event"] == "delivery.reported"]
    assert sorted(told) == sorted(str(item.id) for item in sent[:3])
    summed = [line for line in lines if line["event"] == "reports.recorded"]
    assert [(line["received"], line["moved"]) for line in summed] == [(2, 2)]


def test_a_large_post_waits_for_none(sent: list[Delivery], store: Store) -> None:
    """It is a statement of its own, beside those that are being stored."""
    large = [factories.report(sent[0], Status.SENT)] * (status_updates._MOST_TOGETHER + 1)

    def let_go() -> None:
        until(lambda: len(store.sizes) == 2, "the large one is at work, too")
        store.may_go_on.set()

    ends = at_once(
        [
            lambda: services.record_status_updates([factories.report(sent[1], Status.SENT)]),
            lambda: services.record_status_updates(large),
            let_go,
        ]
    )

    assert ends == [None] * 3
    assert sorted(store.sizes) == [1, len(large)]


def test_in_a_transaction_it_is_part_of_it(sent: list[Delivery], store: Store) -> None:
    """Otherwise another thread would store it, and it would not be rolled back."""
    store.may_go_on.set()
    with transaction.atomic():
        services.record_status_updates([factories.report(sent[0], Status.DELIVERED)])
        transaction.set_rollback(True)

    assert store.sizes == [1]
    assert Delivery.objects.get(id=sent[0].id).status == Status.ACCEPTED
