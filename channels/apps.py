"""App registration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsConfig(AppConfig):
    name = "channels"
    verbose_name = _("Senders")

    def ready(self) -> None:
        from channels import health, notice_store
        from channels.models import Sender

        Sender.on_change = [lambda sender: health.changed(sender.pk), notice_store.changed]
