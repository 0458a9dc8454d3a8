"""The WSGI application that granian serves."""

import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")
try:
    django.setup()
    from authsvc import programs

    django_application = get_wsgi_application()
    application = django_application if programs.is_watched() else programs.Programs(django_application)
    if settings.EMBEDDED:
        from authsvc import embedded

        embedded.start()
except ImproperlyConfigured as error:
    sys.exit(f"authsvc: {error}")
