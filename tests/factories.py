"""Rows that tests start from. Everything not named is the product's default."""

import json
import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone

from channels.models import Sender
from channels.senders import config_of, of_configs
from channels.senders import senders as senders_in_memory
from channels.types import Channel, FailureReason, Status, StatusUpdate
from events.models import Endpoint, Event, EventType
from oidc.client_secrets import hash_secret
from oidc.models import Client
from otp import codes
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig, of_rows, projects
from projects.models import LoginMethods, Project
from tests import new_rows
from users.phones import Phone, parse

ORIGIN = "https://login.acme.example"
PHONE = "+85251234567"
OTHER_PHONE = "+447911123456"
ADDRESS = "203.0.113.7"


_SENDER_COLUMNS = ("id", "is_active", "project_id", "name", "priority")


def make_sender(channel: str, project: Project | None = None, **fields: Any) -> Sender:
    """A sender of the memory backend, shared unless a project is named. Fields of its provider are named as such."""
    sender = _sender(channel, project, **fields)
    sender.save()
    return sender


def _sender(channel: str, project: Project | None = None, **fields: Any) -> Sender:
    if channel == "whatsapp":
        fields = {"phone_number_id": f"pn-{uuid.uuid4().hex[:8]}", "template_languages": ["en"]} | fields
    columns = {name: fields.pop(name) for name in _SENDER_COLUMNS if name in fields}
    provider = fields.pop("provider", "memory")
    sender = Sender(project=project, channel=channel, provider=provider, **columns)
    sender.values = fields
    return sender


def make_project(*, senders: bool = True, **fields: Any) -> ProjectConfig:
    """A default project that allows all countries, with shared memory senders for both channels."""
    named = {name: fields.pop(name) for name in ("slug", "name", "is_default") if name in fields}
    project = Project(**({"slug": "acme", "name": "Acme", "is_default": True} | named))
    new_rows.insert(project)
    new_rows.insert(LoginMethods(project=project, **({"countries_allowed": ["all"]} | fields)))
    made = _make_shared_senders() if senders else []
    version = new_rows.raise_version()
    if new_rows.count(Project) == 1 and "routing" not in fields:
        _keep(version, project)
    if made and new_rows.count(Sender) == len(made):
        senders_in_memory._kept = version, of_configs([config_of(row) for row in made])
    return projects.get(version).by_id[project.id]


def _keep(version: int, only: Project) -> None:
    """In memory, as if it had been read: a test's first request reads nothing that its beginning has just written."""
    only._prefetched_objects_cache = {"domains": [], "test_numbers": []}  # type: ignore[attr-defined] # Django's own
    projects._kept = version, of_rows([only])


def _make_shared_senders() -> list[Sender]:
    """Those that are missing: one of each channel."""
    known = (
        ()
        if not new_rows.count(Sender)
        else set(Sender.objects.filter(project=None).values_list("channel", flat=True))
    )
    missing = [_sender(channel) for channel in ("whatsapp", "sms") if channel not in known]
    if missing:
        new_rows.insert(*missing)
    return missing


def make_client(project: ProjectConfig, *, secret: str = "", **fields: Any) -> Client:
    """A public client `acme-web`; with a secret a confidential one."""
    defaults: dict[str, Any] = {
        "client_id": "acme-web",
        "name": "Acme shop",
        "client_type": "confidential" if secret else "public",
        "client_secret": hash_secret(secret) if secret else "",
        "redirect_uris": "https://acme.example/callback",
        "post_logout_redirect_uris": "https://acme.example/",
        "algorithm": "RS256",
    }
    return Client.objects.create(project_id=project.id, **(defaults | fields))


def public_jwks(private: Any = None) -> str:
    """A set with the public half of an EC key as JSON."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from jwt.algorithms import ECAlgorithm

    known = private or ec.generate_private_key(ec.SECP256R1())
    return json.dumps({"keys": [{"kid": "one", **ECAlgorithm.to_jwk(known.public_key(), as_dict=True)}]})


def make_endpoint(project: ProjectConfig, *types: EventType, **fields: Any) -> Endpoint:
    """An event URL of a project, for all events unless some are named."""
    wanted = [item.value for item in types or EventType]
    defaults = {"url": f"https://{project.slug}.example/events", "types": wanted}
    return Endpoint.objects.create(project_id=project.id, **(defaults | fields))


def told(slug: str = "acme") -> list[tuple[str, dict[str, Any]]]:
    """What the outbox holds for a project, oldest first: type and data."""
    bodies = Event.objects.filter(endpoint__project__slug=slug).order_by("id").values_list("body", flat=True)
    said = [json.loads(body) for body in bodies]
    return [(item["type"], item["data"]) for item in said]


def phone(text: str = PHONE) -> Phone:
    return parse(text)


def code_of(challenge_id: uuid.UUID) -> str:
    """The code that the messages of a challenge carry."""
    from django.conf import settings

    challenge = Challenge.objects.get(id=challenge_id)
    return codes.derive(
        challenge_id=challenge.id,
        key_id=challenge.key_id,
        length=challenge.code_length,
        keys=settings.AUTHSVC_OTP_KEYS,
    )


def wrong_code(challenge_id: uuid.UUID, nth: int = 0) -> str:
    """A code of the right length that is not the right one; others for other `nth`."""
    right = code_of(challenge_id)
    return str((int(right) + 1 + nth) % 10 ** len(right)).zfill(len(right))


def report(
    delivery: Delivery,
    status: Status,
    *,
    reason: FailureReason | None = None,
    by_reference: bool = True,
    message_id: str = "",
    at: datetime | None = None,
    sender_ids: tuple[uuid.UUID, ...] | None = None,
) -> StatusUpdate:
    """A provider's report about a delivery."""
    assert delivery.sender_id
    return StatusUpdate(
        sender_ids=(delivery.sender_id,) if sender_ids is None else sender_ids,
        delivery_id=str(delivery.id) if by_reference else None,
        provider_message_id=message_id or delivery.provider_message_id or f"id-{delivery.id.hex}",
        status=status,
        occurred_at=at or timezone.now(),
        reason=reason or (FailureReason.NOT_ON_CHANNEL if status is Status.FAILED else None),
        provider_code="131026" if status is Status.FAILED else "",
    )


def deliveries(challenge_id: uuid.UUID) -> list[Delivery]:
    return list(Delivery.objects.filter(challenge_id=challenge_id).order_by("id"))


def channels_of(challenge_id: uuid.UUID) -> list[Channel]:
    return [Channel(item.channel) for item in deliveries(challenge_id)]
