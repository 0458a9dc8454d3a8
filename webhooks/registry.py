"""The webhook of every provider that reports, at its declared path."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from channels.providers import PROVIDERS
from webhooks.base import Webhook

WEBHOOKS: Mapping[str, Webhook] = MappingProxyType(
    {
        provider.reports.path: import_module(f"webhooks.{provider.name}").WEBHOOK
        for provider in PROVIDERS.values()
        if provider.reports
    }
)
