"""`make test`: every test on PostgreSQL with Redis, then every test on SQLite without.

Arguments go to pytest. Tests marked `postgres` look at PostgreSQL's statements and plans; the second run says that
it leaves them out.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import services

ROOT = Path(__file__).resolve().parent.parent


def run(title: str, environment: dict[str, str], arguments: list[str]) -> int:
    print(f"\n=== {title}", flush=True)
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTHSVC_", "CELERY_"))}
    for name in (
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "DEBUG",
        "DATABASE_URL",
        "REDIS_URL",
        "WHATSAPP_API_URL",
        "TWILIO_API_URL",
    ):
        kept.pop(name, None)
    return subprocess.run(command, cwd=ROOT, env=kept | environment, check=False).returncode


def main() -> int:
    chosen = sys.argv[1:]
    programs = {"CHROMIUM": services.chromium(), **services.node()}
    coverage = [] if chosen else ["--cov", "--cov-report=term"]
    with services.postgres() as database_url, services.redis() as redis_url:
        on_postgres = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
        first = run("PostgreSQL and Redis", on_postgres | programs, [*chosen, *coverage])
    with tempfile.TemporaryDirectory(prefix="authsvc-test-") as folder:
        on_sqlite = {"DATABASE_URL": f"sqlite:///{folder}/authsvc.sqlite3", "REDIS_URL": ""}
        title = "SQLite without Redis (tests marked `postgres` are about PostgreSQL itself and left out)"
        second = run(title, on_sqlite | programs, [*chosen, "-m", "not postgres"])
    # Choosing a few may leave nothing for one of the runs; nothing at all in both is an error.
    nothing = 5
    if chosen and nothing in (first, second) and {first, second} != {nothing}:
        return max(code for code in (first, second) if code != nothing)
    return max(first, second)


if __name__ == "__main__":
    sys.exit(main())
