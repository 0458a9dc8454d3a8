"""App registration: loads the Celery application and the system checks with Django."""

from django.apps import AppConfig


class AuthsvcConfig(AppConfig):
    name = "authsvc"

    def ready(self) -> None:
        from authsvc import celery, checks  # noqa: F401 # registered by being imported
