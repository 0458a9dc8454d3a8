"""`manage.py doctor`: check everything that a login needs."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from channels.findings import Level
from ops.doctor import Line, examine, infrastructure, oidc, product, projects, reports

CHECKS = (
    ("settings", product.configuration),
    ("database", infrastructure.database),
    ("migrations", infrastructure.migrations),
    ("redis", infrastructure.redis_store),
    ("broker", infrastructure.broker),
    ("workers", infrastructure.workers),
    ("clock", infrastructure.clock),
    ("keys", product.keys),
    ("projects", product.promised_channels),
    ("set-up", projects.set_up),
    ("clients", oidc.clients),
    ("senders", product.all_senders),
    ("reports", reports.arrivals),
    ("public-url", product.public_address),
)
_MARKS = {Level.OK: "ok  ", Level.WARN: "WARN", Level.FAIL: "FAIL"}


class Command(BaseCommand):
    help = (
        "Checks everything that a login needs, live, and says how to fix it. Sends no message. "
        "Exit 1: a check failed."
    )
    requires_system_checks = ()  # the check `settings` runs them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json",
            action="store_true",
            help="one JSON array: check, subject, status (ok, warn, fail), detail, remedy",
        )
        names = [name for name, _ in CHECKS]
        parser.add_argument("--skip", action="append", default=[], choices=names, help="skip this check")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        lines: list[Line] = []
        for line in examine(CHECKS, skip=options["skip"]):
            lines.append(line)
            if not options["json"]:
                self.stdout.write(_text(line))
        if options["json"]:
            self.stdout.write(json.dumps([line.as_json() for line in lines], indent=1))
        if any(line.status is Level.FAIL for line in lines):
            sys.exit(1)


def _text(line: Line) -> str:
    detail = f"{line.subject}: {line.detail}" if line.subject else line.detail
    head = f"{_MARKS[line.status]}  {line.check:<11} {detail}"
    return f"{head}\n      {'':<11} → {line.remedy}" if line.remedy else head
