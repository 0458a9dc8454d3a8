"""A sender as kept in memory, and what a backend is. One provider is one module in `channels.providers`."""

import uuid
from dataclasses import dataclass, replace
from typing import Protocol, Self

from channels.provider_settings import ProviderSettings
from channels.types import Channel, Message, Receipt


@dataclass(frozen=True, kw_only=True)
class SenderConfig[Settings: ProviderSettings = ProviderSettings]:
    """A sender as kept in memory, made once for each configuration version. Secrets are not in its repr."""

    id: uuid.UUID
    project_id: uuid.UUID | None  # None: the shared sender
    channel: Channel
    provider: str
    settings: Settings
    name: str = ""  # what routes call it

    @property
    def template_languages(self) -> tuple[str, ...]:
        """In which a message can go; empty where the text is ours."""
        return getattr(self.settings, "template_languages", ())

    def with_languages(self, languages: tuple[str, ...]) -> Self:
        return replace(self, settings=self.settings.model_copy(update={"template_languages": languages}))


class Backend[Settings: ProviderSettings](Protocol):
    """Sends one message through one sender.

    Returns a Receipt when the provider took the message, or may have (`certain=False`: the answer was lost after
    the request went out; never repeat it). Raises SendError otherwise. Never retries, never touches the database,
    takes 5 seconds at most (2 to connect).
    """

    def send(self, message: Message, sender: SenderConfig[Settings]) -> Receipt: ...
