"""Finding challenges by what people have in their hands: a number, an id of ours, an id of the provider."""

import uuid

from django.db.models import QuerySet

from api import challenge_ids
from console.numbers import readings
from otp.models import Challenge, Delivery

_LONGEST = 255  # a provider's message id


def matching(challenges: QuerySet[Challenge], term: str) -> QuerySet[Challenge]:
    """Exact matches only: a part of a number would match other people. All of them for an empty term."""
    text = term.strip()
    if not text:
        return challenges
    if len(text) > _LONGEST or "\0" in text:
        return challenges.none()
    key = _key(text)
    if key:
        of_delivery = Delivery.objects.filter(id=key).values_list("challenge_id", flat=True).first()
        return challenges.filter(id=of_delivery or key)
    messages = Delivery.objects.filter(provider_message_id=text).exclude(provider_message_id="")
    keys = list(messages.values_list("challenge_id", flat=True)[:20])
    return challenges.filter(id__in=keys) if keys else challenges.filter(phone__in=readings(text))


def _key(text: str) -> uuid.UUID | None:
    """Of a UUID, or of the id that an application has from the API."""
    handle = challenge_ids.read(text)
    if handle:
        return handle.challenge_id
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
