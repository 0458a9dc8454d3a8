"""The database refuses to change or delete audit events, on both kinds of store. K6"""

import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from audit import retention
from audit.kinds import Kind
from audit.models import AppendOnly, AuditEvent
from audit.record import record
from core import sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> AuditEvent:
    return record(Kind.ADDED, detail="the first")


def stored() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("detail", flat=True))


def refused(act: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        act()


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "act",
    [
        lambda rows: rows.update(detail="another"),
        lambda rows: rows.update(at="2020-01-01T00:00:00Z"),
        lambda rows: rows.delete(),
        lambda rows: rows.bulk_update([AuditEvent(id=rows.get().id, detail="another")], ["detail"]),
        lambda _rows: run("UPDATE audit_auditevent SET actor = 'nobody'"),
        lambda _rows: run("DELETE FROM audit_auditevent"),
    ],
)
def test_no_statement_changes_or_deletes_an_event(
    event: AuditEvent, act: Callable[[QuerySet[AuditEvent]], object]
) -> None:
    refused(lambda: act(AuditEvent.objects.filter(id=event.id)))

    assert stored() == ["the first"]


@pytest.mark.postgres
def test_the_table_cannot_be_truncated(event: AuditEvent) -> None:
    refused(lambda: run("TRUNCATE audit_auditevent"))

    assert stored() == ["the first"]


def test_a_row_in_memory_is_refused_before_the_database(event: AuditEvent) -> None:
    event.detail = "another"
    with pytest.raises(AppendOnly):
        event.save()
    with pytest.raises(AppendOnly):
        event.delete()
    assert stored() == ["the first"]


def test_the_same_id_does_not_replace_an_event(event: AuditEvent) -> None:
    copy = AuditEvent(id=event.id, at=event.at, kind="added", detail="another")
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)
    assert stored() == ["the first"]


def test_the_door_of_the_purge_shuts_behind_it(event: AuditEvent) -> None:
    with retention._door():
        AuditEvent.objects.filter(id=event.id).delete()
    kept = record(Kind.ADDED, detail="the second")

    refused(lambda: AuditEvent.objects.filter(id=kept.id).delete())
    assert stored() == ["the second"]


def test_through_the_door_nothing_is_changed(event: AuditEvent) -> None:
    """It is for deleting only."""

    def act() -> None:
        with retention._door():
            AuditEvent.objects.filter(id=event.id).update(detail="another")

    refused(act)
    assert stored() == ["the first"]


@pytest.mark.django_db(transaction=True)
def test_a_purge_that_fails_leaves_the_door_shut(event: AuditEvent) -> None:
    def act() -> None:
        with retention._door():
            AuditEvent.objects.filter(id=event.id).delete()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    refused(lambda: AuditEvent.objects.filter(id=event.id).delete())
    assert stored() == ["the first"]


def test_no_row_is_missed_by_its_key() -> None:
    """An id that nobody has refuses nothing: the triggers are for each row."""
    assert AuditEvent.objects.filter(id=uuid.uuid4()).delete()[0] == 0


def test_the_triggers_are_there_after_all_migrations() -> None:
    """SQLite drops them when a migration rebuilds the table."""
    if sql.is_postgres():
        names = (
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_auditevent'::regclass AND NOT tgisinternal"
        )
        wanted = {"audit_append_only", "audit_no_truncate"}
    else:
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_auditevent'"
        wanted = {"audit_no_update", "audit_no_delete"}
    with connection.cursor() as cursor:
        cursor.execute(names)
        assert {name for (name,) in cursor.fetchall()} == wanted
