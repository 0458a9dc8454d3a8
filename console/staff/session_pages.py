"""Sessions of staff: everybody sees and ends their own, superusers everybody's."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from console import staff_audit
from console.staff import steps
from console.staff.sign_in_pages import show
from login import sessions, sign_out, user_agents
from login.models import Session
from users.models import User

_MOST = 200


@dataclass(frozen=True, kw_only=True)
class Line:
    id: uuid.UUID
    name: str
    device: str
    address: str
    since: datetime
    seen: datetime | None
    is_current: bool


def visible_to(user: User) -> QuerySet[Session]:
    """Sessions of staff that this member of staff may see and end."""
    rows = Session.objects.filter(user__is_staff=True, expire_date__gt=timezone.now())
    return rows if user.is_superuser else rows.filter(user=user)


@require_GET
def sessions_page(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    current = sessions.hashed_key_of(request)
    rows = visible_to(user).select_related("user").order_by("-created_at")[:_MOST]
    lines = sorted((_line(row, current) for row in rows), key=lambda line: not line.is_current)
    context = {"title": _("Sessions of staff"), "lines": lines, "shows_names": user.is_superuser}
    return show(request, "sessions.html", context)


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End one session (`session` is its id) or all `others` of one's own."""
    user = _user(request)
    rows = visible_to(user).exclude(session_key=sessions.hashed_key_of(request))
    if request.POST.get("others"):
        rows = rows.filter(user=user)
    else:
        try:
            rows = rows.filter(id=uuid.UUID(request.POST.get("session", "")[:40]))
        except ValueError:
            rows = rows.none()
    ended = [(row.id, row.user) for row in rows.select_related("user")]
    with transaction.atomic():
        for session_id, owner in ended:
            if owner is not None:
                sign_out.end_sessions([session_id], user_id=owner.pk)
                staff_audit.acted(owner, "session ended")
    messages.success(request, _("%(count)d sessions have ended.") % {"count": len(ended)})
    return redirect("admin:staff_sessions")


def _line(row: Session, current: str) -> Line:
    seen = steps.seen_at(row)
    device = [user_agents.browser(row.user_agent), user_agents.system(row.user_agent)]
    return Line(
        id=row.id,
        name=row.user.username or "" if row.user else "",
        device=", ".join(part for part in device if part),
        address=row.address or "",
        since=row.created_at,
        seen=datetime.fromtimestamp(seen, tz=UTC) if seen is not None else None,
        is_current=row.session_key == current,
    )


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):  # the site has checked it
        raise PermissionDenied
    return request.user
