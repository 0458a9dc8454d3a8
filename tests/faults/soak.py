"""Logins at a steady rate for minutes: memory must stay flat and nothing may go wrong."""

import threading
import time
from dataclasses import dataclass

from tests.faults.ledger import Ledger
from tests.faults.load import Crowd, Login
from tests.faults.stack import Stack

SHARE = 0.6  # of what the machine can do with the people on it
_SAMPLE_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Soak:
    per_second: float
    logins: int
    errors: int
    growth: dict[str, float]  # share by which each process grew, first tenth to last
    good: bool
    line: str


def capacity(stack: Stack) -> float:
    """Logins per second when 32 people follow each other without a pause, people and providers included."""
    stack.reset()
    begun = time.monotonic()
    with Crowd(stack, count=300, per_second=1000) as crowd:
        pass
    took = time.monotonic() - begun
    return sum(1 for login in crowd.logins if login.done_after is not None) / took


def run(stack: Stack, *, minutes: float, per_second: float) -> Soak:
    stack.reset()
    samples: list[dict[str, int]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_SAMPLE_SECONDS if minutes > 1 else 1.0):
            samples.append(stack.rss())

    watcher = threading.Thread(target=watch)
    # A first minute warms caches, pools and threads up; it is not judged.
    warm = min(1.0, minutes / 3)
    with Crowd(stack, count=max(int(warm * 60 * per_second), 1), per_second=per_second) as before:
        pass
    watcher.start()
    count = max(int(minutes * 60 * per_second), 1)
    with Crowd(stack, count=count, per_second=per_second, first=500_000) as crowd:
        pass
    over.set()
    watcher.join()
    ledger = Ledger(stack)
    row = ledger.close("soak", crowd.logins, quiet_after=ledger.wait_quiet())
    growth = {name: _growth([sample.get(name, 0) for sample in samples]) for name in samples[0]}
    errors = _errors(before.logins) + _errors(crowd.logins)
    return Soak(
        per_second=per_second,
        logins=len(crowd.logins),
        errors=errors,
        growth=growth,
        good=row.is_good and errors == 0 and max(growth.values()) < 0.05,
        line=str(row),
    )


def _growth(values: list[int]) -> float:
    tenth = max(len(values) // 10, 1)
    first = sum(values[:tenth]) / tenth
    last = sum(values[-tenth:]) / tenth
    return last / first - 1


def _errors(logins: list[Login]) -> int:
    return sum(len(login.broken) + login.refused + (login.done_after is None) for login in logins)


def measure(stack: Stack, *, minutes: float, per_second: float) -> tuple[bool, str]:
    """Whether it was good, and a summary. Without `per_second` at a share of what the machine can do."""
    summary = ""
    if not per_second:
        most = capacity(stack)
        per_second = most * SHARE
        summary = f"Capacity {most:.1f} logins/s, people and providers on the same two cores. "
    result = run(stack, minutes=minutes, per_second=per_second)
    growth = ", ".join(f"{name} {share:+.1%}" for name, share in result.growth.items())
    summary += f"{result.logins} logins in {minutes:g} minutes ({per_second:.1f}/s), {result.errors} errors; memory: {growth}."
    return result.good, summary if result.good else f"{summary}\n{result.line}"
