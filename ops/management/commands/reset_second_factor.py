"""`manage.py reset_second_factor`: for a member of staff who lost every factor."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from audit import actors
from audit.kinds import Kind
from audit.record import record
from users import second_factors
from users.models import User


class Command(BaseCommand):
    help = (
        "Removes the authenticator app, passkeys and recovery codes of a member of staff and ends their sessions. "
        "Their next sign-in sets up a new factor with the password alone: be sure who asked for it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        user = User.objects.filter(username=options["username"], is_staff=True).first()
        if user is None:
            raise CommandError(f"no member of staff is called {options['username']!r}")
        with actors.command("reset_second_factor"), transaction.atomic():
            second_factors.reset(user.pk)
            record(Kind.ACTED, user, detail="second factor reset")
        self.stdout.write(
            f"{user.username}: factors and recovery codes are removed, and all sessions have ended"
        )
