"""`./manage.py` as the documents write it (field fault D9)."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.processes import ROOT, clean_environment

pytestmark = pytest.mark.processes


def _run(
    command: list[str], environment: dict[str, str], folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _foreign_python() -> str:
    """A Python without our packages: the one that the environment was made from."""
    base = Path(sys.base_prefix, "bin", f"python{sysconfig.get_python_version()}")
    assert base.exists()
    return str(base)


def test_d9_it_runs_from_a_fresh_shell() -> None:
    assert os.access(ROOT / "manage.py", os.X_OK)

    done = _run(["./manage.py", "help"], {"AUTHSVC_MODE": "test"})

    assert done.returncode == 0, done.stderr
    assert "doctor" in done.stdout


def test_d9_a_python_without_django_hands_over_to_the_environment() -> None:
    done = _run([_foreign_python(), "manage.py", "help"], {"AUTHSVC_MODE": "test"})

    assert done.returncode == 0, done.stderr
    assert "send_test_code" in done.stdout


def test_d9_it_runs_from_any_folder(tmp_path: Path) -> None:
    done = _run([str(ROOT / "manage.py"), "help", "doctor"], {"AUTHSVC_MODE": "test"}, tmp_path)

    assert done.returncode == 0, done.stderr


def test_d9_without_an_environment_it_says_how_to_make_one(tmp_path: Path) -> None:
    shutil.copy(ROOT / "manage.py", tmp_path)

    done = _run([_foreign_python(), "-I", "manage.py", "help"], {}, tmp_path)

    assert done.returncode == 1
    assert done.stderr.strip() == (
        "authsvc: nothing is installed yet: run `make setup` (or make demo, make serve) first"
    )


def test_d7_keys_are_made_before_there_are_any() -> None:
    done = _run(["./manage.py", "keys"], {"AUTHSVC_MODE": "production"})

    assert done.returncode == 0, done.stderr
    names = [line.partition("=")[0] for line in done.stdout.splitlines()]
    assert names == ["SECRET_KEY", "AUTHSVC_OTP_KEYS", "AUTHSVC_ENCRYPTION_KEYS"]
    made = dict(line.split("=", 1) for line in done.stdout.splitlines())
    settings = {
        "ALLOWED_HOSTS": "login.example.com",
        "DATABASE_URL": "sqlite:///:memory:",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    assert _run(["./manage.py", "check"], {"AUTHSVC_MODE": "production"} | made | settings).returncode == 0


def test_d7_nothing_derived_is_said() -> None:
    made = dict(line.split("=", 1) for line in _run(["./manage.py", "keys"], {}).stdout.splitlines())

    done = _run(
        ["./manage.py", "keys", "--derived"],
        {"AUTHSVC_MODE": "production", "ALLOWED_HOSTS": "a.example"} | made,
    )

    assert (done.returncode, done.stdout) == (0, "")
    assert "no key is derived" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["renumber", "--check"],
        ["purge"],
        ["export"],
        ["rotate_keys", "--check"],
        ["send_test_code", "+85251234567"],
    ],
)
def test_d9_without_tables_one_line_says_what_to_run(command: list[str], tmp_path: Path) -> None:
    environment = {"AUTHSVC_MODE": "test", "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"}

    done = _run(["./manage.py", *command], environment)

    assert done.returncode == 1
    assert done.stderr.startswith("authsvc: the database refuses: no such table")
    assert "./manage.py migrate" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_d9_a_database_that_is_away_is_no_traceback_and_tells_no_password() -> None:
    environment = {"AUTHSVC_MODE": "test", "DATABASE_URL": "postgres://authsvc:geheim@127.0.0.1:1/authsvc"}

    done = _run(["./manage.py", "export"], environment)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("authsvc: the database refuses: "), done.stderr
    assert "Traceback" not in done.stderr
    assert "geheim" not in done.stderr
