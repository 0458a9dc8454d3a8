"""Where events begin and end: many rows, boundaries of times and lengths, refusals that write nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog.testing
import time_machine
from django.db import transaction
from django.test import TestCase

from audit import retention
from audit.actors import Actor, acting, command
from audit.kinds import Kind, Outcome
from audit.models import AppendOnly, AuditEvent
from audit.record import Target, record, record_each, record_once
from core.ids import oldest_id_at
from projects.models import Domain, Project
from tests import factories
from tests.statements import statements

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
WITHIN = timedelta(minutes=10)
USER = Target(type="users.user", id="7")


@pytest.fixture
def project() -> Project:
    return Project.objects.get(id=factories.make_project().id)


def refuse(target: Target | None = USER, *, kind: Kind = Kind.SIGN_IN_REFUSED) -> AuditEvent | None:
    with acting(lambda: Actor(name="", address="192.0.2.1")):
        return record_once(kind, target, within=WITHIN, detail="limited", outcome=Outcome.REFUSED)


def test_no_rows_have_no_event_and_no_statement() -> None:
    with structlog.testing.capture_logs() as lines, TestCase.captureOnCommitCallbacks(execute=True):
        with statements() as sent:
            record_each(Kind.SENT_AGAIN, [])
        assert not [text for text in sent if text.startswith("INSERT")]
    assert not lines


def test_rows_of_two_projects_have_an_event_each_with_its_own_project(project: Project) -> None:
    beta = factories.make_project(slug="beta", name="Beta", is_default=False, senders=False)
    owners = [project.id, beta.id, project.id]
    rows = [Domain.objects.create(project_id=key, host=f"h{nth}.example") for nth, key in enumerate(owners)]

    with acting(lambda: Actor(name="root", user_id=UUID(int=7), address="192.0.2.7")):
        record_each(Kind.DELETED, iter(rows), detail="from +85251234567")

    events = AuditEvent.objects.order_by("object_name")
    assert [event.project_id for event in events] == owners
    assert [event.object_id for event in events] == [str(row.pk) for row in rows]
    assert {(event.actor, event.address, event.detail) for event in events} == {
        ("root", "192.0.2.7", "from ••••67")
    }


def test_each_of_many_rows_has_a_line_in_the_log_and_none_after_a_rollback(project: Project) -> None:
    rows = [Domain.objects.create(project=project, host=f"h{nth}.example") for nth in range(3)]
    with structlog.testing.capture_logs() as lines, TestCase.captureOnCommitCallbacks(execute=True):
        with transaction.atomic():
            record_each(Kind.DELETED, rows[:1])
            transaction.set_rollback(True)
        record_each(Kind.CHANGED, rows)

    assert [line["kind"] for line in lines] == ["changed"] * 3
    assert {line["event_id"] for line in lines} == {str(event.id) for event in AuditEvent.objects.all()}


@pytest.mark.parametrize(("seconds", "is_recorded"), [(0, False), (599, False), (600, True), (601, True)])
def test_the_time_of_a_repetition_ends_to_the_second(seconds: int, is_recorded: bool) -> None:
    with time_machine.travel(NOON, tick=False):
        assert refuse()
    with time_machine.travel(NOON + timedelta(seconds=seconds), tick=False):
        assert bool(refuse()) is is_recorded
    assert AuditEvent.objects.count() == 1 + is_recorded


def test_another_kind_of_refusal_of_the_same_object_is_recorded() -> None:
    assert refuse()
    assert refuse(kind=Kind.PASSWORD_REFUSED)
    assert refuse(None)
    assert [refuse(), refuse(kind=Kind.PASSWORD_REFUSED), refuse(None)] == [None] * 3


@pytest.mark.parametrize("cut", range(300, 309))
def test_a_number_at_the_cut_of_a_detail_is_masked_before_it_is_cut(cut: int) -> None:
    event = record(Kind.ACTED, detail="x" * (cut - 12) + "+85251234567 and more")

    assert len(event.detail) <= 300
    assert "852" not in event.detail


def test_what_is_handed_over_may_change_afterwards() -> None:
    """The event keeps what was true when it was written."""
    after = {"name": "Acme"}
    event = record(Kind.CHANGED, USER, after=after)
    after["name"] = "Beta"

    assert event.after == {"name": "Acme"}


def test_a_command_within_a_request_is_the_command_s(project: Project) -> None:
    with acting(lambda: Actor(name="root", user_id=UUID(int=7), address="192.0.2.7")):
        with command("apply"):
            inner = record(Kind.CHANGED, project)
        outer = record(Kind.CHANGED, project)

    assert inner.actor.startswith("manage.py apply by ")
    assert (inner.actor_id, inner.address) == (None, None)
    assert (outer.actor, outer.actor_id, outer.address) == ("root", UUID(int=7), "192.0.2.7")


def test_a_read_event_can_be_neither_saved_nor_deleted_and_stays() -> None:
    record(Kind.CHANGED, USER, after={"name": "Acme"})
    event = AuditEvent.objects.get()
    event.detail = "forged"

    with pytest.raises(AppendOnly):
        event.save(update_fields=["detail"])
    with pytest.raises(AppendOnly):
        event.delete()

    assert AuditEvent.objects.get().detail == ""


@pytest.mark.parametrize(("milliseconds", "is_kept"), [(-1, False), (0, True), (1, True)])
def test_an_event_of_exactly_the_age_is_kept(milliseconds: int, is_kept: bool, settings: Any) -> None:
    settings.AUTHSVC_AUDIT_DAYS = 30
    at = NOON - timedelta(days=30) + timedelta(milliseconds=milliseconds)
    AuditEvent(id=oldest_id_at(at), at=at, kind=Kind.ADDED).save(force_insert=True)

    with time_machine.travel(NOON, tick=False):
        assert retention.purge() == {"audit_events": 0 if is_kept else 1}
    assert AuditEvent.objects.exists() is is_kept


def test_a_purge_of_exactly_one_batch_leaves_what_is_young(settings: Any) -> None:
    settings.AUTHSVC_AUDIT_DAYS = 30
    for days in (40, 35, 20):
        at = NOON - timedelta(days=days)
        AuditEvent(id=oldest_id_at(at), at=at, kind=Kind.ADDED, detail=str(days)).save(force_insert=True)

    with time_machine.travel(NOON, tick=False):
        assert retention.purge(batch=2) == {"audit_events": 2}
    assert AuditEvent.objects.get().detail == "20"


@pytest.mark.parametrize(
    ("detail", "object_id"), [("d" * 301, "7"), ("typed +85251234567", "7"), ("limited", "7" * 81)]
)
def test_what_is_cut_or_masked_is_recorded_once_as_well(detail: str, object_id: str) -> None:
    target = Target(type="users.user", id=object_id)
    with acting(lambda: Actor(name="", address="192.0.2.1")):
        made = [
            record_once(Kind.SIGN_IN_REFUSED, target, within=WITHIN, detail=detail, outcome=Outcome.REFUSED)
            for _ in range(3)
        ]

    assert [event is not None for event in made] == [True, False, False]
