"""App registration: loads the Celery application and the system checks with Django."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AuthsvcConfig(AppConfig):
    name = "authsvc"

    def ready(self) -> None:
        from authsvc import celery, checks, telemetry  # noqa: F401 # registered by being imported

        telemetry.start()


class ConsoleConfig(AdminConfig):
    """Takes the place of `django.contrib.admin` in INSTALLED_APPS."""

    default_site = "authsvc.console.ConsoleSite"
