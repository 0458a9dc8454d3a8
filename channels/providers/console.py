"""Prints messages. For development: it writes codes and whole numbers to the terminal, never to a log."""

import sys
from typing import TextIO

from django.utils.translation import gettext_lazy as _

from channels.base import SenderConfig
from channels.provider import Provider
from channels.providers import local
from channels.types import Channel, Message, Receipt


class ConsoleBackend:
    """Writes to `stream`, else to what is standard output at the time. See `channels.base.Backend`."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, message: Message, sender: SenderConfig[local.LocalSettings]) -> Receipt:
        shown = message.text if sender.channel is Channel.SMS else f"code {message.code}"
        stream = self._stream or sys.stdout
        stream.write(f"[{sender.channel}] {message.phone}: {shown}\n")
        stream.flush()
        return Receipt(provider_message_id=f"console-{message.delivery_id}")


CONSOLE = Provider(
    name="console",
    label=_("Console (prints; development only)"),
    channels=local.CHANNELS,
    settings=local.LocalSettings,
    backend=ConsoleBackend,
    check=local.check,
    is_for_development=True,
)
