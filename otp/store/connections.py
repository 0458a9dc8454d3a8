"""The database connection of a worker: given back before it waits, and a write that outlasts a short outage."""

import time
from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError, connection

log = structlog.get_logger(__name__)

# Within the lease of a delivery (otp.policy.LEASE) together with a provider call of the usual length.
_RETRY_SECONDS = 6.0
_RETRY_EVERY_SECONDS = 0.3


def release_connection() -> None:
    """Give this thread's connection back to the pool before waiting for something else.

    Does nothing without a pool, and inside a transaction.
    """
    if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
        connection.close()


def retry_write(write: Callable[[], None]) -> None:
    """Repeat a write that must not be lost while the database is away for a moment. Not inside a transaction.

    Raises the database's error once its time is over.
    """
    deadline = time.monotonic() + _RETRY_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            log.warning("database.away", error=type(error).__name__)
            connection.close()
            time.sleep(_RETRY_EVERY_SECONDS)
