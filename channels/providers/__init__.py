"""The providers: one declaration each (`channels.provider.Provider`), one line each here, in the order of the admin."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from django.conf import settings

from channels.base import Backend, SenderConfig
from channels.provider import Provider
from channels.providers.console import CONSOLE
from channels.providers.gateway import GATEWAY
from channels.providers.memory import MEMORY
from channels.providers.meta import META
from channels.providers.sandbox import SANDBOX
from channels.providers.twilio import TWILIO
from channels.providers.vonage import VONAGE
from channels.types import Message, Receipt

PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        provider.name: provider
        for provider in (
            META,
            TWILIO,
            VONAGE,
            GATEWAY,
            CONSOLE,
            MEMORY,
        )
    }
)


def serving(channel: str) -> list[Provider]:
    """Those that serve a channel here. What sends nothing is for development."""
    return [
        provider
        for provider in PROVIDERS.values()
        if channel in provider.channels and not (provider.is_for_development and settings.PRODUCTION)
    ]


def default(channel: str) -> Provider | None:
    """The provider that need not be named: the only one of its channel that sends."""
    real = [item for item in PROVIDERS.values() if channel in item.channels and not item.is_for_development]
    return real[0] if len(real) == 1 else None


@cache
def backend(name: str) -> Backend[Any]:
    """One instance per process: they keep their pooled HTTP clients."""
    provider = SANDBOX if name == SANDBOX.name else PROVIDERS[name]
    return provider.backend()


def send(*, message: Message, sender: SenderConfig) -> Receipt:
    """Hand one message to its provider. Raises SendError; see `channels.base.Backend`."""
    return backend(sender.provider).send(message, sender)
