"""How many cores so many logins a second need: a model from what one login was measured to cost."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from bench.report import Figure

# No part is planned to be busier than this: the rest is for peaks and for purging.
UTILISATION = 0.6
RATES = (10, 100, 1_000, 10_000)
KEPT_DAYS = 30  # otp.retention.CHALLENGES_KEPT
_PARTS = ("web", "worker", "postgres", "redis")
_TITLES = {"web": "web", "worker": "worker", "postgres": "PostgreSQL", "redis": "Redis"}
_TABLES = ("otp_challenge", "otp_delivery", "otp_deliveryevent")


@dataclass(frozen=True, kw_only=True)
class Disk:
    """What PostgreSQL had written, in bytes, at some moment or in between."""

    wal: int
    tables: int  # with their indexes; sessions and users are not counted, they do not grow with logins

    def since(self, earlier: "Disk") -> "Disk":
        return Disk(wal=self.wal - earlier.wal, tables=self.tables - earlier.tables)


def disk(url: str) -> Disk:
    sizes = " + ".join(f"pg_total_relation_size('{name}')" for name in _TABLES)
    with psycopg.connect(url) as connection:
        row = connection.execute(
            f"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'), {sizes}"  # our own names
        ).fetchone()
    assert row
    return Disk(wal=int(row[0]), tables=int(row[1]))


def per_core(milliseconds: float) -> float:
    """Logins a second that one core can do at most."""
    return 1000 / milliseconds if milliseconds else float("inf")


def cores(milliseconds: float, rate: float) -> float:
    """Cores for `rate` logins a second, none of them busier than planned."""
    return rate * milliseconds / 1000 / UTILISATION


def text(login: Figure, reading: Figure, floor: Figure, written: Disk) -> str:
    """The section of docs/scaling.md. `reading`: the pages of a login. `written` belongs to `login.requests` logins."""
    login, reading, floor = login.normalised(), reading.normalised(), floor.normalised()
    costs: Mapping[str, float] = {part: getattr(login, part) + getattr(reading, part) for part in _PARTS}
    lines = [
        "| part | CPU of one login, ms, normalised | × a request that does nothing | logins/s per core, at most | "
        "cores for " + " | cores for ".join(f"{rate:,}/s" for rate in RATES) + " |",
        "|---|" + "--:|" * (3 + len(RATES)),
    ]
    for part, cost in costs.items():
        wanted = " | ".join(_cores(cores(cost, rate)) for rate in RATES)
        lines.append(
            f"| {_TITLES[part]} | {cost:.2f} | {cost / floor.total:.1f} | {per_core(cost):,.0f} | {wanted} |"
        )
    wal = written.wal / login.requests
    rows = written.tables / login.requests
    lines += [
        "",
        f"A login writes {wal / 1000:.1f} kB of WAL and leaves {rows / 1000:.1f} kB in tables and indexes:",
        "",
        "| logins/s | WAL, MB/s | logins a day | tables after a day, GB | kept for 30 days, GB |",
        "|--:|--:|--:|--:|--:|",
    ]
    for rate in RATES:
        a_day = rate * 86_400
        lines.append(
            f"| {rate:,} | {rate * wal / 1e6:.1f} | {a_day:,} | {a_day * rows / 1e9:,.1f} | "
            f"{a_day * rows * KEPT_DAYS / 1e9:,.0f} |"
        )
    return "\n".join(lines)


def _cores(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
