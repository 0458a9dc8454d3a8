"""Things that happen at the same moment."""

import threading
from collections.abc import Callable, Sequence

from django.db import connection


def at_once(acts: Sequence[Callable[[], object]]) -> list[object]:
    """All of them, in real transactions, let go together: what each gave or raised."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(nth: int) -> None:
        barrier.wait()
        try:
            results[nth] = acts[nth]()
        except Exception as error:  # noqa: BLE001 # handed to the test
            results[nth] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(nth,)) for nth in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results
