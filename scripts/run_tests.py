"""`make test`: every test on PostgreSQL with Redis; then those that stand on a store again, on SQLite without Redis.

Arguments go to pytest. A test that asks for no database gets none, and none of Redis (tests/conftest.py): it cannot
tell the two runs apart and is in the first only, and so are those that start servers on stores of their own. Tests
marked `postgres` check PostgreSQL's statements and plans. The title of the second run says what it leaves out; files of
which the first run found nothing that would run again it does not even read (tests/store_files.py).
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import kept_bytecode, services

ROOT = Path(__file__).resolve().parent.parent

# Half of the time is waiting for servers that tests start. Each worker has a database of Redis, of which there are 8.
WORKERS = min(8, 2 * (os.cpu_count() or 1))
# Of processes that only import.
NO_STORES = {"DATABASE_URL": "sqlite:///:memory:", "REDIS_URL": ""}


def clean_environment() -> dict[str, str]:
    """This one without settings of ours."""
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
    # Hundreds of Python processes start in a run. Without kept bytecode each of them compiles everything it imports.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


def run(title: str, environment: dict[str, str], arguments: list[str]) -> int:
    print(f"\n=== {title}", flush=True)
    command = [sys.executable, "-m", "pytest", "-n", str(WORKERS), "--dist", "loadgroup", *arguments]
    return subprocess.run(command, cwd=ROOT, env=clean_environment() | environment, check=False).returncode


def migrate(*database_urls: str) -> None:
    """All of them at the same time."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    common = clean_environment() | {"AUTHSVC_MODE": "test", "REDIS_URL": ""}
    running = [
        subprocess.Popen(command, cwd=ROOT, env=common | {"DATABASE_URL": url}) for url in database_urls
    ]
    codes = [process.wait() for process in running]
    if any(codes):
        sys.exit("authsvc: the migrations do not run; see above")


@contextlib.contextmanager
def originals(server: str) -> Iterator[dict[str, str]]:
    """A migrated database of each kind, which tests copy (tests/databases.py): on this PostgreSQL, and a file."""
    name = f"authsvc_original_{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(prefix="authsvc-test-") as folder:
        file = f"{folder}/original.sqlite3"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        try:
            parts = urlsplit(server)
            migrate(parts._replace(path=f"/{name}").geturl(), f"sqlite:///{file}")
            yield {"TEST_POSTGRES_TEMPLATE": name, "TEST_SQLITE_TEMPLATE": file}
        finally:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def main() -> int:
    chosen = sys.argv[1:]
    programs = {"CHROMIUM": services.chromium(), **services.node()}
    coverage = [] if chosen else ["--cov", "--cov-report=term"]
    making = [] if chosen else kept_bytecode.begin(ROOT, clean_environment() | NO_STORES)
    with (
        services.postgres() as database_url,
        services.redis() as redis_url,
        originals(database_url) as templates,
        tempfile.TemporaryDirectory(prefix="authsvc-test-") as folder,
    ):
        for process in making:
            process.wait()
        files = f"{folder}/store-files"
        on_postgres = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "TEST_STORE_FILES_WRITTEN": files,
        }
        first = run("PostgreSQL and Redis", on_postgres | programs | templates, [*chosen, *coverage])
        on_sqlite = {
            "DATABASE_URL": f"sqlite:///{folder}/authsvc.sqlite3",
            "REDIS_URL": "",
            "TEST_STORE_FILES_READ": files,
        }
        title = (
            "SQLite without Redis: once more what stands on a database or on Redis, except what is about PostgreSQL "
            "itself (`postgres`). What stands on neither (not `stores`, and then refused both) has run above"
        )
        second = run(title, on_sqlite | programs | templates, [*chosen, "-m", "stores and not postgres"])
    # Choosing a few may leave nothing for one of the runs; nothing at all in both is an error.
    nothing = 5
    if chosen and nothing in (first, second) and {first, second} != {nothing}:
        return max(code for code in (first, second) if code != nothing)
    return max(first, second)


if __name__ == "__main__":
    sys.exit(main())
