"""`manage.py demo`: the whole product on one machine with nothing else installed."""

import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from core import env
from ops.management.commands.serve import collect_static
from ops.processes import Command as Process
from ops.processes import Group, answers, port_is_free, python, web

_READY_SECONDS = 60


def demo_environment(*, port: int, simulator_port: int, folder: Path) -> dict[str, str]:
    """Settings of the demo's processes. They come before those of the environment."""
    simulator = f"http://127.0.0.1:{simulator_port}"
    return {
        "AUTHSVC_MODE": "demo",
        "AUTHSVC_VAR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "REDIS_URL": "",
        "CELERY_BROKER_URL": "",
        "SECRET_KEY": _kept_secret(folder / "demo-secret-key"),
        "AUTHSVC_PUBLIC_URL": f"http://localhost:{port}",
        "WHATSAPP_API_URL": f"{simulator}/v26.0",
        "TWILIO_API_URL": simulator,
        "AUTHSVC_API_URLS": "",
        "SIMULATOR_URL": simulator,
        "SIMULATOR_PORT": str(simulator_port),
        "SIMULATOR_WHATSAPP_VERIFIED_NAME": "Demo",
        "SIMULATOR_WEBHOOK_URL": f"http://localhost:{port}/whatsapp/webhook",
        # One person makes many logins from one address and with one number.
        "AUTHSVC_LIMITS": os.environ.get("AUTHSVC_LIMITS")
        or "send.number.hour:60/1h,send.number.day:500/1d,send.address:600/10m,send.block:3000/10m,"
        "send.range.hour:600/1h,send.range.day:5000/1d,send.known.hour:60/1h,send.known.day:500/1d,"
        "send.known.number:500/1d,send.known.address:600/10m,guess.number:600/1h,guess.address:2000/10m,"
        "test.address:2000/10m,idempotency.address:2000/10m,push.address:1000/10m",
    }


def _kept_secret(path: Path) -> str:
    """Generated once and kept, readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(50))
        return path.read_text(encoding="utf-8")
    except OSError as error:
        sys.exit(
            f"authsvc: {path.parent} cannot be written ({error.strerror}): the demo keeps its data there"
        )


class Command(BaseCommand):
    help = "Sets up a demo database, then serves the product and the provider simulator until Ctrl-C."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 # Django's signature
        port = env.integer("PORT", 8000, minimum=1, maximum=65535)
        simulator_port = env.integer("SIMULATOR_PORT", 9009, minimum=1, maximum=65535)
        environment = demo_environment(port=port, simulator_port=simulator_port, folder=settings.VAR_DIR)
        if any(os.environ.get(name) != value for name, value in environment.items()):
            # Settings are read once at the start of a process, so the demo starts again with its own.
            os.execve(sys.executable, python("manage.py", "demo"), {**os.environ, **environment})  # noqa: S606 # ourselves
        for name, number in (("PORT", port), ("SIMULATOR_PORT", simulator_port)):
            if not port_is_free(settings.HOST, number):
                sys.exit(
                    f"authsvc: port {number} is in use: stop what uses it, or choose another with {name}"
                )
        password = self._prepare()
        with Group() as group:
            group.start(Process(name="simulator", arguments=python("-m", "simulator")))
            command = web(host=settings.HOST, port=port, workers=1, threads=settings.WEB_THREADS)
            group.start(Process(name="web", arguments=command))
            self._wait_until_ready(group, port, simulator_port)
            if not group.asked_to_stop:
                self._welcome(port, password)
            ended = group.wait()
        if ended:
            sys.exit(f"authsvc: {ended} ended unexpectedly, so the demo was stopped; see its last lines")

    def _prepare(self) -> str:
        """Database, static files, the demo project, and an admin. Returns the new password of the admin."""
        from users.models import User

        self.stdout.write("authsvc: preparing the demo …")
        call_command("migrate", interactive=False, verbosity=0)
        collect_static()
        call_command("apply", str(settings.BASE_DIR / "deploy" / "demo.yaml"), stdout=open(os.devnull, "w"))  # noqa: SIM115, PTH123 # the process's end closes it
        password = secrets.token_urlsafe(9)
        admin = User.objects.filter(username="admin").first()
        if admin:
            admin.set_password(password)
            admin.save()
        else:
            User.objects.create_superuser("admin", password)
        return password

    def _wait_until_ready(self, group: Group, port: int, simulator_port: int) -> None:
        urls = [f"http://localhost:{port}/readyz", f"http://127.0.0.1:{simulator_port}/healthz"]
        deadline = time.monotonic() + _READY_SECONDS
        while not all(answers(url) for url in urls):
            if group.asked_to_stop:
                return
            if name := group.dead():
                group.end()
                sys.exit(f"authsvc: {name} did not start; see its last lines")
            if time.monotonic() > deadline:
                group.end()
                sys.exit(f"authsvc: not ready after {_READY_SECONDS} s")
            group.pause(0.1)

    def _welcome(self, port: int, password: str) -> None:
        base = f"http://localhost:{port}"
        self.stdout.write(f"ready: {base}")
        self.stdout.write(f"  sample app       {base}/demo/app/   (a shop that logs its users in here)")
        self.stdout.write(f"  log in           {base}/login/")
        self.stdout.write(
            f"  simulated phone  {base}/demo/phone/   (shows the messages; keep it beside the shop)"
        )
        self.stdout.write(
            f"  admin            {base}/admin/   admin / {password}   (a new password at every start)"
        )
        self.stdout.write("  Ctrl-C stops it")
        self.stdout.flush()
