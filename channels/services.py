"""Sending one message: picks the backend of a sender and hands over."""

from functools import cache

from channels.backends.console import ConsoleBackend
from channels.backends.gateway import GatewayBackend
from channels.backends.memory import MemoryBackend
from channels.backends.twilio import TwilioBackend
from channels.backends.whatsapp import WhatsAppBackend
from channels.base import Registry, SenderConfig
from channels.types import Message, Provider, Receipt


@cache
def backends() -> Registry:
    """One instance per process: they keep their pooled HTTP clients."""
    return {
        Provider.META: WhatsAppBackend(),
        Provider.TWILIO: TwilioBackend(),
        Provider.HTTP: GatewayBackend(),
        Provider.CONSOLE: ConsoleBackend(),
        Provider.MEMORY: MemoryBackend(),
    }


def send(*, message: Message, sender: SenderConfig) -> Receipt:
    """Hand one message to its provider. Raises SendError; see `channels.base.Backend`."""
    return backends()[sender.provider].send(message, sender)
