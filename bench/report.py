"""Figures and the table that shows them."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: `share` from 0 to 1. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row: CPU in milliseconds per request (or login), by part of the server, as the cores were just then.

    `speed` of those cores: see `bench.cpu`.
    """

    name: str
    requests: int
    seconds: float
    web: float
    worker: float
    postgres: float
    redis: float
    latencies: Sequence[float]  # milliseconds
    speed: float
    goal: str = ""

    @property
    def total(self) -> float:
        return self.web + self.worker + self.postgres + self.redis

    @property
    def rate(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0

    def normalised(self) -> Self:
        """The same on the reference core."""
        web, worker, postgres, redis = (
            part * self.speed for part in (self.web, self.worker, self.postgres, self.redis)
        )
        return replace(self, web=web, worker=worker, postgres=postgres, redis=redis, speed=1.0)

    def as_json(self) -> dict[str, object]:
        plain = {name: value for name, value in asdict(self).items() if name != "latencies"}
        cuts = {f"p{round(share * 100)}_ms": percentile(self.latencies, share) for share in (0.5, 0.95, 0.99)}
        return {
            **plain,
            "total_ms": self.total,
            "normalised_ms": self.normalised().total,
            "per_second": self.rate,
            **cuts,
        }


_HEADINGS = [
    "", "requests", "per s", "raw ms", "CPU ms each", "web", "worker", "PG", "Redis", "× floor", "p50 ms", "p95 ms",
    "p99 ms", "goal",
]  # fmt: skip


def table(figures: Sequence[Figure]) -> str:
    """All rows, aligned, CPU normalised. The first figure is the floor: a request that does nothing."""
    floor = figures[0].normalised().total or 1.0
    rows: list[list[str]] = [_HEADINGS]
    for raw in figures:
        item = raw.normalised()
        cuts = [f"{percentile(item.latencies, share):.1f}" for share in (0.5, 0.95, 0.99)]
        parts = [f"{value:.2f}" for value in (item.total, item.web, item.worker, item.postgres, item.redis)]
        rows.append(
            [
                item.name,
                str(item.requests),
                f"{item.rate:.0f}",
                f"{raw.total:.2f}",
                *parts,
                f"{item.total / floor:.1f}",
                *cuts,
                item.goal,
            ]
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [
            cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
