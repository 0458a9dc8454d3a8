"""App registration."""

from django.apps import AppConfig


class LoginConfig(AppConfig):
    name = "login"
