"""`manage.py export`: the configuration as a file, without secrets."""

from typing import Any

from django.core.management.base import BaseCommand

from authsvc.configfile.exporting import export


class Command(BaseCommand):
    help = "Prints the configuration in the form that apply reads. Secrets are left out: apply keeps those stored."

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 # Django's signature
        self.stdout.write(export(), ending="")
