"""App registration: loads the Celery application and telemetry with Django."""

from django.apps import AppConfig


class AuthsvcConfig(AppConfig):
    name = "authsvc"

    def ready(self) -> None:
        from authsvc import beat, celery, telemetry  # noqa: F401 # registered by being imported

        telemetry.start()
