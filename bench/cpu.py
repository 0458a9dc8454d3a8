"""CPU of whole process trees, from /proc: what a server costs does not depend on what else shares the cores."""

import os
from collections.abc import Iterable
from pathlib import Path

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
