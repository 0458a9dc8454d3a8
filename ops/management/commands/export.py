"""`manage.py export`: print the configuration file, without secrets."""

from typing import Any

from django.core.management.base import BaseCommand

from ops.configfile.export import export


class Command(BaseCommand):
    help = "Prints the configuration in the form that apply reads. Secrets are left out; apply keeps the stored ones."

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 # Django's signature
        self.stdout.write(export(), ending="")
