"""Whether reports arrive at all: what is written down, when it is news, and what only explains it."""

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from structlog.testing import capture_logs

from channels import report_counts
from channels.models import Sender, SenderReports
from channels.report_counts import WRITTEN_EVERY
from channels.senders import senders
from core import config_version
from projects.models import Project
from tests import factories

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SOON = WRITTEN_EVERY - SECOND
ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def sender(db: None) -> Sender:
    return factories.make_sender("whatsapp")


def row_of(sender: Sender) -> SenderReports:
    return SenderReports.objects.get(sender=sender)


def missing_since(sender: Sender, at: datetime = NOW, first: datetime | None = None) -> bool:
    return report_counts.went_missing(sender.id, first=first or at - timedelta(minutes=5), now=at) is not None


# In memory --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "is_due"),
    [
        (timedelta(0), False),
        (SOON, False),
        (WRITTEN_EVERY - timedelta(microseconds=1), False),
        (WRITTEN_EVERY, True),
        (timedelta(days=1), True),
        (-SECOND, True),  # the clock was set back
    ],
    ids=str,
)
def test_a_report_is_written_down_when_the_last_one_is_old_enough(since: timedelta, is_due: bool) -> None:
    report_counts.remember(ONE, now=NOW)

    assert report_counts.unwritten([ONE], now=NOW + since) == ([ONE] if is_due else [])


def test_the_first_report_of_a_process_is_written_down() -> None:
    assert report_counts.unwritten([TWO, ONE, TWO], now=NOW) == [ONE, TWO]
    assert report_counts.unwritten([], now=NOW) == []


def test_only_what_was_committed_is_remembered() -> None:
    """Asking alone decides nothing: a transaction that fails leaves the report to the next one."""
    report_counts.unwritten([ONE], now=NOW)

    assert report_counts.unwritten([ONE], now=NOW) == [ONE]


def test_each_sender_has_its_own_turn() -> None:
    report_counts.remember(ONE, now=NOW)

    assert report_counts.unwritten([ONE, TWO], now=NOW + SECOND) == [TWO]


# Arrived ----------------------------------------------------------------------------------------------


def test_the_first_report_of_all_is_written_down_and_is_no_news(sender: Sender) -> None:
    assert report_counts.arrived(sender.id, now=NOW) is None

    row = row_of(sender)
    assert (row.reported_at, row.missing_since, row.refused) == (NOW, None, 0)


def test_the_next_ones_move_the_time_and_disturb_nobody(sender: Sender) -> None:
    report_counts.arrived(sender.id, now=NOW)
    version = config_version.current()

    assert report_counts.arrived(sender.id, now=NOW + SECOND) is None

    assert row_of(sender).reported_at == NOW + SECOND
    assert config_version.current() == version


def test_the_first_report_after_they_were_missing_is_news_for_everybody(sender: Sender) -> None:
    missing_since(sender)
    assert sender.id in senders.get().unreported
    version = config_version.current()

    with capture_logs() as lines:
        back = report_counts.arrived(sender.id, now=NOW + SECOND)

    assert back is not None
    assert back.id == sender.id
    assert sender.id not in senders.get().unreported
    assert config_version.current() > version
    assert [line["event"] for line in lines] == ["sender.alert_over"]
    assert report_counts.arrived(sender.id, now=NOW + 2 * SECOND) is None


def test_a_report_takes_back_what_was_refused_before(sender: Sender) -> None:
    report_counts.refused([sender.id], now=NOW)
    report_counts.arrived(sender.id, now=NOW + SECOND)

    row = row_of(sender)
    assert row.refused == 0
    assert not report_counts.is_refused(row)


def test_a_sender_that_was_deleted_meanwhile_leaves_no_row(sender: Sender) -> None:
    sender_id = sender.id
    sender.delete()

    assert report_counts.arrived(sender_id, now=NOW) is None
    assert report_counts.went_missing(sender_id, first=NOW, now=NOW) is None
    report_counts.refused([sender_id], now=NOW)
    assert not SenderReports.objects.exists()


# Missing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reported", "is_missing"),
    [(None, True), (-SECOND, True), (-timedelta(days=30), True), (timedelta(0), False), (SECOND, False)],
    ids=str,
)
def test_reports_are_missing_when_none_came_since_the_first_message(
    reported: timedelta | None, is_missing: bool, sender: Sender
) -> None:
    if reported is not None:
        report_counts.arrived(sender.id, now=NOW + reported)

    assert missing_since(sender, NOW + timedelta(minutes=5), first=NOW) is is_missing
    assert (row_of(sender).missing_since is not None) is is_missing


