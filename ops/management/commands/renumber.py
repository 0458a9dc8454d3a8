"""`manage.py renumber`: move stored numbers to their country's present form."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit import actors
from audit.kinds import Kind
from audit.record import record
from otp.renumber import Move, renumber
from users.phones import mask

KINDS = ("users", "test numbers", "running challenges", "records of numbers")


class Command(BaseCommand):
    help = (
        "Moves stored numbers to their country's present form (users/renumberings.py). Run it after every "
        "update: until then an old number and its present form are two users. Where another user already has the "
        "present form, both are printed and left as they are. Safe to repeat and while people log in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only print what would change")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        only_check = options["check"]
        moved: Counter[str] = Counter()
        collisions: Counter[str] = Counter()
        for move in renumber(only_check=only_check):
            (collisions if move.holder else moved)[move.kind] += 1
            if move.holder:
                self.stdout.write(self._collision(move))
        if moved and not only_check:
            with actors.command("renumber"):
                record(Kind.NUMBERS_MOVED, after=dict(moved))
        word = "would move" if only_check else "moved"
        for kind in KINDS:
            line = f"{kind}: {moved[kind]} {word}"
            self.stdout.write(f"{line}, {collisions[kind]} left" if collisions[kind] else line)

    def _collision(self, move: Move) -> str:
        return (
            f"collision: {move.kind} of {move.project}: {move.id} ({mask(move.old)}) and {move.holder} "
            f"({mask(move.new)}) are the same number; both are left as they are"
        )
