"""`manage.py purge`: delete all expired rows now."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string


class Command(BaseCommand):
    help = (
        "Deletes rows whose retention is over: challenges, records of numbers, sessions, tokens, codes, pushed "
        "requests, log-out notices, old signing keys, events, audit events. Beat does it too. Safe while people log in."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 # Django's signature
        for function, _task, _seconds in settings.RETENTION.values():
            for kind, count in import_string(function)().items():
                self.stdout.write(f"{kind.replace('_', ' ')}: {count} deleted")
