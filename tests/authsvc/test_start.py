"""Settings that are wrong stop every entry point with one line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "AUTHSVC_MODE": "production",
    "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJ",
    "ALLOWED_HOSTS": "login.example.com",
    "DATABASE_URL": "sqlite:///:memory:",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
ENTRY_POINTS = {
    "manage.py": ["manage.py", "check"],
    "wsgi": ["-c", "import authsvc.wsgi"],
    "celery": ["-c", "import authsvc.celery"],
}


def run(arguments: list[str], **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **GOOD, **changes}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.processes
@pytest.mark.parametrize("entry", ENTRY_POINTS)
def test_a_missing_secret_is_one_line(entry: str) -> None:
    """K2: no default secret."""
    result = run(ENTRY_POINTS[entry], SECRET_KEY="")

    assert result.returncode == 1
    assert result.stderr.startswith("authsvc: SECRET_KEY is missing or weak")
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.processes
@pytest.mark.parametrize(
    ("changes", "line"),
    [
        pytest.param({"SECRET_KEY": "a" * 60}, "SECRET_KEY is missing or weak", id="weak"),
        pytest.param({"DEBUG": "true"}, "DEBUG must not be on in production", id="debug"),
        pytest.param({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is empty", id="hosts"),
        pytest.param({"DATABASE_URL": "mysql://x"}, "DATABASE_URL must start with", id="database"),
        pytest.param({"AUTHSVC_MODE": "prod"}, "AUTHSVC_MODE must be one of", id="mode"),
        pytest.param({"AUTHSVC_OTP_KEYS": "a:short"}, "AUTHSVC_OTP_KEYS", id="short code key"),
        pytest.param({"AUTHSVC_TRUSTED_PROXIES": "everyone"}, "AUTHSVC_TRUSTED_PROXIES", id="proxies"),
        pytest.param(
            {"AUTHSVC_PUBLIC_URL": "http://localhost.evil.example"},
            "AUTHSVC_PUBLIC_URL must be https",
            id="D5",
        ),
        pytest.param(
            {"CELERY_BROKER_URL": "amqp://guest:secret@127.0.0.1//", "REDIS_URL": ""},
            "CELERY_BROKER_URL is set and REDIS_URL is empty",
            id="D6",
        ),
        pytest.param(
            {"CELERY_BROKER_URL": "memory://"}, "CELERY_BROKER_URL must name a server", id="D6: memory"
        ),
        pytest.param(
            {"ALLOWED_HOSTS": "https://login.example.com"}, "ALLOWED_HOSTS must be host names", id="a URL"
        ),
    ],
)
def test_a_wrong_setting_is_one_line(changes: dict[str, str], line: str) -> None:
    result = run(["manage.py", "check"], **changes)

    assert result.returncode == 1
    assert result.stderr.startswith(f"authsvc: {line}")
    assert len(result.stderr.strip().splitlines()) == 1
    assert "secret@" not in result.stderr


@pytest.mark.processes
@pytest.mark.parametrize("entry", ENTRY_POINTS)
@pytest.mark.parametrize(
    "changes",
    [
        {"AUTHSVC_PUBLIC_URL": "http://localhost.evil.example"},
        {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0", "REDIS_URL": ""},
    ],
    ids=["D5", "D6"],
)
def test_what_contradicts_itself_stops_every_entry_point(entry: str, changes: dict[str, str]) -> None:
    result = run(ENTRY_POINTS[entry], **changes)

    assert result.returncode == 1
    assert result.stderr.startswith("authsvc: ")
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.processes
@pytest.mark.parametrize(
    ("changes", "id_"),
    [
        pytest.param(
            {"WHATSAPP_API_URL": "http://127.0.0.1:9009/v26.0"}, "authsvc.E002", id="simulated WhatsApp"
        ),
        pytest.param({"TWILIO_API_URL": "http://127.0.0.1:9009"}, "authsvc.E002", id="simulated Twilio"),
        pytest.param({"SIMULATOR_URL": "http://127.0.0.1:9009"}, "authsvc.E003", id="phone page"),
        pytest.param({"AUTHSVC_ENCRYPTION_KEYS": "nonsense"}, "authsvc.E001", id="encryption key"),
        pytest.param(
            {"AUTHSVC_PUBLIC_URL": "http://login.example.com"}, "authsvc.E004", id="public URL in clear"
        ),
        pytest.param({"AUTHSVC_LIMITS": "send.adress:1/1h"}, "authsvc.E005", id="unknown limit"),
        pytest.param({"AUTHSVC_OIDC_KEY": "/nowhere/key.pem"}, "authsvc.E006", id="signing key"),
    ],
)
def test_what_production_refuses(changes: dict[str, str], id_: str) -> None:
    result = run(["manage.py", "check"], **changes)

    assert result.returncode == 1
    assert id_ in result.stderr


@pytest.mark.processes
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"AUTHSVC_PUBLIC_URL": "HTTPS://Login.Example.com:443/"},
        {"AUTHSVC_PUBLIC_URL": "http://localhost:8000", "ALLOWED_HOSTS": "localhost"},
        {"CELERY_BROKER_URL": "amqp://guest:guest@127.0.0.1//"},
        {"ALLOWED_HOSTS": "Login.Example.com., .bücher.example,[::1]"},
    ],
    ids=["plain", "D5: a spelling", "D5: loopback", "D6: RabbitMQ beside Redis", "hosts in another spelling"],
)
def test_production_starts_when_all_is_well(changes: dict[str, str]) -> None:
    result = run(["manage.py", "check", "--fail-level", "WARNING"], **changes)

    assert result.returncode == 0, result.stderr


def test_the_example_names_every_variable() -> None:
    example = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    read = set()
    for source in (ROOT / "authsvc").rglob("*.py"):
        text = source.read_text()
        read |= set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', text)) | set(
            re.findall(r'_number\("([A-Z_]+)"', text)
        )

    assert read - example == set()
    assert "SECRET_KEY" in read
