"""How the hot queries behave when tables grow: `python -m bench.scaling --rows 10000 10000000 --write`.

Both databases are on one server and measured by turns, so that a noisy moment of the machine meets both.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from bench import pages
from bench.fill import fill
from bench.site import ROOT
from scripts import services
from scripts.servers import PostgresServer

_TURNS, _ROUNDS = 5, 60
_FLAGS = "-c fsync=off -c shared_buffers=2GB -c max_wal_size=8GB -c maintenance_work_mem=512MB -c jit=off"

type Measured = dict[str, dict[str, Any]]


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


def _python(url: str, *arguments: str) -> str:
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


def _make(server: PostgresServer, rows: int) -> str:
    server.execute(f"CREATE DATABASE rows_{rows}")
    url = server.url.rpartition("/")[0] + f"/rows_{rows}"
    _python(url, "manage.py", "migrate", "--verbosity", "0")
    _python(url, "manage.py", "apply", "deploy/demo.yaml")
    fill(url, rows)
    return url


def _measure(urls: Mapping[int, str]) -> dict[int, Measured]:
    by_size: dict[int, Measured] = {}
    for _ in range(_TURNS):
        for rows, url in urls.items():
            taken: Measured = json.loads(_python(url, "-m", "bench.queries", str(_ROUNDS)))
            for name, item in taken.items():
                known = by_size.setdefault(rows, {}).setdefault(name, {"ms": [], "plan": item["plan"]})
                known["ms"] += item["ms"]
    return by_size


def _sizes(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone()
    return str(row[0]) if row else ""


def table(by_size: Mapping[int, Measured], sizes: Mapping[int, str]) -> str:
    """One row a query: medians, and how much slower the largest database is than the smallest."""
    counts = sorted(by_size)
    head = "| query | " + " | ".join(f"{count:,} ({sizes[count]}), ms" for count in counts) + " | ratio |"
    lines = [head, "|---|" + "--:|" * (len(counts) + 1)]
    for name in by_size[counts[0]]:
        medians = [statistics.median(by_size[count][name]["ms"]) for count in counts]
        cells = " | ".join(f"{value:.2f}" for value in medians)
        lines.append(f"| {name} | {cells} | {medians[-1] / medians[0]:.2f} |")
    return "\n".join(lines)


def plans(measured: Measured) -> str:
    parts = []
    for name, item in measured.items():
        parts += [f"**{name}**", "", "```", *item["plan"], "```", ""]
    return "\n".join(parts).rstrip()


def worst(by_size: Mapping[int, Measured]) -> float:
    counts = sorted(by_size)
    ratios = [
        statistics.median(by_size[counts[-1]][name]["ms"]) / statistics.median(by_size[counts[0]][name]["ms"])
        for name in by_size[counts[0]]
    ]
    return float(max(ratios))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scaling")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 10_000_000])
    parser.add_argument("--write", action="store_true", help="into docs/scaling.md")
    parser.add_argument(
        "--folder", default=None, help="where the databases are built (10 GB for ten million)"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="authsvc-scaling-", dir=options.folder) as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(services.postgres_programs(), folder, services.free_port(), flags=_FLAGS)
        server.start()
        try:
            urls = {rows: _make(server, rows) for rows in sorted(options.rows)}
            sizes = {rows: _sizes(url) for rows, url in urls.items()}
            by_size = _measure(urls)
        finally:
            server.stop()
    text = table(by_size, sizes)
    print(text)
    if options.write:
        largest = max(by_size)
        page = f"{text}\n\n### Plans at {largest:,} rows\n\n{plans(by_size[largest])}"
        pages.write("docs/scaling.md", name="queries", text=page)
    return 0 if worst(by_size) <= 1.5 else 1


if __name__ == "__main__":
    sys.exit(main())
