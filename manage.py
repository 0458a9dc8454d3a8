#!/usr/bin/env python3
"""Django's command line for authsvc: `./manage.py help`. Any Python starts it; it runs itself again under .venv."""

import gc
import os
import sys
from pathlib import Path


def use_environment() -> None:
    """Run again under .venv when another Python started this; it may be an old one, so nothing newer than 3.6 here."""
    file = Path(__file__).resolve()
    environment = file.parent / ".venv"
    python = str(environment / "bin" / "python")
    if Path(sys.prefix).resolve() != environment.resolve() and os.access(python, os.X_OK):
        os.execv(python, [python, str(file), *sys.argv[1:]])  # noqa: S606 # ourselves


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        gc.disable()  # until the process begins to work (ops.processes): what is loaded stays
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import OperationalError, ProgrammingError
    except ImportError:
        sys.exit("authsvc: nothing is installed yet: run `make setup` (or make demo, make serve) first")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")
    if sys.argv[1:2] == ["demo"]:
        os.environ["AUTHSVC_MODE"] = "demo"  # before settings are read; the command sets the others
    if sys.argv[1:] == ["keys"]:
        os.environ["AUTHSVC_MODE"] = "test"  # production would not start without the keys that it generates
    try:
        if sys.argv[1:2] == ["serve"]:
            from ops.management.commands.serve import Command

            Command().run_from_argv(sys.argv)  # it loads what its process needs
        else:
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"authsvc: {error}")
    except (OperationalError, ProgrammingError) as error:
        # The server is down, or tables are missing: one line says so. `--traceback` shows the rest.
        if "--traceback" in sys.argv:
            raise
        reason = str(error).strip().partition("\n")[0]
        sys.exit(
            f"authsvc: the database refuses: {reason} (./manage.py doctor says more; ./manage.py migrate makes tables)"
        )


if __name__ == "__main__":
    use_environment()
    main()
