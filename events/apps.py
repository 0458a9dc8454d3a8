"""App registration: listens to what senders report of themselves."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = _("Events")

    def ready(self) -> None:
        from events import listening  # noqa: F401 # connects by being imported
