"""`manage.py rotate_keys`: re-encrypt stored secrets with the first of AUTHSVC_ENCRYPTION_KEYS."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit import actors
from audit.kinds import Kind
from audit.record import record
from ops import reencrypt

UNREADABLE, WOULD_CHANGE = 1, 3


class Command(BaseCommand):
    help = (
        "Re-encrypts all stored secrets with the first of AUTHSVC_ENCRYPTION_KEYS; older keys can then be removed. "
        "Safe to repeat and while people log in. Exit 1: a secret cannot be decrypted with any key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only count; exit 3 if any secret would be re-encrypted"
        )

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        only_count = options["check"]
        word = "to re-encrypt" if only_count else "re-encrypted"
        old = unreadable = 0
        for field in reencrypt.fields():
            count = reencrypt.rekey(field, only_count=only_count)
            old, unreadable = old + count.old, unreadable + len(count.unreadable)
            line = f"{field}: {count.current} current, {count.old} {word}"
            self.stdout.write(f"{line}, {len(count.unreadable)} unreadable" if count.unreadable else line)
        if old and not only_count:
            with actors.command("rotate_keys"):
                record(Kind.SECRETS_REENCRYPTED, detail=f"{old} secrets")
        if unreadable:
            self.stderr.write(
                f"{unreadable} secrets cannot be decrypted: add their key, or enter them again in the admin"
            )
            sys.exit(UNREADABLE)
        if old and only_count:
            sys.exit(WOULD_CHANGE)
