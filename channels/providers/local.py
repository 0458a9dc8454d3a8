"""What the providers for development have in common: they ask for nothing, and send nothing."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import SecretStr

from channels.base import SenderConfig
from channels.findings import Finding, warn
from channels.provider_settings import DEFAULT_TEMPLATE, Input, ProviderSettings
from channels.types import Channel
from core.http import HttpClient

CHANNELS = frozenset(Channel)


class LocalSettings(ProviderSettings):
    """A real WhatsApp sender's keys are taken, and not judged: who tries things out changes the provider alone."""

    phone_number_id: str = ""
    business_account_id: str = ""
    access_token: SecretStr = SecretStr("")
    app_secret: SecretStr = SecretStr("")
    app_secret_previous: SecretStr = SecretStr("")
    verify_token: SecretStr = SecretStr("")
    template_name: Annotated[str, Input("", key="template.name")] = DEFAULT_TEMPLATE
    template_languages: Annotated[tuple[str, ...], Input("", key="template.languages")] = ()

    @property
    def sends_from(self) -> str:
        return self.phone_number_id


def check(sender: SenderConfig[LocalSettings], _public_url: str, _client: HttpClient) -> Iterator[Finding]:
    yield warn(
        f"{sender.provider}: prints or keeps messages, sends none", "Use a real provider in production."
    )
