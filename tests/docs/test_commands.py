"""Every command line of README and docs runs as it is written, or it is named here why it cannot (field fault D9)."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from tests.docs.commands import Command, everything
from tests.live.site import Site
from tests.processes import ROOT, clean_environment
from tests.simulator_client import SimulatorClient

# What the tests below run, word for word, in an installation that is served. Words in capitals are the reader's own.
IN_AN_INSTALLATION = {
    "./manage.py apply": 2,  # without a file: says how it is used
    "./manage.py apply FILE.yaml": 0,
    "./manage.py changepassword NAME": None,  # asks at the terminal
    "./manage.py check": 0,
    "./manage.py createsuperuser": None,  # asks at the terminal
    "./manage.py doctor": 0,
    "./manage.py doctor --json": 0,
    "./manage.py export": 0,
    "./manage.py keys": 0,
    "./manage.py purge": 0,
    "./manage.py renumber": 0,
    "./manage.py reset_second_factor NAME": 1,  # nobody is called so
    "./manage.py rotate_keys": 0,
    "./manage.py rotate_keys --check": 0,
    "./manage.py send_test_code": 2,
    "./manage.py send_test_code PHONE": 0,
}
RESEND_SECONDS = 10  # of deploy/demo.yaml
# What another test runs.
ELSEWHERE = {
    "./manage.py keys --derived": "tests/docs/test_key_rotation.py",
    "./manage.py keys --rotate encryption": "tests/docs/test_key_rotation.py",
    "./manage.py keys --rotate one-time-codes": "tests/docs/test_key_rotation.py",
    "./manage.py keys --rotate secret-key": "tests/docs/test_key_rotation.py",
    ".venv/bin/python -m bench --write": "tests/bench/test_calculations.py",
    ".venv/bin/python -m bench.scaling --rows 10000 10000000 --write": "tests/bench/test_calculations.py",
    ".venv/bin/python -m bench.sending": "tests/bench/test_sending.py",
    ".venv/bin/python -m bench.stats --write": "tests/bench/test_calculations.py",
    ".venv/bin/python -m tests.faults": "tests/faults/test_faults.py",
    ".venv/bin/python -m tests.faults --only PostgreSQL": "tests/faults/test_faults.py",
    ".venv/bin/python -m tests.faults --times 3 --write": "tests/faults/test_faults.py",
    ".venv/bin/python -m tests.faults backlog": "tests/faults/test_faults.py",
    ".venv/bin/python -m tests.faults soak --minutes 10": "tests/faults/test_faults.py",
    "WORKER_QUEUES=sweep make worker": "tests/live/test_serve.py",
    "make beat": "tests/live/test_serve.py",
    "make demo": "tests/live/test_demo.py",
    "make serve": "tests/live/test_serve.py",
    "make web": "tests/live/test_serve.py",
    "make worker": "tests/live/test_serve.py",
    "npm install": "tests/examples/test_node.py",
    "npm install && npm start": "tests/examples/test_node.py",
    "npm start": "tests/examples/test_node.py",
    ".venv/bin/granian --interface asgi --port 8002 app:app": "tests/examples/test_examples.py",
    ".venv/bin/python -m django migrate": "tests/examples/test_examples.py",
    ".venv/bin/python -m django runserver 8001": "tests/examples/test_examples.py",
    "export DJANGO_SETTINGS_MODULE=settings": "tests/examples/test_examples.py",
    "./manage.py migrate otp 0017": "tests/otp/test_timers_migration.py",
    "scripts/bootstrap base": "tests/scripts/test_bootstrap.py",
}
# What no test can run, and why.
CANNOT = {
    "./manage.py COMMAND": "stands for all of them",
    "./manage.py …": "stands for all of them",
    "./manage.py keys --rotate …": "stands for the three that follow it",
    "./manage.py compilemessages": "rewrites the catalogues of this checkout; tests/login/test_translations.py compares them",
    "./manage.py makemessages": "rewrites the catalogues of this checkout",
    "./manage.py shell": "waits at its prompt",
    ".venv/bin/pip install --require-hashes -r requirements/telemetry.txt": "downloads packages",
    ".venv/bin/pip install -r requirements.txt": "downloads packages",
    "docker compose exec web ./manage.py …": "needs a Docker engine; tests/deploy/test_deploy_files.py reads the file",
    "docker compose ps": "needs a Docker engine",
    "docker compose run --rm migrate": "needs a Docker engine",
    "docker compose up": "needs a Docker engine",
    "docker compose up -d": "needs a Docker engine",
    "docker compose up -d worker": "needs a Docker engine",
    "jq 'select(.challenge_id == \"01a20b58-e227-7000-8000-000000000000\")' authsvc.log": "jq is the reader's own tool",
    "make bench": "takes minutes",
    "make docs": "downloads packages; tests/docs/test_links.py looks at the same links and anchors",
    "make help": "lists what is checked below",
    "make lint": "is the other half of CI",
    "make lint && make test": "is CI itself",
    "make lock": "asks the package index",
    "make migrate": "is ./manage.py migrate, which runs below",
    "make setup": "made the environment of this test",
    "make test": "is this run",
    'make test ARGS="-k renumber"': "is a part of this run",
    "pg_dump --format=custom": "PostgreSQL's own; the database is the reader's",
    "pipx run pre-commit install": "downloads a tool",
    "python3 -m venv .venv": "Python's own",
    "systemctl daemon-reload": "needs systemd; tests/live/test_read_only.py runs what the unit runs",
    "systemctl enable --now authsvc@web authsvc@worker": "needs systemd",
    "systemctl restart authsvc@worker authsvc@web": "needs systemd",
    "systemctl start authsvc@worker": "needs systemd",
    "systemctl status authsvc@web": "needs systemd",
    "useradd --system --home-dir /var/lib/authsvc --shell /usr/sbin/nologin authsvc": "changes the machine's users",
}
# The installation on one machine (docs/operations.md), run as a whole below.
INSTALLING = [
    "install -d -m 0750 /etc/authsvc",
    "./manage.py keys > /etc/authsvc/env",
    "chmod 0600 /etc/authsvc/env",
    "set -a; . /etc/authsvc/env; set +a",
    "./manage.py migrate",
    "./manage.py collectstatic --no-input",
    "install -m 0644 deploy/systemd/authsvc@.service /etc/systemd/system/",
]
PHONE = "+85251239001"


def _written() -> list[Command]:
    return [command for command in everything() if not command.runs_in_page]


def test_d9_every_command_of_the_documents_is_run_or_it_is_said_why_not() -> None:
    tables = [*IN_AN_INSTALLATION, *ELSEWHERE, *CANNOT, *INSTALLING]

    assert sorted({command.text for command in _written()} - set(tables)) == []
    assert (
        sorted(set(tables) - {command.text for command in _written()} - {"WORKER_QUEUES=sweep make worker"})
        == []
    )


def test_d9_commands_begin_as_a_shell_needs_them() -> None:
    """`manage.py` alone is not found, and the machine's Python has no Django."""
    texts = [command.text for command in everything()]

    assert [text for text in texts if re.match(r"(python3? )?manage\.py|pip ", text)] == []


