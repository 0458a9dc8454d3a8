#!/usr/bin/env python
"""Django's command line for authsvc: `python manage.py help`."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")
    if sys.argv[1:2] == ["demo"]:
        os.environ["AUTHSVC_MODE"] = (
            "demo"  # before settings are read; the rest of its settings it brings itself
        )
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"authsvc: {error}")
