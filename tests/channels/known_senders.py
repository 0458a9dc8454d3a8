"""Senders in memory, as processes have them, without a database."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.base import SenderConfig
from channels.senders import Senders
from channels.types import Channel
from tests.channels import support

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ACME, BETA = uuid.UUID(int=1), uuid.UUID(int=2)
SMS, WHATSAPP = Channel.SMS, Channel.WHATSAPP


def whatsapp(*languages: str, project_id: uuid.UUID | None = None) -> SenderConfig[Any]:
    return support.whatsapp_sender(template_languages=languages or ("en", "es_MX"), project_id=project_id)


def sms(project_id: uuid.UUID | None = None) -> SenderConfig[Any]:
    return support.twilio_sender(project_id=project_id)


def known(*configs: SenderConfig[Any], **fields: Any) -> Senders:
    places: dict[tuple[uuid.UUID | None, Channel], tuple[SenderConfig[Any], ...]] = {}
    for item in configs:
        place = (item.project_id, item.channel)
        places[place] = (*places.get(place, ()), item)
    return Senders(by_id={item.id: item for item in configs}, by_place=places, **fields)
