"""`manage.py apply FILE.yaml`: make the database match a configuration file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from audit import actors
from ops.configfile.apply import apply
from ops.configfile.document import LARGEST_FILE
from ops.configfile.schema import Refused, read

EXIT_PROBLEMS = 2
EXIT_WOULD_CHANGE = 3


class Command(BaseCommand):
    help = (
        "Makes the database match FILE in one transaction and prints each change. --check prints what would change "
        "and changes nothing; it exits with 3 if anything would. If the file has problems, prints each on a line, "
        "changes nothing and exits with 2."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--check", action="store_true", help="only print what would change")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        try:
            with actors.command("apply"):
                report = apply(read(_text(options["file"])), check=options["check"])
        except Refused as error:
            for line in error.problems:
                self.stderr.write(line)
            sys.exit(EXIT_PROBLEMS)
        for line in (*report.changes, *report.notes):
            self.stdout.write(line)
        if not report.changes:
            self.stdout.write("nothing to change")
        elif options["check"]:
            sys.exit(EXIT_WOULD_CHANGE)


def _text(name: str) -> str:
    path = Path(name)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Refused([f"{name}: is larger than {LARGEST_FILE} bytes"])
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused([f"{name}: cannot be read ({type(error).__name__})"]) from error
