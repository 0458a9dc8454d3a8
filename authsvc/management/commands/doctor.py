"""`manage.py doctor`: is everything there that a login needs?"""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from authsvc.doctor import Line, examine, product, provider, stores
from channels.checking import Level

CHECKS = (
    ("settings", product.configuration),
    ("database", stores.database),
    ("migrations", stores.migrations),
    ("redis", stores.redis_store),
    ("broker", stores.broker),
    ("workers", stores.workers),
    ("clock", stores.clock),
    ("keys", product.keys),
    ("projects", product.promised_channels),
    ("clients", provider.clients),
    ("senders", product.all_senders),
    ("public-url", product.public_address),
)
_MARKS = {Level.OK: "ok  ", Level.WARN: "WARN", Level.FAIL: "FAIL"}


class Command(BaseCommand):
    help = "Checks everything that a login needs, live, and says what to do. Sends no message. Exit 1: something fails."
    requires_system_checks = ()  # their findings are among ours

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        names = [name for name, _ in CHECKS]
        parser.add_argument("--skip", action="append", default=[], choices=names, help="leave a subject out")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        worst = Level.OK
        for line in examine(CHECKS, skip=options["skip"]):
            self.stdout.write(json.dumps(line.as_json()) if options["json"] else _text(line))
            worst = Level.FAIL if line.level is Level.FAIL else worst
        if worst is Level.FAIL:
            sys.exit(1)


def _text(line: Line) -> str:
    head = f"{_MARKS[line.level]}  {line.subject:<11} {line.text}"
    return f"{head}\n      {'':<11} → {line.remedy}" if line.remedy else head
