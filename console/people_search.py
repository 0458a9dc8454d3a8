"""Finding users by a number, a part of one, or an id."""

import re
import uuid

import structlog
from django.db.models import Q, QuerySet
from django.db.models.functions import Reverse
from django.http import HttpRequest

from console.numbers import REVEAL, hints, readings
from console.scoping import projects_with
from users.models import User
from users.phones import calling_codes

log = structlog.get_logger(__name__)

SHORTEST_PART = 4
_LONGEST = 64
_PARTS_OF_NUMBERS = re.compile(r"\+?[0-9 ().\-]+")


def matching(request: HttpRequest, users: QuerySet[User], term: str) -> QuerySet[User] | None:
    """The users of an id or number; of a part of a number for who may reveal one, since for anybody else that would
    be a way to read a masked number digit by digit. None: the text is neither."""
    text = term.strip()
    try:
        return users.filter(id=uuid.UUID(text))
    except ValueError:
        pass
    numbers = readings(text)
    is_number = Q(phone__in=numbers)
    digits = re.sub(r"[^0-9]", "", text)
    is_part = len(text) <= _LONGEST and _PARTS_OF_NUMBERS.fullmatch(text) and len(digits) >= SHORTEST_PART
    if is_part and request.user.has_perm(REVEAL):
        log.info("staff.searched_by_part", staff_id=str(request.user.pk), digits=len(digits))
        part, allowed = _part(digits), projects_with(request.user, REVEAL)
        part = part if allowed is None else part & Q(project__in=allowed)
        return users.alias(backwards=Reverse("phone")).filter(is_number | part)
    return users.filter(is_number) if numbers else None


def _part(digits: str) -> Q:
    """How a number begins, with its calling code or without that of a project's country, or how it ends."""
    codes = calling_codes()
    beginnings = {f"+{digits}", f"+{digits.removeprefix('00')}"}
    beginnings |= {f"+{codes[country]}{digits.lstrip('0')}" for country in hints() if country in codes}
    part = Q(backwards__startswith=digits[::-1])
    for beginning in sorted(beginnings):
        part |= Q(phone__startswith=beginning)
    return part


def exactly(users: QuerySet[User], term: str) -> User | None:
    """The one user of a whole number or an id; None when there is none, or more than one."""
    text = term.strip()
    try:
        return users.filter(id=uuid.UUID(text)).first()
    except ValueError:
        rows = list(users.filter(phone__in=readings(text))[:2])
        return rows[0] if len(rows) == 1 else None
