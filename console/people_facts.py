"""What a user's page shows. Numbers masked, and no key of a session."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from channels.types import Status
from login import user_agents
from login.models import Session
from oidc import services as oidc
from otp.models import Challenge, Delivery
from users.models import User
from users.phones import mask

MOST_SESSIONS = 50
MOST_CHALLENGES = 10


@dataclass(frozen=True, kw_only=True)
class SessionLine:
    id: UUID
    device: str
    address: str
    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class ChallengeLine:
    id: UUID
    at: datetime
    outcome: str
    messages: str


def facts(person: User) -> list[tuple[str, str]]:
    """Label and value. The person's project is loaded."""
    return [
        (_("Number"), mask(person.phone or "")),
        (_("Project"), person.project.name if person.project else ""),
        (_("Id (sub)"), str(person.id)),
        (_("State"), _("active") if person.is_active else _("blocked")),
        (_("First login"), _moment(person.created_at)),
        (_("Last login"), _moment(person.last_login)),
    ]


def sessions(person: User, *, now: datetime) -> list[SessionLine]:
    """The newest first."""
    rows = Session.objects.filter(user=person, expire_date__gt=now).order_by("-created_at")
    return [
        SessionLine(
            id=row.id,
            device=_device(row.user_agent),
            address=row.address or "",
            since=row.created_at,
            until=row.expire_date,
        )
        for row in rows.defer("session_key", "session_data")[:MOST_SESSIONS]
    ]


def _device(user_agent: str) -> str:
    parts = [user_agents.browser(user_agent), user_agents.system(user_agent)]
    return " · ".join(part for part in parts if part) or _("unknown device")


def applications(person: User) -> list[str]:
    return [line.name for line in oidc.grants_of(person.id)]


def challenges(person: User) -> list[ChallengeLine]:
    """The last ones of the person's number."""
    now = timezone.now()
    rows = Challenge.objects.filter(project=person.project, phone=person.phone).order_by("-id")
    rows = rows.prefetch_related(Prefetch("deliveries", Delivery.objects.order_by("id")))
    return [
        ChallengeLine(
            id=row.id,
            at=row.created_at,
            outcome=row.state(now).value,
            messages=" → ".join(
                f"{item.channel} {Status(item.status).word}" for item in row.deliveries.all()
            ),
        )
        for row in rows[:MOST_CHALLENGES]
    ]


def _moment(at: datetime | None) -> str:
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else _("never")
