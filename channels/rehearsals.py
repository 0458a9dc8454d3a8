"""Rehearsals: a member of staff tries a project's login with a fictional number, and plays what becomes of messages.

Those that run are in memory, so that a login costs no query for them. A real number cannot be rehearsed: a constraint
of the table refuses it, and it is never looked up.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from channels.base import SenderConfig
from channels.models import Outcome, Rehearsal
from channels.providers.sandbox import SANDBOX, SandboxSettings
from channels.types import Channel
from core.config_models import ConfigVersion
from core.config_version import Cached
from projects.models import Project
from users import fictional

if TYPE_CHECKING:
    from users.models import User

log = structlog.get_logger(__name__)

LASTS = timedelta(minutes=30)

type _Place = tuple[uuid.UUID, str]  # a project and a number


class NoNumberFree(Exception):
    """All fictional numbers are in use in this project."""


@dataclass(frozen=True, kw_only=True)
class Running:
    id: uuid.UUID
    ends_at: datetime
    outcomes: Mapping[Channel, str]


def _load() -> dict[_Place, Running]:
    rows = Rehearsal.objects.filter(ended_at=None, ends_at__gt=timezone.now())
    return {(row.project_id, row.phone): _running(row) for row in rows}


def _running(row: Rehearsal) -> Running:
    return Running(
        id=row.id, ends_at=row.ends_at, outcomes={Channel.WHATSAPP: row.whatsapp, Channel.SMS: row.sms}
    )


_running_now: Cached[dict[_Place, Running]] = Cached(_load)


def running(project_id: uuid.UUID, phone: str) -> Running | None:
    """The rehearsal of this number in this project, while it lasts. Real numbers cost nothing here."""
    if not fictional.is_fictional(phone):
        return None
    row = _running_now.get().get((project_id, phone))
    return row if row and timezone.now() < row.ends_at else None


def places(version: int | None = None) -> list[_Place]:
    """(project, number) of all that run. `version`: of the configuration, when the caller has just read it."""
    now = timezone.now()
    return [place for place, row in _running_now.get(version).items() if now < row.ends_at]


def sender(project_id: uuid.UUID, phone: str, channel: Channel) -> SenderConfig | None:
    """The sandbox in the place of the project's sender; None when the rehearsal is over."""
    row = running(project_id, phone)
    if row is None:
        return None
    return SenderConfig(
        id=row.id,
        project_id=project_id,
        channel=channel,
        provider=SANDBOX.name,
        settings=SandboxSettings(outcome=row.outcomes[channel]),
    )


def start(*, project: Project, staff: "User", session_key: str, whatsapp: Outcome, sms: Outcome) -> Rehearsal:
    """Begin one with a number that nobody uses; this person's earlier ones in the project end. Raises NoNumberFree."""
    now = timezone.now()
    with transaction.atomic():
        ConfigVersion.bump()  # takes the row lock: two starts at once choose different numbers
        open_ones = Rehearsal.objects.filter(project=project, ended_at=None)
        open_ones.filter(ends_at__lte=now).update(ended_at=F("ends_at"))
        open_ones.filter(staff=staff).update(ended_at=now)
        taken = {
            *open_ones.values_list("phone", flat=True),
            *project.test_numbers.values_list("phone", flat=True),
        }
        phone = fictional.choose(taken=taken)
        if not phone:
            raise NoNumberFree
        row = Rehearsal.objects.create(
            project=project,
            phone=phone,
            staff=staff,
            session_hash=_session_hash(session_key),
            whatsapp=whatsapp,
            sms=sms,
            started_at=now,
            ends_at=now + LASTS,
        )
    log.info("rehearsal.started", rehearsal_id=str(row.id), project=project.slug, staff_id=str(staff.id))
    return row


def end(row: Rehearsal) -> None:
    """Its number stops working at once. Idempotent."""
    with transaction.atomic():
        ended = Rehearsal.objects.filter(id=row.id, ended_at=None).update(ended_at=timezone.now())
        ConfigVersion.bump()
    if ended:
        log.info("rehearsal.ended", rehearsal_id=str(row.id))


def is_owner(row: Rehearsal, *, staff_id: uuid.UUID | None, session_key: str) -> bool:
    """Whether this session of this person started it: nobody else sees its codes, superusers included."""
    return (
        staff_id is not None
        and row.staff_id == staff_id
        and constant_time_compare(row.session_hash, _session_hash(session_key))
    )


def is_running(row: Rehearsal, *, now: datetime) -> bool:
    return row.ended_at is None and now < row.ends_at


def _session_hash(session_key: str) -> str:
    return salted_hmac("channels.rehearsals", session_key, algorithm="sha256").hexdigest()
