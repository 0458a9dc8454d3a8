"""Settings: what an environment makes of the database, Celery, cookies and logs. Each in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as loaded

from authsvc.settings import database
from authsvc.settings.celery import RETENTION, choose_broker
from tests.processes import ROOT, clean_environment

PRODUCTION = {
    "AUTHSVC_MODE": "production",
    "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJ",
    "ALLOWED_HOSTS": "login.example.com",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
_PRINT = """
import json, sys
from authsvc import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def of(names: list[str], **environment: str) -> list[Any]:
    """The values of settings in an environment."""
    done = subprocess.run(
        [sys.executable, "-c", _PRINT, *names],
        cwd=ROOT,
        env=clean_environment(**PRODUCTION | environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout.splitlines()[-1])
    return [values[name] for name in names]


# Database -------------------------------------------------------------------------------------------


def test_sqlite_writes_ahead_and_waits_for_locks() -> None:
    options: Any = database.sqlite()["OPTIONS"]

    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 20
    assert "journal_mode=WAL" in options["init_command"]


def test_postgresql_has_time_limits_and_prepared_statements() -> None:
    options: Any = database.postgresql({})["OPTIONS"]

    for limit in (
        "statement_timeout=10000",
        "lock_timeout=4000",
        "idle_in_transaction_session_timeout=15000",
    ):
        assert limit in options["options"]
    assert (options["server_side_binding"], options["prepare_threshold"]) == (True, 3)
    assert (options["connect_timeout"], options["application_name"]) == ("3", "authsvc")


def test_behind_pgbouncer_a_connection_brings_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHSVC_PGBOUNCER", "true")

    options: Any = database.postgresql({})["OPTIONS"]

    assert not {"options", "server_side_binding", "prepare_threshold"} & set(options)


def test_options_of_the_url_come_before_ours() -> None:
    options: Any = database.postgresql({"connect_timeout": "9", "sslmode": "require", "options": "-c x=1"})[
        "OPTIONS"
    ]

    assert (options["connect_timeout"], options["sslmode"], options["options"]) == ("9", "require", "-c x=1")


def test_tests_use_no_pool_and_production_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "pool" not in database.postgresql({})["OPTIONS"]  # type: ignore[operator] # a dict

    monkeypatch.setattr(database, "TESTING", False)
    monkeypatch.setenv("DATABASE_POOL", "7")
    pool: Any = database.postgresql({})["OPTIONS"]
    assert (pool["pool"]["min_size"], pool["pool"]["max_size"]) == (1, 7)
    assert pool["pool"]["check"] is database.check_connection


class _Link:
    """A connection whose socket is readable or not."""

    def __init__(self, socket: int) -> None:
        self.pgconn = self
        self.socket = socket


def test_a_connection_is_asked_only_when_its_socket_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    asked: list[object] = []
    monkeypatch.setattr("psycopg_pool.ConnectionPool.check_connection", asked.append)
    reader, writer = os.pipe()
    link: Any = _Link(reader)

    database.check_connection(link)
    assert asked == []
    os.close(writer)  # as a server that closed it
    database.check_connection(link)

    assert asked == [link]
    os.close(reader)


# Celery ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "redis_url", "chosen"),
    [
        ("", "", "memory://localhost/"),
        ("", "redis://r/0", "redis://r/0"),
        ("amqp://b//", "redis://r/0", "amqp://b//"),
        ("rediss://b/1", "redis://r/0", "rediss://b/1"),
    ],
)
def test_the_broker_is_its_own_url_else_redis_else_memory(url: str, redis_url: str, chosen: str) -> None:
    assert choose_broker(url, redis_url=redis_url) == chosen


def test_every_task_of_beat_is_on_the_queue_of_the_sweep_and_expires() -> None:
    schedule: dict[str, dict[str, Any]] = loaded.CELERY_BEAT_SCHEDULE
    for entry in schedule.values():
        assert loaded.CELERY_TASK_ROUTES[entry["task"]] == {"queue": "sweep"}
        assert entry["options"]["expires"] >= entry["schedule"] or entry["options"]["expires"] >= 50


def test_retention_is_one_list() -> None:
    scheduled = {str(entry["task"]) for entry in loaded.CELERY_BEAT_SCHEDULE.values()}

    assert {task for _, task, _ in RETENTION.values()} == {
        task for task in scheduled if task.endswith(".purge")
    }


