"""Rows that are posted until they are taken: whose turn it is, what a failure costs, and that no two workers hold one."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.db.models import Q
from django.utils import timezone
from pytest_django import Settings

from core import outbox as subject
from core.outbox import LEASE, LEFT_ALONE, SLOW, Outbox
from events.models import Endpoint, Event, EventType
from tests import factories
from tests.core.wire import answering, closed_port, serving
from tests.threads import at_once

pytestmark = pytest.mark.django_db

WAITS = {1: timedelta(seconds=5), 2: timedelta(minutes=5)}


class Rows(Outbox[Event]):
    """Posts nothing: each row is answered as `answers` says of its body, 204 unless it is named."""

    model = Event
    target = "endpoint_id"
    joined = ("endpoint",)
    final = frozenset({410})

    def __init__(self, **answers: int) -> None:
        super().__init__()
        self.answers = answers
        self.sent: list[str] = []
        self.reported: list[tuple[str, int, str, bool, bool]] = []
        self.takes: Callable[[str], None] = lambda _body: None

    def send(self, row: Event) -> tuple[str, int]:
        self.sent.append(row.body)
        self.takes(row.body)
        status = self.answers.get(row.body, 204)
        return str(status) if status else "no answer", status

    def next_try(self, tries: int) -> timedelta | None:
        return WAITS.get(tries)

    def tell(self, row: Event, *, status: int, outcome: str, taken: bool, again: bool) -> None:
        self.reported.append((row.body, status, outcome, taken, again))


@pytest.fixture
def endpoints() -> list[Endpoint]:
    project = factories.make_project()
    return [factories.make_endpoint(project, url=f"https://{name}.example/events") for name in "ab"]


def add(endpoint: Endpoint, body: str, *, due_in: float | None = -1) -> Event:
    now = timezone.now()
    due = None if due_in is None else now + timedelta(seconds=due_in)
    return Event.objects.create(
        endpoint=endpoint, type=EventType.SENDER_ALERT, body=body, created_at=now, due_at=due
    )


def moved(seconds: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False)


def test_what_has_waited_longest_is_posted_first_and_what_is_not_due_is_not(
    endpoints: list[Endpoint],
) -> None:
    for body, due in (("second", -2.0), ("later", 60.0), ("first", -3.0), ("never", None)):
        add(endpoints[0], body, due_in=due)
    rows = Rows()

    assert rows.post_due(seconds=10) == 2

    assert rows.sent == ["first", "second"]
    assert set(Event.objects.filter(delivered_at__isnull=True).values_list("body", flat=True)) == {
        "later",
        "never",
    }


@pytest.mark.parametrize(
    ("status", "again"), [(200, False), (204, False), (299, False), (199, True), (300, True), (404, True), (500, True), (0, True)]
)  # fmt: skip
def test_taken_is_what_2xx_says(status: int, again: bool, endpoints: list[Endpoint]) -> None:
    row = add(endpoints[0], "one")
    rows = Rows(one=status)

    rows.post_due(seconds=10)

    row.refresh_from_db()
    assert (row.delivered_at is None, row.due_at is not None, row.tries) == (again, again, 1)
    assert row.outcome == (str(status) if status else "no answer")
    assert rows.reported == [("one", status, row.outcome, not again, again)]


def test_it_is_tried_again_later_and_given_up_in_the_end(endpoints: list[Endpoint]) -> None:
    row = add(endpoints[0], "one")
    rows = Rows(one=503)
    rows.post_due(seconds=10)
    assert rows.post_due(seconds=10) == 0  # not yet

    with moved(6):
        assert rows.post_due(seconds=10) == 1
    with moved(400):
        assert rows.post_due(seconds=10) == 1
        row.refresh_from_db()
    assert (row.tries, row.due_at, row.delivered_at) == (3, None, None)
    assert [again for *_, again in rows.reported] == [True, True, False]


def test_a_final_answer_is_not_tried_again(endpoints: list[Endpoint]) -> None:
    row = add(endpoints[0], "one")
    rows = Rows(one=410)
    rows.post_due(seconds=10)

    row.refresh_from_db()
    assert (row.due_at, row.delivered_at, row.outcome) == (None, None, "410")


def test_one_that_cannot_be_made_is_given_up_and_keeps_no_other_waiting(endpoints: list[Endpoint]) -> None:
    rows = Rows()

    def unreadable(body: str) -> None:
        if body == "odd":
            raise ValueError("no key")

    rows.takes = unreadable
    odd, fine = add(endpoints[0], "odd", due_in=-2), add(endpoints[1], "fine", due_in=-1)

    assert rows.post_due(seconds=1) == 2

    odd.refresh_from_db()
    fine.refresh_from_db()
    assert (odd.outcome, odd.tries, fine.delivered_at is not None) == ("error", 1, True)
    for _ in range(4):
        Event.objects.filter(id=odd.id, due_at__isnull=False).update(due_at=timezone.now())
        rows.post_due(seconds=1)
    odd.refresh_from_db()
    assert (odd.due_at, odd.tries) == (None, len(WAITS) + 1)


def test_a_worker_that_dies_holds_a_row_no_longer_than_the_lease(endpoints: list[Endpoint]) -> None:
    add(endpoints[0], "one")
    claimed = Rows()._claim(timezone.now())
    assert claimed
    assert (claimed.tries, claimed.endpoint.url) == (1, "https://a.example/events")

    other = Rows()
    with moved(LEASE.total_seconds() - 1):
        assert other.post_due(seconds=10) == 0
    with moved(LEASE.total_seconds() + 1):
        assert other.post_due(seconds=10) == 1
    assert Event.objects.get().tries == 2


def test_replayed_rows_begin_anew(endpoints: list[Endpoint]) -> None:
    add(endpoints[0], "taken")
    add(endpoints[0], "gone")
    rows = Rows(gone=410)
    rows.post_due(seconds=10)

    assert rows.replay(Event.objects.all()) == 2

    assert not Event.objects.exclude(Q(tries=0) & Q(outcome="") & Q(delivered_at=None)).exists()
    assert rows.post_due(seconds=10) == 2


@pytest.fixture
def seconds_passed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still unless a test moves it."""
    passed = [0.0]
    monkeypatch.setattr(subject, "time", SimpleNamespace(monotonic=lambda: passed[-1]))
    return passed


