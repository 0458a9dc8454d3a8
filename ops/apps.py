"""App registration: loads the system checks with Django."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "ops"

    def ready(self) -> None:
        from ops import checks  # noqa: F401 # registered by being imported