# Modes ----------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_production_is_closed_by_default() -> None:
    debug, cookie, secure, csrf, hsts, networks, simulator, allow = of(
        ["DEBUG", "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_NAME", "SECURE_HSTS_SECONDS",
         "AUTHSVC_METRICS_NETWORKS", "SIMULATOR_URL", "AUTHSVC_OUTGOING_ALLOW"]
    )  # fmt: skip

    assert (debug, cookie, secure, csrf) == (False, "__Host-sessionid", True, "__Host-csrftoken")
    assert hsts == 63_072_000
    assert (networks, simulator, allow) == ([], "", [])


@pytest.mark.processes
def test_on_loopback_cookies_need_no_https() -> None:
    cookie, secure, hsts = of(
        ["SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SECURE_HSTS_SECONDS"],
        AUTHSVC_PUBLIC_URL="http://localhost:8000",
    )

    assert (cookie, secure, hsts) == ("sessionid", False, 0)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("redis_url", "expected"),
    [
        ("", [True, "memory://localhost/", 8, 4]),
        ("redis://127.0.0.1:1/0", [False, "redis://127.0.0.1:1/0", 32, 16]),
    ],
    ids=["one process", "several"],
)
def test_without_redis_everything_is_one_process(redis_url: str, expected: list[object]) -> None:
    assert (
        of(["EMBEDDED", "CELERY_BROKER_URL", "WORKER_THREADS", "SWEEP_THREADS"], REDIS_URL=redis_url)
        == expected
    )


@pytest.mark.processes
def test_commands_in_the_mode_of_the_demo_look_at_what_make_demo_runs(tmp_path: Path) -> None:
    """Its database, the key of its secrets and its simulator; what the environment names comes first."""
    names = ["DATABASES", "SECRET_KEY", "PROVIDER_API_URLS"]
    (tmp_path / "demo-secret-key").write_text("of the demo")
    environment = {"AUTHSVC_MODE": "demo", "AUTHSVC_VAR": str(tmp_path), "SECRET_KEY": "", "REDIS_URL": ""}

    databases, key, urls = of(names, **environment)

    assert databases["default"]["NAME"] == f"{tmp_path}/demo.sqlite3"
    assert key == "of the demo"
    assert urls == {"whatsapp": "http://127.0.0.1:9009/v26.0", "twilio": "http://127.0.0.1:9009"}

    own = {
        "DATABASE_URL": "sqlite:////own.sqlite3",
        "SECRET_KEY": "own",
        "TWILIO_API_URL": "https://own.example",
    }
    databases, key, urls = of(names, **environment | own)

    assert (databases["default"]["NAME"], key) == ("/own.sqlite3", "own")
    assert urls["twilio"] == "https://own.example"


@pytest.mark.processes
def test_one_variable_names_the_base_url_of_any_provider() -> None:
    (urls,) = of(
        ["PROVIDER_API_URLS"],
        WHATSAPP_API_URL="https://meta.example/v26.0",
        AUTHSVC_API_URLS="twilio:https://twilio.example,vonage:https://vonage.example",
    )

    assert urls == {
        "whatsapp": "https://meta.example/v26.0",
        "twilio": "https://twilio.example",
        "vonage": "https://vonage.example",
    }


@pytest.mark.processes
def test_keys_of_their_own_replace_those_derived_from_the_secret() -> None:
    (derived,) = of(["AUTHSVC_ENCRYPTION_KEYS"])
    assert len(derived) == 1

    (own,) = of(["AUTHSVC_ENCRYPTION_KEYS"], AUTHSVC_ENCRYPTION_KEYS="one,two")
    assert own == ["one", "two"]


def test_every_setting_of_a_module_is_a_setting() -> None:
    """A module that is not imported into the package would be silently ignored."""
    import importlib
    import pkgutil

    import authsvc.settings as package

    for module in pkgutil.iter_modules(package.__path__):
        source = importlib.import_module(f"authsvc.settings.{module.name}")
        for name in vars(source):
            if name.isupper() and not name.startswith("_"):
                assert hasattr(loaded, name), f"{module.name}.{name}"
