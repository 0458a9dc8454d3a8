"""`manage.py keys`: generate the keys that production needs, print the derived ones, or rotate one."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from core import env
from ops import keys

_NAMES = {"one-time-codes": keys.OTP, "encryption": keys.ENCRYPTION, "secret-key": keys.SECRET}


class Command(BaseCommand):
    help = (
        "Prints keys as lines of an environment file; stores nothing. Without an option: new keys for a new "
        "installation. Keep them: data encrypted with them cannot be read without them."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument(
            "--derived",
            action="store_true",
            help="print the keys that are derived from SECRET_KEY today, to set them before SECRET_KEY changes",
        )
        choice.add_argument(
            "--rotate",
            choices=_NAMES,
            help="print what to set so that a new key is used and older ones still work",
        )

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        secret_keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        present = {name: env.text(name) for name in (keys.OTP, keys.ENCRYPTION)}
        if options["rotate"]:
            lines = keys.rotate(_NAMES[options["rotate"]], present, secret_keys)
        elif options["derived"]:
            lines = keys.pin(present, secret_keys)
        else:
            lines = keys.generate()
        if not lines:
            self.stderr.write("no key is derived: AUTHSVC_OTP_KEYS and AUTHSVC_ENCRYPTION_KEYS are set")
        for name, value in lines.items():
            sys.stdout.write(f"{name}={value}\n")
