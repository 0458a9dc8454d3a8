"""`manage.py serve` and `demo` before anything is started: settings, ports, folders, static files, commands."""

import gc
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from ops import metrics, processes
from ops.management.commands import demo, serve
from tests.processes import ROOT, clean_environment


def ended(command: str, *arguments: str) -> str:
    """What the command says as it ends without having started anything."""
    with pytest.raises(SystemExit) as leaving:
        call_command(command, *arguments, stdout=StringIO())
    return str(leaving.value.code)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def alone(settings: Settings) -> None:
    settings.EMBEDDED = True


@pytest.fixture
def several(settings: Settings) -> None:
    settings.EMBEDDED = False


# What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0", "-1", "65536", "9" * 30, "http", "8000.0", "80_00x", "²"])
@pytest.mark.parametrize(
    ("command", "name"), [("serve", "PORT"), ("demo", "PORT"), ("demo", "SIMULATOR_PORT")]
)
def test_a_port_is_one_that_exists(
    command: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured) as refused:
        call_command(command)

    assert str(refused.value) == f"{name} must be a whole number from 1 to 65535"


@pytest.mark.parametrize("value", ["0", "-1", "four", "²"])
def test_there_is_at_least_one_web_process(
    value: str, several: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        commands(monkeypatch, WEB_WORKERS=value)

    assert str(refused.value).startswith("WEB_WORKERS must be a whole number from 1 to ")


@pytest.mark.parametrize("only", [(), ("--only", "web")])
def test_a_port_in_use_is_named(
    only: tuple[str, ...], taken: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", str(taken))
    settings.HOST = "127.0.0.1"

    assert ended("serve", *only) == f"authsvc: port {taken} is in use: stop what uses it, or set PORT"


@pytest.mark.parametrize("only", ["worker", "beat"])
def test_without_redis_worker_and_beat_are_part_of_the_web_process(
    only: str, alone: None, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port does not matter to them."""
    monkeypatch.setenv("PORT", str(taken))

    line = f"authsvc: without REDIS_URL the {only} is part of the web process: run `make web` or `make serve`"
    assert ended("serve", "--only", only) == line


@pytest.mark.parametrize("arguments", [("--only", "sweep"), ("--only",), ("web",), ("--port", "80")])
def test_other_arguments_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("serve", *arguments)


# What is started ------------------------------------------------------------------------------------


def commands(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, list[str]]:
    monkeypatch.delenv("WEB_WORKERS", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return {name: list(process.arguments) for name, process in serve.Command()._commands(8123).items()}


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def test_alone_there_is_one_web_process_whatever_the_settings(
    alone: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits and queue are in its memory."""
    settings.WEB_THREADS = 5

    made = commands(monkeypatch, WEB_WORKERS="8")

    assert list(made) == ["web"]
    assert (option(made["web"], "--workers"), option(made["web"], "--threads")) == ("1", "5")


def test_with_redis_there_are_web_and_worker_and_a_beat_of_its_own_when_asked_for(
    several: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HOST = "::1"

    made = commands(monkeypatch, WEB_WORKERS="3")

    assert list(made) == ["web", "worker", "beat"]
    assert {arguments[0] for arguments in made.values()} == {sys.executable}
    assert [option(made["web"], name) for name in ("--workers", "--host", "--port")] == ["3", "::1", "8123"]
    assert (made["worker"][2], made["beat"][2]) == ("authsvc.worker", "authsvc.beat")


@pytest.mark.parametrize(
    ("only", "prepared"),
    [
        ("web", ["share_metrics", "check all", "collect_static", "ops.webserver"]),
        ("worker", ["check ['authsvc']", "authsvc.worker"]),
        ("beat", ["authsvc.beat"]),
    ],
)
def test_one_process_prepares_what_it_needs_and_goes_on_as_it(
    only: str, prepared: list[str], several: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(serve, "port_is_free", lambda *_: True)
    for name in ("collect_static", "share_metrics"):
        monkeypatch.setattr(serve, name, lambda name=name: done.append(name))
    monkeypatch.setattr(
        serve.Command, "check", lambda _self, tags=None: done.append(f"check {tags or 'all'}")
    )
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr("runpy.run_module", lambda module, **_: done.append(module))

    call_command("serve", "--only", only)

    assert done == prepared
    assert sys.argv[0] == prepared[-1]


def test_a_worker_checks_the_settings_of_the_service(several: None, settings: Settings) -> None:
    settings.AUTHSVC_ENCRYPTION_KEYS = ["no key"]

    with pytest.raises(SystemCheckError, match="AUTHSVC_ENCRYPTION_KEYS"):
        call_command("serve", "--only", "worker")


def test_the_beat_of_the_worker_is_enough(several: None, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(serve, "port_is_free", lambda *_: True)
    for name in ("call_command", "collect_static", "share_metrics"):
        monkeypatch.setattr(serve, name, lambda *_, **__: None)
    monkeypatch.setattr(processes.Group, "start", lambda _self, process: started.append(process.name))
    monkeypatch.setattr(processes.Group, "wait", lambda _self: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)

    call_command("serve")

    assert started == ["web", "worker"]


def collector_of(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import gc, sys, manage\n{script}"],
        cwd=ROOT,
        env=clean_environment(AUTHSVC_MODE="test", REDIS_URL="redis://127.0.0.1:1/0", PORT="0"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(("command", "collects"), [("serve", "False"), ("keys", "True")])
def test_what_serve_loads_is_not_gone_through_by_the_collector(command: str, collects: str) -> None:
    """It took a quarter of the start, and found nothing."""
    replaced = "ops.management.commands.serve" if command == "serve" else "django.core.management"
    script = f"""
import importlib
module = importlib.import_module("{replaced}")
module.Command = module.execute_from_command_line = lambda *_: print(gc.isenabled()) or sys.exit()
sys.argv = ["manage.py", "{command}"]
manage.main()
"""

    assert collector_of(script) == collects


def test_the_parent_of_web_and_worker_collects_again_before_it_migrates(
    several: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected: list[bool] = []
    monkeypatch.setattr(serve, "port_is_free", lambda *_: True)
    for name in ("collect_static", "share_metrics", "_supervise"):
        monkeypatch.setattr(serve, name, lambda *_, **__: None)
    monkeypatch.setattr(serve, "call_command", lambda *_, **__: collected.append(gc.isenabled()))
    gc.disable()
    try:
        call_command("serve")
    finally:
        gc.enable()

    assert collected == [True]


def test_a_web_process_runs_on_each_core(several: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made = commands(monkeypatch)

    assert option(made["web"], "--workers") == str(os.cpu_count())


# Folders --------------------------------------------------------------------------------------------


def test_metrics_of_processes_that_are_gone_are_deleted(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(metrics.DIRECTORY, "before")
    settings.VAR_DIR = tmp_path
    root = tmp_path / "metrics"
    for name in ("999999999", str(os.getpid()), str(os.getppid()), "nonsense"):
        (root / name).mkdir(parents=True)
        (root / name / "counter.db").touch()

    folder = serve.share_metrics()

    assert folder == root / str(os.getpid())
    assert os.environ[metrics.DIRECTORY] == str(folder)
    assert list(folder.iterdir()) == []
    assert {path.name for path in root.iterdir()} == {str(os.getpid()), str(os.getppid())}


@pytest.mark.parametrize(
    ("age", "is_writable", "collects"),
    [(None, True, True), (-10, True, True), (10, True, False), (-10, False, False)],
)
def test_static_files_are_collected_when_their_sources_are_newer(
    age: int | None,
    is_writable: bool,
    collects: bool,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In an image the files are there and the file system is read-only: nothing is written, not even a lock."""
    source = tmp_path / "static" / "app.css"
    (tmp_path / "requirements").mkdir()
    source.parent.mkdir()
    for file in (source, tmp_path / "requirements" / "base.txt"):
        file.touch()
        os.utime(file, (1_000_000, 1_000_000))
    os.utime(source.parent, (1_000_000, 1_000_000))
    root = tmp_path / "var" / "static"
    settings.BASE_DIR, settings.STATIC_ROOT = tmp_path, root
    if age is not None:
        root.mkdir(parents=True)
        (root / "staticfiles.json").touch()
        os.utime(root / "staticfiles.json", (1_000_000 + age, 1_000_000 + age))
    called: list[str] = []
    monkeypatch.setattr(serve, "call_command", lambda name, **_: called.append(name))
    monkeypatch.setattr("os.access", lambda *_: is_writable)

    serve.collect_static()

    assert called == (["collectstatic"] if collects else [])
    assert root.with_suffix(".lock").exists() is collects


def test_the_demo_has_settings_of_its_own_and_keeps_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHSVC_LIMITS", "")

    def environment(folder: Path = tmp_path / "new") -> dict[str, str]:
        return demo.demo_environment(port=8123, simulator_port=9123, folder=folder)

    made = environment()

    assert made["DATABASE_URL"] == f"sqlite:///{tmp_path}/new/demo.sqlite3"
    assert (made["REDIS_URL"], made["CELERY_BROKER_URL"]) == ("", "")
    assert made["SIMULATOR_WEBHOOK_URL"] == "http://localhost:8123/whatsapp/webhook"
    assert len(made["SECRET_KEY"]) >= 50
    assert environment()["SECRET_KEY"] == made["SECRET_KEY"] != environment(folder=tmp_path)["SECRET_KEY"]
    assert (tmp_path / "new" / "demo-secret-key").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("AUTHSVC_LIMITS", "send.number.hour:1/1h")
    assert environment()["AUTHSVC_LIMITS"] == "send.number.hour:1/1h"


def test_limits_of_the_demo_are_limits(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ops import checks

    monkeypatch.delenv("AUTHSVC_LIMITS", raising=False)
    text = demo.demo_environment(port=1, simulator_port=2, folder=tmp_path)["AUTHSVC_LIMITS"]
    settings.AUTHSVC_LIMITS = dict(item.split(":", 1) for item in text.split(","))

    assert checks.check_limits() == []


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SystemExit) as leaving:
        demo.demo_environment(port=1, simulator_port=2, folder=tmp_path / "file" / "var")

    assert (
        str(leaving.value.code)
        == f"authsvc: {tmp_path}/file/var cannot be written (Not a directory): the demo keeps its data there"
    )
