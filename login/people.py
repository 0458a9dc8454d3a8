"""What staff do to a person's account beyond blocking: give it another number, merge it with another one.

The person's id, which applications know as `sub`, never changes and is never given to anybody else. Applications hear
of ended sessions by log-out notices (oidc.backchannel). Each act is one transaction.
"""

import uuid
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from login import sign_out
from otp.errors import CountryNotAllowed
from projects.config import projects
from users import people
from users import services as users
from users.errors import OtherProject, SamePerson
from users.models import User
from users.phones import Phone, check_deliverable

log = structlog.get_logger(__name__)


def move(*, user_id: uuid.UUID, phone: Phone) -> None:
    """Give a person another number that is free and that the project sends to, and sign them out everywhere.

    The old number is free at once: whoever proves it next is a new user.
    Raises PersonGone, SameNumber, NumberTaken, CountryNotAllowed, InvalidPhone.
    """
    with transaction.atomic():
        (user,) = people.locked(user_id)
        _check_allowed(user, phone)
        people.set_number(user, phone.e164)
        sign_out.end_everything(user_id=user_id)
    log.info("user.moved", user_id=str(user_id))


def _check_allowed(user: User, phone: Phone) -> None:
    project = projects.get().by_id.get(user.project_id) if user.project_id else None
    if project is None:  # archived, or not set up
        raise CountryNotAllowed
    check_deliverable(phone, networks=project.networks_allowed)
    if not (phone.network or project.allows_country(phone.country)):
        raise CountryNotAllowed


def merge(*, kept_id: uuid.UUID, other_id: uuid.UUID, take_number: bool) -> None:
    """Make two users of a project one: `kept_id` stays, the other one's sessions, tokens and row go.

    `take_number`: the kept user gets the other's number, and is signed out too; else the other's number is free.
    A block of either stays. Raises PersonGone, SamePerson, OtherProject.
    """
    if kept_id == other_id:
        raise SamePerson
    with transaction.atomic():
        kept, other = people.locked(kept_id, other_id)
        if kept.project_id != other.project_id:
            raise OtherProject
        number, was_active = str(other.phone), other.is_active
        sign_out.end_everything(user_id=other_id)
        people.retire(other, now=timezone.now())
        User.objects.filter(id=kept_id).update(last_login=_later(kept.last_login, other.last_login))
        if take_number:
            people.set_number(kept, number)
        if take_number or not was_active:
            sign_out.end_everything(user_id=kept_id)
        if not was_active:
            users.set_active(user_id=kept_id, active=False)
    log.info("user.merged", user_id=str(kept_id), other_id=str(other_id), number_taken=take_number)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)
