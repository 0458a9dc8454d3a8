"""What a path through the service spends, in figures that do not depend on the machine."""

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from types import CodeType

import pytest
import redis.connection
from structlog.testing import capture_logs

from tests.statements import statements

_TOOL = 4  # of sys.monitoring; coverage.py has another


@dataclass(frozen=True, kw_only=True)
class Spent:
    """`statements`: round trips to PostgreSQL, BEGIN and COMMIT included. `redis`: round trips to Redis. `tasks`:
    messages to the broker. `lines`: of the log. `calls`: Python functions that began in this thread."""

    statements: int
    redis: int
    tasks: int
    lines: int
    calls: int

    def over(self, budget: "Spent") -> dict[str, str]:
        """What is beyond the budget: by name, as "spent > allowed"."""
        allowed = asdict(budget)
        return {
            name: f"{spent} > {allowed[name]}"
            for name, spent in asdict(self).items()
            if spent > allowed[name]
        }


@contextmanager
def counted_calls() -> Iterator[list[int]]:
    """The number of Python functions that this thread enters in the block; there once it has ended.

    No garbage is collected meanwhile: once a test has used it, Hypothesis times each collection with functions of its own.
    """
    counts, this = [0], threading.get_ident()
    calls = 0

    def note(_code: CodeType, _offset: int) -> None:
        nonlocal calls
        if threading.get_ident() == this:
            calls += 1

    start = sys.monitoring.events.PY_START
    sys.monitoring.use_tool_id(_TOOL, "budgets")
    sys.monitoring.register_callback(_TOOL, start, note)
    gc.disable()
    sys.monitoring.set_events(_TOOL, start)
    try:
        yield counts
    finally:
        gc.enable()
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.register_callback(_TOOL, start, None)
        sys.monitoring.free_tool_id(_TOOL)
        counts[0] = calls


@contextmanager
def counted_round_trips() -> Iterator[list[int]]:
    """The number of times that a connection to Redis sends something: a command, or a pipeline of them."""
    counts = [0]
    send = redis.connection.AbstractConnection.send_packed_command

    def note(self: object, *args: object, **options: object) -> object:
        counts[0] += 1
        return send(self, *args, **options)  # type: ignore[arg-type, no-untyped-call] # as it was called

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis.connection.AbstractConnection, "send_packed_command", note)
        yield counts


def spent_by(act: Callable[[], object], *, tasks: list[str]) -> Spent:
    """`act` runs twice: counting calls would count the other counters, too. `tasks`: where messages are noted."""
    with counted_calls() as calls:
        act()
    before = len(tasks)
    with statements() as sent, counted_round_trips() as trips, capture_logs() as lines:
        act()
    return Spent(
        statements=len(sent), redis=trips[0], tasks=len(tasks) - before, lines=len(lines), calls=calls[0]
    )


def least(spendings: list[Spent]) -> Spent:
    """The least of each: what one of them had to do once, such as preparing a statement, is not the path's."""
    names = asdict(spendings[0])
    return replace(spendings[0], **{name: min(getattr(item, name) for item in spendings) for name in names})
