"""CPU of whole process trees, from /proc: what a server costs does not depend on what else shares the cores.

It does depend on how fast a core is just then, which on a virtual machine changes from one minute to the next. So a
fixed piece of work is timed all through what is measured (`CoreSpeed`), and figures are scaled to a core that does
that piece in REFERENCE_SECONDS: "normalised". The benchmark of the peers does the same with the same work.
"""

import os
import statistics
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(stat: str) -> float:
    """User and system time, own and of ended children, of one line of /proc/<pid>/stat, in seconds."""
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return sum(int(fields[index]) for index in (11, 12, 13, 14)) / _TICKS


def parent_of(stat: str) -> int:
    return int(stat.rpartition(")")[2].split()[1])


def _stats() -> dict[int, str]:
    stats = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stats[int(folder.name)] = (folder / "stat").read_text()
            except OSError:
                continue  # it ended meanwhile
    return stats


def tree(roots: Iterable[int]) -> float:
    """CPU seconds of these processes and all below them, so far."""
    stats = _stats()
    members = list(roots)
    for member in members:
        members += [pid for pid, stat in stats.items() if parent_of(stat) == member and pid not in members]
    return sum(seconds_of(stats[pid]) for pid in members if pid in stats)


REFERENCE_SECONDS = 0.0002
_SAMPLE_EVERY_SECONDS = 0.05


def fixed_work() -> None:
    counts: dict[int, int] = {}
    for number in range(700):
        key = number * 2654435761 & 1023
        counts[key] = counts.get(key, 0) + (number ^ key)


class CoreSpeed:
    """How fast a core is while the `with` block runs: 1 like the reference, 2 twice as fast."""

    def __init__(self) -> None:
        self._samples: list[float] = []  # seconds of CPU for one piece of the fixed work
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def value(self) -> float:
        return REFERENCE_SECONDS / statistics.fmean(self._samples)

    def _sample(self) -> None:
        while True:
            begun = time.thread_time()
            fixed_work()
            self._samples.append(time.thread_time() - begun)
            if self._ended.wait(_SAMPLE_EVERY_SECONDS):
                return
