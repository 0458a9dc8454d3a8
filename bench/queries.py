"""Times the statements of every login in the database that DATABASE_URL names, and asks for their plans.

JSON on stdout; a process of its own for each database: `python -m bench.queries ROUNDS`.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_FEW = 3
_PLANNED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")


@dataclass
class Seen:
    """The statements that a function sends, so that their plans can be asked for."""

    statements: list[tuple[str, object]] = field(default_factory=list)

    def __call__(
        self, execute: Callable[..., object], sql: str, params: object, many: bool, context: object
    ) -> object:
        self.statements.append((sql, params))
        return execute(sql, params, many, context)


def timed(ready: Callable[[], Callable[[], None]], rounds: int) -> list[float]:
    """Milliseconds of each round."""
    times = []
    for _ in range(rounds):
        run = ready()
        begun = time.perf_counter()
        run()
        times.append((time.perf_counter() - begun) * 1000)
    return times


def plan(run: Callable[[], None]) -> list[str]:
    """The plans of what one run sends; what it did is undone."""
    from django.db import connection, transaction

    seen, lines = Seen(), list[str]()
    with transaction.atomic():
        point = transaction.savepoint()
        with connection.execute_wrapper(seen):
            run()
        transaction.savepoint_rollback(point)
    for sql, params in seen.statements:
        if sql.lstrip().upper().startswith(_PLANNED):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", params)  # type: ignore[arg-type] # as it came
                lines += [str(row[0]) for row in cursor.fetchall()]
    return lines


def main() -> None:
    rounds = int(sys.argv[1])
    import django

    django.setup()
    from bench import hot
    from core import config_version

    with config_version.pinned():  # as in a request, which has read the version before
        result = {
            query.name: {
                "ms": timed(query.ready, rounds if query.often else _FEW),
                "plan": plan(query.ready()),
            }
            for query in hot.queries()
        }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
