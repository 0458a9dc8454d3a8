"""App registration: the admin site, and all its pages."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class ConsoleAdminConfig(AdminConfig):
    """Takes the place of `django.contrib.admin` in INSTALLED_APPS."""

    default_site = "console.site.ConsoleSite"


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from console import (
            checks,  # noqa: F401 # registered by being imported
            groups,
        )

        post_migrate.connect(groups.ship)