def test_they_go_missing_once(sender: Sender) -> None:
    assert missing_since(sender, NOW)
    version = config_version.current()

    assert not missing_since(sender, NOW + timedelta(minutes=1))

    assert row_of(sender).missing_since == NOW
    assert config_version.current() == version


def test_that_they_are_missing_is_logged_for_alerting_with_its_explanation(sender: Sender) -> None:
    report_counts.refused([sender.id], now=NOW - SECOND)

    with capture_logs() as lines:
        known = report_counts.went_missing(sender.id, first=NOW - timedelta(minutes=5), now=NOW)

    assert known is not None
    assert (known[0].id, known[1].missing_since) == (sender.id, NOW)
    assert lines == [
        {
            "event": "sender.alert",
            "log_level": "error",
            "sender_id": str(sender.id),
            "reason": "reports_missing",
            "refused": True,
        }
    ]


@pytest.mark.django_db
def test_the_longest_missing_come_first_and_those_of_no_use_are_left_out() -> None:
    acme = Project.objects.create(slug="acme", name="Acme", is_default=True)
    rows = [
        factories.make_sender("whatsapp"),
        factories.make_sender("sms"),
        factories.make_sender("sms", acme),
    ]
    off = factories.make_sender("whatsapp", acme, is_active=False)
    for number, sender in enumerate([*rows[:2], off]):
        missing_since(sender, NOW - number * SECOND)
    report_counts.arrived(rows[2].id, now=NOW)

    assert [row.pk for row in report_counts.missing()] == [rows[1].id, rows[0].id]
    assert set(report_counts.rows([item.id for item in rows])) == {item.id for item in rows}
    assert report_counts.rows([]) == {}


# Refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refused", "reported", "is_refused"),
    [
        (None, None, False),
        (NOW, None, True),
        (None, NOW, False),
        (NOW, NOW - SECOND, True),
        (NOW, NOW, False),
        (NOW, NOW + SECOND, False),
    ],
)
def test_a_refusal_explains_something_until_a_report_comes(
    refused: datetime | None, reported: datetime | None, is_refused: bool
) -> None:
    assert report_counts.is_refused(SenderReports(refused_at=refused, reported_at=reported)) is is_refused


def test_refused_posts_are_counted_and_written_now_and_then(sender: Sender) -> None:
    for number in range(10):
        report_counts.refused([sender.id], now=NOW + number * timedelta(milliseconds=100))
    assert row_of(sender).refused == 1

    report_counts.refused([sender.id], now=NOW + WRITTEN_EVERY)

    assert (row_of(sender).refused, row_of(sender).refused_at) == (11, NOW + WRITTEN_EVERY)


def test_a_post_that_names_a_sender_twice_is_one_post(sender: Sender) -> None:
    report_counts.refused([sender.id, sender.id], now=NOW)

    assert row_of(sender).refused == 1


def test_a_refused_post_ends_no_alert_and_raises_none(sender: Sender) -> None:
    """Anybody can send one."""
    missing_since(sender)
    version = config_version.current()

    report_counts.refused([sender.id], now=NOW + SECOND)

    row = row_of(sender)
    assert (row.missing_since, row.reported_at) == (NOW, None)
    assert config_version.current() == version


def test_the_count_stops_before_its_column_ends(sender: Sender) -> None:
    SenderReports.objects.create(sender=sender, refused=report_counts._MOST_REFUSED)

    report_counts.refused([sender.id], now=NOW)

    assert row_of(sender).refused == report_counts._MOST_REFUSED


# Together ---------------------------------------------------------------------------------------------


def together(*acts: Callable[[], object]) -> None:
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)


@pytest.mark.django_db(transaction=True)
def test_of_many_processes_one_tells_that_they_are_missing_and_one_that_they_are_back() -> None:
    sender = factories.make_sender("whatsapp")
    went: list[bool] = []
    back: list[Sender | None] = []

    together(*[lambda: went.append(missing_since(sender))] * 5)
    together(*[lambda: back.append(report_counts.arrived(sender.id, now=NOW + SECOND))] * 5)

    assert sorted(went) == [False] * 4 + [True]
    assert [item for item in back if item] == [sender]


def test_refused_posts_of_many_threads_are_all_counted(sender: Sender) -> None:
    def post() -> None:
        """Within the next seconds, so memory alone is touched."""
        for _ in range(50):
            report_counts.refused([sender.id], now=NOW + SECOND)

    report_counts.refused([sender.id], now=NOW)
    together(*[post] * 4)
    report_counts.refused([sender.id], now=NOW + WRITTEN_EVERY)

    assert row_of(sender).refused == 202