def test_d9_tests_that_run_commands_are_there() -> None:
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).exists()] == []


def test_d9_targets_of_make_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {name for line in re.findall(r"^([a-z ]+):", makefile, re.MULTILINE) for name in line.split()}
    used = {match for command in everything() for match in re.findall(r"\bmake ([a-z]+)", command.text)}

    assert used - targets == set()


def test_d9_options_of_our_commands_are_theirs() -> None:
    for command in everything():
        match = re.match(r"\./manage\.py ([a-z_]+)(.*)", command.text)
        if not match:
            continue
        name, rest = match.groups()
        assert name in get_commands(), command
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        options = set(re.findall(r"--[a-z-]+", rest))
        known = {option for action in parser._actions for option in action.option_strings}
        assert options <= known, command


@pytest.mark.processes
@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.xdist_group("operate")
def test_d9_commands_run_in_an_installation(site: Site) -> None:
    """send_test_code twice in a row as well: the runbook says so."""
    words = {"FILE.yaml": "deploy/demo.yaml", "PHONE": PHONE}
    environment = clean_environment(**site.environment)
    with site.served(), SimulatorClient(site.ports.handsets) as simulator:
        for text, expected in IN_AN_INSTALLATION.items():
            if expected is None:
                continue
            line, started = text, time.monotonic()
            for word, own in words.items():
                line = line.replace(word, own)
            done = subprocess.run(
                ["sh", "-c", line],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == expected, (line, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr, done.stderr
        again = subprocess.run(
            ["./manage.py", "send_test_code", PHONE, "--channel", "sms"],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert again.returncode == 0, again.stdout + again.stderr
        # The wait between two messages, which a busy machine may have used up.
        assert re.search(r"waiting \d+ s", again.stdout) or time.monotonic() - started > RESEND_SECONDS
        assert [item["channel"] for item in simulator.sends(to=PHONE)] == ["whatsapp", "sms"]


@pytest.mark.processes
def test_d8_the_installation_on_one_machine(tmp_path: Path) -> None:
    """All that the page says before the units start, in its order, with /etc and the database in a folder of the test."""
    page = (ROOT / "docs" / "operations.md").read_text()
    order = [page.index(line.split("  ")[0]) for line in INSTALLING]
    assert order == sorted(order)
    (tmp_path / "systemd" / "system").mkdir(parents=True)
    own = {
        "ALLOWED_HOSTS": "login.example.com",
        "AUTHSVC_PUBLIC_URL": "https://login.example.com",
        "DATABASE_URL": f"sqlite:///{tmp_path}/authsvc.sqlite3",
        "AUTHSVC_VAR": str(tmp_path),
    }
    lines = list(INSTALLING)
    lines.insert(3, "\n".join(f"echo {name}={value} >> /etc/authsvc/env" for name, value in own.items()))
    script = "\n".join(["set -e", *lines, "./manage.py check"]).replace("/etc/", f"{tmp_path}/")
    script = script.replace(
        "./manage.py collectstatic --no-input", "./manage.py collectstatic --no-input --dry-run"
    )

    done = subprocess.run(
        ["sh", "-c", script],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "authsvc" / "env").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "systemd" / "system" / "authsvc@.service").exists()
    unit = (ROOT / "deploy" / "systemd" / "authsvc@.service").read_text()
    for said in (
        "User=authsvc",
        "WorkingDirectory=/opt/authsvc",
        "EnvironmentFile=/etc/authsvc/env",
        "StateDirectory=authsvc",
    ):
        assert said in unit
    assert sys.version_info[:2] == (3, 13)
