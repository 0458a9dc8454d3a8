"""Calls that happen at the same moment."""

import threading
from collections.abc import Callable, Sequence

from django.db import connection


def at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Call all of them together, in real transactions; what each returned or raised."""
    barrier = threading.Barrier(len(calls))
    results: list[object] = [None] * len(calls)

    def run(nth: int) -> None:
        barrier.wait()
        try:
            results[nth] = calls[nth]()
        except Exception as error:  # noqa: BLE001 # handed to the test
            results[nth] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(nth,)) for nth in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "a call has not returned within a minute"
    return results


def is_waiting() -> bool:
    """Another transaction waits for ours (PostgreSQL)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid)"
        )
        (waits,) = cursor.fetchone()
    return bool(waits)
