"""Senders as requests and workers use them: in memory, with their secrets, by project or by what a provider names."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from channels.base import SenderConfig
from channels.models import Sender, SenderHealth
from channels.types import Channel, Provider
from projects.config import Versioned
from projects.secrets import UnreadableSecret

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Senders:
    """All active senders."""

    by_id: Mapping[uuid.UUID, SenderConfig]
    by_place: Mapping[tuple[uuid.UUID | None, Channel], SenderConfig]
    # Senders whose breaker is open, and until when; at that moment one message may go through as a probe.
    open_until: Mapping[uuid.UUID, datetime] = field(default_factory=dict)

    def for_project(self, project_id: uuid.UUID, channel: Channel) -> SenderConfig | None:
        """The project's own sender, else the shared one, else None."""
        return self.by_place.get((project_id, channel)) or self.by_place.get((None, channel))

    def is_open(self, sender: SenderConfig, *, now: datetime) -> bool:
        """Whether the sender is to be passed over because it fails for everybody."""
        until = self.open_until.get(sender.id)
        return until is not None and now < until

    def of_provider(self, provider: Provider) -> list[SenderConfig]:
        return [sender for sender in self.by_id.values() if sender.provider == provider]


def _config(row: Sender) -> SenderConfig:
    return SenderConfig(
        id=row.id,
        project_id=row.project_id,
        channel=Channel(row.channel),
        provider=Provider(row.provider),
        phone_number_id=row.phone_number_id,
        business_account_id=row.business_account_id,
        template_name=row.template_name,
        template_languages=tuple(row.template_languages),
        access_token=row.access_token,
        app_secrets=tuple(secret for secret in (row.app_secret, row.app_secret_previous) if secret),
        verify_token=row.verify_token,
        account_sid=row.account_sid,
        auth_tokens=tuple(token for token in (row.auth_token, row.auth_token_previous) if token),
        from_number=row.from_number,
        messaging_service_sid=row.messaging_service_sid,
        url=row.url,
        signing_secret=row.signing_secret,
    )


def _readable() -> list[Sender]:
    """All active senders. One whose key is gone must not take the others with it."""
    active = Sender.objects.filter(is_active=True)
    try:
        return list(active)
    except UnreadableSecret:
        pass  # found one by one below
    found = []
    for sender_id in active.values_list("id", flat=True):
        try:
            found.append(active.get(id=sender_id))
        except UnreadableSecret:
            log.error("sender.unreadable", sender_id=str(sender_id))  # noqa: TRY400 # the cause is in the name
    return found


def _load() -> Senders:
    configs = [_config(row) for row in _readable()]
    return Senders(
        by_id={sender.id: sender for sender in configs},
        by_place={(sender.project_id, sender.channel): sender for sender in configs},
        open_until={
            key: until
            for key, until in SenderHealth.objects.exclude(opened_by="").values_list("pk", "open_until")
            if until
        },
    )


senders: Versioned[Senders] = Versioned(_load)
