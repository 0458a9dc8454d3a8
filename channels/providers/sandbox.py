"""The sandbox: plays what a provider and a phone would do, for rehearsals (channels.rehearsals). Sends nothing.

It is not in the registry, so no sender can name it, and what it takes is stored nowhere.
"""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from channels.base import SenderConfig
from channels.errors import SendError
from channels.findings import Finding, ok
from channels.provider import Provider
from channels.provider_settings import ProviderSettings
from channels.types import Channel, FailureReason, Message, Receipt
from core.http import HttpClient

DELIVERED, FAILED, SILENT = "delivered", "failed", "silent"


class SandboxSettings(ProviderSettings):
    outcome: str = DELIVERED


class SandboxBackend:
    """See `channels.base.Backend`."""

    def send(self, message: Message, sender: SenderConfig[SandboxSettings]) -> Receipt:
        outcome = sender.settings.outcome
        if outcome == FAILED:
            raise SendError(FailureReason.UNREACHABLE, detail="played by a rehearsal")
        message_id = f"sandbox-{message.delivery_id}"
        return Receipt(provider_message_id=message_id, is_delivered=outcome == DELIVERED)


def check(_sender: SenderConfig[SandboxSettings], _public_url: str, _client: HttpClient) -> Iterator[Finding]:
    yield ok("the sandbox sends nothing and needs nothing")


SANDBOX = Provider(
    name="sandbox",
    label=_("Sandbox (rehearsals)"),
    channels=frozenset(Channel),
    settings=SandboxSettings,
    backend=SandboxBackend,
    check=check,
)
