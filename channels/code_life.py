"""How long a code lives, and what the WhatsApp template says of it to the person who reads it."""

import uuid
from collections.abc import Iterable, Mapping

from django.db.models import Q

from channels.models import Sender
from channels.provider_settings import TEMPLATE_MINUTES
from channels.providers import PROVIDERS
from projects.models import LoginMethods
from projects.rules import CHANNELS_OF

__all__ = ["TEMPLATE_MINUTES", "contradicting", "differing"]


def differing(valid_seconds: int, minutes: Mapping[str, int | None]) -> dict[int, list[str]]:
    """Minutes that a template says and a code does not live, with the languages in which it says so."""
    by_minutes: dict[int, list[str]] = {}
    for language, known in minutes.items():
        if valid_seconds != (known or TEMPLATE_MINUTES) * 60:
            by_minutes.setdefault(known or TEMPLATE_MINUTES, []).append(language)
    return by_minutes


def contradicting(rows: Iterable[LoginMethods]) -> list[LoginMethods]:
    """Those whose codes live longer or shorter than a template is assumed to say; no provider is asked."""
    active = Sender.objects.filter(channel="whatsapp", is_active=True)
    with_templates = Q(provider__in=[item.name for item in PROVIDERS.values() if item.templates])
    served: set[uuid.UUID | None] = set(active.filter(with_templates).values_list("project_id", flat=True))
    others = set(active.exclude(with_templates).values_list("project_id", flat=True))
    return [
        row
        for row in rows
        if "whatsapp" in CHANNELS_OF[row.verify_phone_by]
        and row.otp_valid_seconds != TEMPLATE_MINUTES * 60
        and (row.project_id in served or (None in served and row.project_id not in others))
    ]