def test_there_is_an_end_after_its_time(endpoints: list[Endpoint], seconds_passed: list[float]) -> None:
    """The next round of beat goes on."""
    for nth in range(5):
        add(endpoints[0], f"row {nth}")
    rows = Rows()
    rows.takes = lambda _body: seconds_passed.append(seconds_passed[-1] + 3)

    assert rows.post_due(seconds=7) == 3


@pytest.mark.parametrize(
    ("answer", "seconds", "is_left_alone"),
    [(503, 2.0, True), (503, 0.5, False), (204, 2.0, False)],
    ids=["slow failure", "quick failure", "slow success"],
)
def test_a_server_that_fails_slowly_is_left_alone(
    answer: int, seconds: float, is_left_alone: bool, endpoints: list[Endpoint], seconds_passed: list[float]
) -> None:
    """So that the messages for others do not wait behind its own."""
    assert 0.5 < SLOW.total_seconds() < 2
    add(endpoints[0], "slow", due_in=-30)
    add(endpoints[0], "behind it", due_in=-20)
    add(endpoints[1], "of another", due_in=-10)
    rows = Rows(slow=answer)
    rows.takes = lambda body: seconds_passed.append(seconds) if body == "slow" else None

    rows.post_due(seconds=60)

    assert rows.sent == ["slow", *([] if is_left_alone else ["behind it"]), "of another"]
    rows.forget()
    rows.post_due(seconds=60)
    assert rows.sent.count("behind it") == 1


def test_and_asked_again_when_that_time_is_over(endpoints: list[Endpoint]) -> None:
    add(endpoints[0], "behind it")
    rows = Rows()
    rows._hanging[endpoints[0].pk] = timezone.now() + LEFT_ALONE
    assert rows.post_due(seconds=10) == 0

    with moved(LEFT_ALONE.total_seconds() + 1):
        assert rows.post_due(seconds=10) == 1


@pytest.mark.django_db(transaction=True)
def test_several_workers_post_each_row_once(endpoints: list[Endpoint]) -> None:
    for nth in range(12):
        add(endpoints[nth % 2], f"row {nth:02}")
    workers = [Rows() for _ in range(3)]

    counts = at_once([lambda worker=worker: worker.post_due(seconds=20) for worker in workers])  # type: ignore[misc]

    assert sum(int(str(count)) for count in counts) == 12
    assert sorted(body for worker in workers for body in worker.sent) == [
        f"row {nth:02}" for nth in range(12)
    ]


@pytest.mark.parametrize(
    ("status", "outcome"), [(204, ("204", 204)), (503, ("503", 503)), (302, ("302", 302))]
)
def test_a_post_is_a_word_and_a_status(status: int, outcome: tuple[str, int]) -> None:
    with serving(answering(status, {})) as server:
        assert subject.post(server.url, content=b"{}", headers={}) == outcome


def test_what_could_not_be_posted_is_a_word_alone(settings: Settings) -> None:
    assert subject.post(f"http://127.0.0.1:{closed_port()}/", content=b"", headers={}) == ("unavailable", 0)
    with serving(answering(204, {})) as server:
        assert subject.post(server.url, content=b"", headers={"X": "a\r\nb"}) == ("misconfigured", 0)
        settings.AUTHSVC_OUTGOING_ALLOW = []
        assert subject.post(server.url, content=b"", headers={})[1] == 0
        assert server.requests == []
