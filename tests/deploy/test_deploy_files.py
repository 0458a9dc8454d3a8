"""Dockerfile, compose file, unit and proxy agree with the program and with each other."""

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OURS = ("web", "worker", "migrate")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


def known_variables() -> set[str]:
    return set(re.findall(r"^([A-Z][A-Z_0-9]*)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_write_nothing_and_need_no_root(name: str, compose: dict[str, Any]) -> None:
    service = compose["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(entry.startswith("/tmp") for entry in service["tmpfs"])
    assert "volumes" not in service


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_is_documented(name: str, compose: dict[str, Any]) -> None:
    names = {key.removesuffix("_FILE") for key in compose["services"][name]["environment"]}

    assert names <= known_variables()


def test_secrets_come_from_files_and_each_is_mounted(compose: dict[str, Any]) -> None:
    for name in OURS:
        service = compose["services"][name]
        for key, value in service["environment"].items():
            if key.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]
            else:
                assert not re.search(r"SECRET|TOKEN|PASSWORD|OTP_KEYS|ENCRYPTION_KEYS|DATABASE_URL", key), key
    assert set(compose["secrets"]) == {
        name for item in compose["services"].values() for name in item.get("secrets", ())
    }


def test_everything_that_can_be_asked_has_a_health_check(compose: dict[str, Any], dockerfile: str) -> None:
    assert "HEALTHCHECK" in dockerfile
    for name in ("worker", "postgres", "redis"):
        assert compose["services"][name]["healthcheck"]["test"][0] == "CMD"
    assert (
        compose["services"]["web"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    )


def test_commands_exist(compose: dict[str, Any]) -> None:
    from django.core.management import get_commands

    for name in OURS:
        program, script, command, *arguments = compose["services"][name]["command"]
        assert (program, script) == ("python", "manage.py")
        assert command in get_commands()
        if command == "serve":
            assert arguments == ["--only", name]


def test_stores_are_those_we_are_made_for(compose: dict[str, Any]) -> None:
    assert compose["services"]["postgres"]["image"] == "postgres:17"
    assert "noeviction" in compose["services"]["redis"]["command"]
    assert {
        entry.partition(":")[0]
        for name in ("postgres", "redis")
        for entry in compose["services"][name]["volumes"]
    } == set(compose["volumes"])


def test_a_stop_lasts_longer_than_a_call_to_a_provider(compose: dict[str, Any]) -> None:
    from ops.processes import _GRACE_SECONDS

    assert int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s")) > _GRACE_SECONDS > 5
    unit = (ROOT / "deploy" / "systemd" / "authsvc@.service").read_text()
    assert int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]) > _GRACE_SECONDS


def test_the_image_is_small_safe_and_of_our_python(dockerfile: str) -> None:
    stages = re.findall(r"^FROM (\S+)", dockerfile, flags=re.MULTILINE)
    version = (ROOT / ".python-version").read_text().strip()
    last = dockerfile.rpartition("\nFROM ")[2]

    assert len(stages) == 2
    assert all(image.startswith(f"python:{version}-slim") for image in stages)
    assert "--require-hashes" in dockerfile
    assert re.search(r"^USER 10001", last, flags=re.MULTILINE)
    assert last.index("USER") < last.index("CMD")
    assert "pip install" not in last


@pytest.mark.parametrize("name", [".env", ".git", "var", "tests", "secrets", ".venv"])
def test_what_must_not_be_in_the_image_is_left_out(name: str) -> None:
    assert name in (ROOT / ".dockerignore").read_text().splitlines()


def test_what_the_image_needs_is_not_left_out(compose: dict[str, Any], dockerfile: str) -> None:
    ignored = set((ROOT / ".dockerignore").read_text().splitlines())
    needed = {"manage.py", "authsvc", "channels", "login", "otp", "projects", "users", "webhooks", "locale", "static",
              "templates", "scripts", "requirements"}  # fmt: skip

    assert not needed & ignored
    assert all((ROOT / name).exists() for name in needed)


def test_the_secrets_script_makes_each_once(tmp_path: Path, compose: dict[str, Any]) -> None:
    folder = tmp_path / "secrets"

    def make() -> dict[str, str]:
        subprocess.run([ROOT / "deploy" / "make-secrets.sh", folder], check=True, capture_output=True)
        return {path.name: path.read_text() for path in folder.iterdir()}

    first = make()
    assert set(first) == set(compose["secrets"])
    assert first["postgres_password"] in first["database_url"]
    assert make() == first
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o444


def test_what_the_script_makes_starts_production(tmp_path: Path) -> None:
    import sys

    from tests.processes import clean_environment

    folder = tmp_path / "secrets"
    subprocess.run([ROOT / "deploy" / "make-secrets.sh", folder], check=True, capture_output=True)
    environment = {
        f"{variable}_FILE": str(folder / name)
        for variable, name in (
            ("SECRET_KEY", "secret_key"), ("AUTHSVC_OTP_KEYS", "otp_keys"), ("DATABASE_URL", "database_url"),
            ("AUTHSVC_ENCRYPTION_KEYS", "encryption_keys"), ("AUTHSVC_METRICS_TOKEN", "metrics_token"),
        )
    }  # fmt: skip
    environment |= {"ALLOWED_HOSTS": "login.example.com", "REDIS_URL": "redis://127.0.0.1:6379/0"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        check=False,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr


def test_the_proxy_logs_neither_queries_nor_ids_of_challenges() -> None:
    """F11, P2, P11: nor does it lead a program that sends secrets in clear anywhere."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    (log_format,) = re.findall(r"log_format authsvc '(.*)'", text)

    assert not set(re.findall(r"\$\w+", log_format)) & {
        "$request",
        "$request_uri",
        "$uri",
        "$args",
        "$http_referer",
    }
    assert text.count("access_log /var/log/nginx/authsvc.log authsvc;") == text.count("server {") == 2
    assert re.search(r"location ~ \^/\(api\|whatsapp\|sms\|oauth2/\(token\|.*return 403;", text)
