"""What a backend is. One provider is one module in `channels.backends`; it does HTTP and nothing else."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from channels.types import Channel, Message, Provider, Receipt


@dataclass(frozen=True, kw_only=True)
class SenderConfig:
    """A sender with its secrets in clear, as kept in memory. Never printed: secrets are not in its repr."""

    id: uuid.UUID
    project_id: uuid.UUID | None  # None: the shared sender
    channel: Channel
    provider: Provider
    # WhatsApp
    phone_number_id: str = ""
    business_account_id: str = ""
    template_name: str = ""
    template_languages: tuple[str, ...] = ()
    access_token: str = field(default="", repr=False)
    app_secrets: tuple[str, ...] = field(
        default=(), repr=False
    )  # current first, then the one being rotated out
    verify_token: str = field(default="", repr=False)
    # Twilio
    account_sid: str = ""
    auth_tokens: tuple[str, ...] = field(default=(), repr=False)  # current first
    from_number: str = ""
    messaging_service_sid: str = ""
    # HTTP gateway
    url: str = ""
    signing_secret: str = field(default="", repr=False)


class Backend(Protocol):
    """Sends one message through one sender.

    Returns a Receipt when the provider took the message, or may have (`certain=False`: the answer was lost after
    the request went out; never repeat it). Raises SendError otherwise. Never retries, never touches the database,
    takes 5 seconds at most (2 to connect).
    """

    def send(self, message: Message, sender: SenderConfig) -> Receipt: ...


type Registry = Mapping[Provider, Backend]
