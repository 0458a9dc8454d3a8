"""The connection pool of PostgreSQL: how a connection is looked at before it is used, and its time limits."""

import select

from psycopg import Connection
from psycopg_pool import ConnectionPool

# No statement of a login takes more than milliseconds; what takes this long hangs on something.
STATEMENT_TIMEOUT_MS = 10_000
LOCK_TIMEOUT_MS = 4_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000


def check[T](connection: "Connection[T]") -> None:
    """Refuse a connection that the server has closed, for the price of one poll instead of a round trip.

    A server that was restarted has said good-bye on every idle connection: the socket is readable. Raises
    psycopg.OperationalError, and the pool opens another one.
    """
    waiting = select.poll()
    waiting.register(connection.pgconn.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    if waiting.poll(0):
        ConnectionPool.check_connection(connection)


def options(*, threads: int) -> dict[str, object]:
    """For `DATABASES["default"]["OPTIONS"]["pool"]`."""
    return {
        "min_size": 1,
        "max_size": threads,
        "timeout": 5,
        "max_lifetime": 1800,  # a rolled-out server or a moved address is found within half an hour
        "reconnect_timeout": 30,
        "check": check,
    }


# What holds for a connection of our own, and not for one that PgBouncer lends by the transaction.
OF_ONE_SESSION: dict[str, object] = {
    # libpq's `options`: the limits come with the connection.
    "options": (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
    ),
    # A statement that comes again is planned once: half of what a login costs PostgreSQL otherwise.
    "server_side_binding": True,
    "prepare_threshold": 3,
}
