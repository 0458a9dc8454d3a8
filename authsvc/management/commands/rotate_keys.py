"""`manage.py rotate_keys`: encrypt stored secrets anew with the first of AUTHSVC_ENCRYPTION_KEYS."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from projects import rekeying

UNREADABLE, WOULD_CHANGE = 1, 3


class Command(BaseCommand):
    help = (
        "Encrypts all stored secrets anew with the first of AUTHSVC_ENCRYPTION_KEYS; afterwards the others may go. "
        "Safe to repeat and while people log in. Exit 1: something cannot be read with any key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only count; exit 3 when something would change"
        )

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        only_count = options["check"]
        word = "would be encrypted anew" if only_count else "encrypted anew"
        old = unreadable = 0
        for field in rekeying.fields():
            count = rekeying.rekey(field, only_count=only_count)
            old, unreadable = old + count.old, unreadable + len(count.unreadable)
            line = f"{field.label}: {count.current} current, {count.old} {word}"
            self.stdout.write(f"{line}, {len(count.unreadable)} unreadable" if count.unreadable else line)
        if unreadable:
            self.stderr.write(
                f"{unreadable} secrets cannot be decrypted: add their key, or type them anew in the admin"
            )
            sys.exit(UNREADABLE)
        if old and only_count:
            sys.exit(WOULD_CHANGE)
