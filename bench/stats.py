"""What the dashboard costs at ten million messages: `python -m bench.stats [--rows 10000000] [--write]`.

The rollups of a year are written as that many messages leave them (days, and hours of the last three), each figure is
timed. Raw rows of two weeks are written beside them, and one hour is counted. `--write`: into docs/scaling.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from bench import pages
from bench.fill import fill
from bench.site import ROOT
from scripts import services
from scripts.servers import PostgresServer

_FLAGS = "-c fsync=off -c shared_buffers=1GB -c max_wal_size=4GB -c jit=off"
_ROUNDS = 9
# Messages of one hour, country, channel and reason: about as they fall together in a service of three projects.
_ROLLUPS = """
INSERT INTO stats_deliveryrollup (hour, project_id, country, channel, provider, sender_id, cause, reason, category,
  currency, messages, accepted, delivered, failed, fallbacks, verified, instead_of_sms, priced, cost_micros, unpriced)
SELECT hour, p.id, country, channel, provider, NULL, cause, reason, category, currency, n, n, n - lost, lost, lost,
  n - lost, n - lost, CASE WHEN currency <> '' THEN n ELSE 0 END, CASE WHEN currency <> '' THEN n * 59200 ELSE 0 END,
  CASE WHEN currency = '' THEN n - lost ELSE 0 END
FROM (
    SELECT day AS hour, %(each)s * 24 AS n
    FROM generate_series(date_trunc('day', now()) - interval '364 days', now() - interval '3 days', '1 day') day
    UNION ALL
    SELECT hour, %(each)s
    FROM generate_series(date_trunc('day', now()) - interval '2 days', now(), interval '1 hour') hour
  ) times, projects_project p, unnest(%(countries)s::text[]) country, (VALUES
    ('whatsapp', 'meta', 'start', '', 'authentication', '', 0),
    ('whatsapp', 'meta', 'start', 'not_on_channel', '', '', 1),
    ('whatsapp', 'meta', 'start', 'no_news', '', '', 1),
    ('sms', 'twilio', 'fallback', '', '', 'USD', 0)
  ) kind(channel, provider, cause, reason, category, currency, is_lost),
  LATERAL (SELECT n * is_lost AS lost) counts
"""
_LOGINS = """
INSERT INTO stats_loginrollup (hour, project_id, country, started, verified, fell_back)
SELECT hour, project_id, country, sum(messages), sum(verified), sum(fallbacks)
FROM stats_deliveryrollup GROUP BY hour, project_id, country
"""
_TIMES = """
INSERT INTO stats_timingrollup (hour, project_id, channel, provider, measure, bucket, count)
SELECT hour, project_id, channel, provider, measure, bucket, sum(messages) / 12
FROM stats_deliveryrollup, unnest(ARRAY['delivered', 'verified']) measure, generate_series(2, 25) bucket
WHERE reason = '' GROUP BY hour, project_id, channel, provider, measure, bucket
"""
_COUNTRIES = "HK GB US CO MX BR IN ID DE FR ES IT NG ZA AE SA MY PH VN TH".split()  # noqa: SIM905 # shorter


def _environment(url: str) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "AUTHSVC_MODE": "test",
        "DJANGO_SETTINGS_MODULE": "authsvc.settings",
        "DATABASE_URL": url,
        "PYTHONPATH": str(ROOT),
        "LOG_LEVEL": "ERROR",
        "SECRET_KEY": "a-secret-key-of-the-benchmark-0123456789-abcdef",
    }


def _run(url: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=_environment(url),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def seed(url: str, *, rows: int, raw: int) -> dict[str, int]:
    """Rollups of `rows` messages in a year, and `raw` logins of two weeks; how many rows of each."""
    fill(url, raw)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO projects_project (id, slug, name, is_default, created_at) "
            "SELECT gen_random_uuid(), 'p' || n, 'P' || n, false, now() FROM generate_series(1, 2) n"
        )
        kinds = 24 * 365 * 3 * len(_COUNTRIES) * 4
        parameters = {"countries": _COUNTRIES, "each": -(-rows // kinds)}
        counts = {
            "messages": connection.execute(_ROLLUPS, parameters).rowcount,
            "logins": connection.execute(_LOGINS).rowcount,
            "times": connection.execute(_TIMES).rowcount,
        }
        row = connection.execute("SELECT sum(messages) FROM stats_deliveryrollup").fetchone()
        connection.execute("VACUUM ANALYZE")
    return counts | {"counted": int(row[0]) if row else 0}


def measure() -> dict[str, float]:
    """In a process of its own: milliseconds of each figure and of counting one hour, the median of several."""
    import django

    django.setup()
    from datetime import timedelta

    from django.utils import timezone

    from stats import figures, report, rollup
    from stats.prices import PriceList
    from stats.span import Span

    today = timezone.now().date()
    month, year = (Span(first=today - timedelta(days=days), last=today) for days in (29, 364))
    prices = PriceList([])
    acts: dict[str, Callable[[], object]] = {}
    for name, span in (("30 days", month), ("a year", year)):
        acts |= {
            f"logins, {name}": partial(figures.logins, span),
            f"messages and costs, {name}": partial(figures.messages_and_costs, span, prices),
            f"times, {name}": partial(figures.times, span),
            f"reasons and senders, {name}": partial(figures.reasons, span),
            f"all figures, {name}": partial(report.load, span),
        }
    hour = rollup.hour_of(timezone.now() - timedelta(hours=30))
    acts["counting one hour"] = lambda: rollup.count(hour)
    return {name: _median(act) for name, act in acts.items()}


def _median(act: Callable[[], object]) -> float:
    times = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        act()
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


def table(taken: dict[str, float], counts: dict[str, int], raw: int) -> str:
    seeded = (
        f"Rollups of {counts['counted']:,} messages in a year, 20 countries, 3 projects: {counts['messages']:,} rows "
        f"of messages, {counts['logins']:,} of logins, {counts['times']:,} of times. Raw: {raw:,} logins of two weeks, "
    )
    lines = [f"{seeded}{raw // 336:,} in the hour that is counted.", "", "| figure | ms |", "| --- | ---: |"]
    return "\n".join([*lines, *(f"| {name} | {milliseconds:.0f} |" for name, milliseconds in taken.items())])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--raw", type=int, default=2_000_000)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    chosen: Any = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure()))
        return
    with tempfile.TemporaryDirectory(prefix="authsvc-stats-") as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(services.postgres_programs(), folder, services.free_port(), flags=_FLAGS)
        server.start()
        try:
            server.execute("CREATE DATABASE stats")
            url = server.url.rpartition("/")[0] + "/stats"
            _run(url, "manage.py", "migrate", "--verbosity", "0")
            _run(url, "manage.py", "apply", "deploy/demo.yaml")
            counts = seed(url, rows=chosen.rows, raw=chosen.raw)
            text = table(json.loads(_run(url, "-m", "bench.stats", "--measure")), counts, chosen.raw)
        finally:
            server.stop()
    print(text)
    if chosen.write:
        pages.write("docs/scaling.md", name="stats", text=text)


if __name__ == "__main__":
    main()
