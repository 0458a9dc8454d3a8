"""What PostgreSQL no longer checks with each row: there and back, and what the way back makes of rows that it bears not."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import IntegrityError

from core.ids import new_id
from otp.models import Challenge, Delivery, DeliveryEvent
from tests.otp.conftest import Start

BEFORE, AFTER = "0019_reports_in_place", "0020_cheaper_rows"
NUMBERS = {
    "otp_challenge": {"attempts", "code_length", "max_attempts", "sends"},
    "otp_delivery": {"crashes", "number", "status", "tries"},
    "otp_deliveryevent": {"status"},
}

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("otp", name)])


@pytest.fixture
def back() -> Iterator[None]:
    migrate(BEFORE)
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def checked(table: str) -> set[str]:
    """The columns of a check of its own for negative numbers."""
    with connection.cursor() as cursor:
        known: dict[str, Any] = connection.introspection.get_constraints(cursor, table)
    return {
        item["columns"][0] for name, item in known.items() if item["check"] and name.startswith(f"{table}_")
    }


def locks_project() -> bool:
    with connection.cursor() as cursor:
        known = connection.introspection.get_constraints(cursor, "otp_challenge")
    return any(item["foreign_key"] for item in known.values())


def functions() -> set[str]:
    """Those that the triggers of deliveries call."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE t.tgrelid = 'otp_delivery'::regclass AND NOT t.tgisinternal"
        )
        return {name for (name,) in cursor.fetchall()}


def test_there_and_back(back: None) -> None:
    for _ in range(2):
        assert {table: checked(table) for table in NUMBERS} == NUMBERS
        assert locks_project()
        assert functions() == {"otp_set_timer"}

        migrate(AFTER)
        assert not any(checked(table) for table in NUMBERS)
        assert not locks_project()
        assert functions() == {"otp_set_timer", "otp_add_timer"}

        migrate(BEFORE)


def test_a_way_back_that_was_interrupted_is_gone_once_more(back: None) -> None:
    migrate(AFTER)
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE otp_delivery ADD CONSTRAINT otp_delivery_tries_check CHECK (tries >= 0) NOT VALID"
        )

    migrate(BEFORE)

    assert checked("otp_delivery") == NUMBERS["otp_delivery"]
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="otp_delivery_tries_check"):
        cursor.execute(
            "INSERT INTO otp_delivery (id, challenge_id, channel, tries, created_at, send_after, status_at)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 'sms', -1, now(), now(), now())"
        )


def test_back_there_is_no_challenge_of_a_project_that_is_gone(start: Start) -> None:
    kept, orphan = start("+85251234567"), start("+85251234568", address="198.51.100.9")
    for delivery in Delivery.objects.all():
        DeliveryEvent.objects.create(
            delivery=delivery, status=0, occurred_at=delivery.created_at, recorded_at=delivery.created_at
        )
    Challenge.objects.filter(id=orphan).update(project_id=new_id())
    try:
        migrate(BEFORE)

        assert list(Challenge.objects.values_list("id", flat=True)) == [kept]
        assert {row.challenge_id for row in Delivery.objects.all()} == {kept}
        assert {row.delivery.challenge_id for row in DeliveryEvent.objects.all()} == {kept}
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
