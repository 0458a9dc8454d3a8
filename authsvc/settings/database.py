"""The database: SQLite in WAL mode, or PostgreSQL with a pool of connections and time limits."""

import os
import select
import tempfile
from pathlib import Path

from psycopg import Connection
from psycopg_pool import ConnectionPool

from authsvc.settings.env import MODE, TESTING, VAR_DIR
from core import env

# No statement of a login takes more than milliseconds; what takes this long hangs on something.
STATEMENT_TIMEOUT_MS = 10_000
LOCK_TIMEOUT_MS = 4_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000


def check_connection[T](connection: "Connection[T]") -> None:
    """Refuse a connection that the server has closed, for the price of one poll instead of a round trip.

    A server that was restarted has closed every idle connection, which makes the socket readable. Raises
    psycopg.OperationalError, and the pool opens another connection.
    """
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    if poll.poll(0):
        ConnectionPool.check_connection(connection)


def pool(*, size: int) -> dict[str, object]:
    return {
        "min_size": 1,
        "max_size": size,
        "timeout": 5,
        "max_lifetime": 1800,  # after a failover or a change of address, connections follow within half an hour
        "reconnect_timeout": 30,
        "check": check_connection,
    }


# PgBouncer refuses start-up options (set the limits on the role then: docs/operations.md) and gives each transaction
# another connection, so that statements cannot be prepared on one.
WITHOUT_PGBOUNCER: dict[str, object] = {
    "options": (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
    ),
    # Repeated statements are planned once; otherwise a login costs PostgreSQL twice as much.
    "server_side_binding": True,
    "prepare_threshold": 3,
}


def sqlite() -> dict[str, object]:
    return {
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        # A file, so that threads of a test are real connections with real locks.
        "TEST": {"NAME": str(Path(tempfile.gettempdir()) / f"authsvc-test-{os.getpid()}.sqlite3")},
    }


def postgresql(options: dict[str, object]) -> dict[str, object]:
    """`options`: those that DATABASE_URL names come before ours."""
    ours: dict[str, object] = {"connect_timeout": "3", "application_name": "authsvc"}
    if not env.boolean("AUTHSVC_PGBOUNCER", default=False):
        ours |= WITHOUT_PGBOUNCER
    if not TESTING:  # the test runner needs plain connections that it can close
        ours["pool"] = pool(size=env.integer("DATABASE_POOL", 16, minimum=1, maximum=1000))
    return {"DISABLE_SERVER_SIDE_CURSORS": True, "OPTIONS": ours | options}


# Of `make demo` when a command is run in its mode.
_file = VAR_DIR / ("demo.sqlite3" if MODE == "demo" else "authsvc.sqlite3")
_url = env.database("DATABASE_URL", f"sqlite:///{_file}")
_is_sqlite = _url["ENGINE"] == "django.db.backends.sqlite3"
DATABASES = {"default": _url | (sqlite() if _is_sqlite else postgresql(_url["OPTIONS"]))}
