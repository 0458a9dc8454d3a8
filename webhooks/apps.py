"""App registration."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
