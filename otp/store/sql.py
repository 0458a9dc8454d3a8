"""Running one statement."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection

log = structlog.get_logger(__name__)

# Within the lease of a delivery (otp.policy.LEASE) together with a provider call of the usual length.
_INSIST_SECONDS = 6.0
_INSIST_EVERY_SECONDS = 0.3

# "due_at IS NOT NULL" for who looks for a challenge's deliveries: said so that the index of everything that is due
# cannot serve it. That one is tiny, hence tempting for the planner, until an outage has left a long backlog in it.
IS_DUE = "COALESCE({due_at}, '-infinity') > '-infinity'"


def is_postgres() -> bool:
    return connection.vendor == "postgresql"


def rows(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of one statement. It commits by itself unless a transaction is open."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def run(statement: str, parameters: Mapping[str, Any]) -> None:
    """One statement whose rows nobody needs."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def release() -> None:
    """Give this thread's connection back to the pool: it is about to wait for somebody else.

    Without a pool there is nothing to give back to, and inside a transaction nothing may be given.
    """
    if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
        connection.close()


def insist(write: Callable[[], None]) -> None:
    """Repeat a write that must not be lost while the database is away for a moment. Not inside a transaction.

    Raises the database's error once its time is over.
    """
    deadline = time.monotonic() + _INSIST_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            log.warning("database.away", error=type(error).__name__)
            connection.close()
            time.sleep(_INSIST_EVERY_SECONDS)
