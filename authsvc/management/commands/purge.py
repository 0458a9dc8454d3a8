"""`manage.py purge`: delete what is past its time, now and to the end."""

from typing import Any

from django.core.management.base import BaseCommand

from events import services as events
from login import retention as sessions
from otp import retention as challenges


class Command(BaseCommand):
    help = "Deletes challenges, records of numbers and sessions that are past their time. Safe while people log in."

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 # Django's signature
        for kind, count in (challenges.purge() | sessions.purge() | events.purge()).items():
            self.stdout.write(f"{kind}: {count} deleted")
