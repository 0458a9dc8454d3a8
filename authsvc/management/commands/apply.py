"""`manage.py apply FILE.yaml`: make the database match a configuration file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from authsvc.configfile import applying, reading
from authsvc.configfile.nodes import LARGEST_FILE

EXIT_PROBLEMS = 2
EXIT_WOULD_CHANGE = 3


class Command(BaseCommand):
    help = (
        "Makes the database match FILE, in one transaction, and prints what it changed. With --check it only prints, "
        "and exits with 3 when something would change. Problems: nothing is changed, exit 2, a line each."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--check", action="store_true", help="only print what would change")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        wish, problems = reading.read(self._text(options["file"]))
        if problems:
            self._refuse(problems)
        try:
            report = applying.apply(wish, check=options["check"])
        except applying.NotApplicable as error:
            self._refuse(error.problems)
        for line in (*report.changes, *report.notes):
            self.stdout.write(line)
        if not report.changes:
            self.stdout.write("nothing to change")
        elif options["check"]:
            sys.exit(EXIT_WOULD_CHANGE)

    def _text(self, name: str) -> str:
        path = Path(name)
        try:
            if path.stat().st_size > LARGEST_FILE:
                self._refuse([f"{name}: is larger than {LARGEST_FILE} bytes"])
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self._refuse([f"{name}: cannot be read ({type(error).__name__})"])
        return ""

    def _refuse(self, problems: list[str]) -> None:
        for line in problems:
            self.stderr.write(line)
        sys.exit(EXIT_PROBLEMS)
