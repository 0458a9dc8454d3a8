"""The indexes of channels and of numbers that WhatsApp does not know: there and back, and what they are for."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from otp.models import Delivery, PhoneRecord

BEFORE, AFTER = "0016_no_lock_on_the_sender", "0017_indexes_of_reports"
OLD = {"delivery_by_channel"}
NEW = {"delivery_by_other_channel", "phone_not_on_whatsapp"}


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("otp", name)])


@pytest.fixture
def back() -> Iterator[None]:
    migrate(BEFORE)
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def indexes() -> set[str]:
    """Those by which this migration differs."""
    with connection.cursor() as cursor:
        known = {
            name
            for model in (Delivery, PhoneRecord)
            for name in connection.introspection.get_constraints(cursor, model._meta.db_table)
        }
    return known & (OLD | NEW)


@pytest.mark.django_db(transaction=True)
def test_there_and_back(back: None) -> None:
    assert indexes() == OLD

    migrate(AFTER)
    assert indexes() == NEW

    migrate(BEFORE)
    assert indexes() == OLD


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_attempt_that_was_interrupted_is_made_good(back: None) -> None:
    """What it left is not valid, and is replaced; what it had finished stays."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX delivery_by_channel")
        cursor.execute("CREATE INDEX phone_not_on_whatsapp ON otp_phonerecord (phone)")
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'phone_not_on_whatsapp'::regclass"
        )

    migrate(AFTER)

    assert indexes() == NEW
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'phone_not_on_whatsapp'")
        (definition,) = cursor.fetchone()
    assert "(project_id, phone)" in definition
    assert "not_on_whatsapp_at IS NOT NULL" in definition


@pytest.mark.postgres
@pytest.mark.django_db
def test_messages_by_whatsapp_are_not_in_the_index_of_channels() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'delivery_by_other_channel'")
        (definition,) = cursor.fetchone()

    assert "WHERE (NOT ((channel)::text = 'whatsapp'::text))" in definition
