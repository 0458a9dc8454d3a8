"""Staff with permissions, and rows of the log."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from channels.types import Status
from core.ids import new_id, oldest_id_at
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from tests import factories
from users.models import User

LOG = "/admin/otp/challenge/"
MESSAGE_ID = "wamid.HBgLODUyNTEyMzQ1NjcVAgARGBI"


def signed_in(name: str, *permissions: str) -> Client:
    """A browser of this member of staff, who is made when there is none."""
    user = User.objects.filter(username=name).first() or User.objects.create_user(name, "a long password")
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser


def count(browser: Client, **query: str) -> int:
    """How many rows the list shows."""
    answer = browser.get(LOG, query)
    assert answer.status_code == 200, answer.get("Location")
    shown: int = answer.context["cl"].result_count
    return shown


def add_challenge(
    project: ProjectConfig, *, phone: str = factories.PHONE, at: datetime | None = None, **fields: Any
) -> Challenge:
    """One without messages, begun at this time."""
    begun = at or timezone.now()
    key = oldest_id_at(begun) if at else new_id()
    values = {
        "id": key, "project_id": project.id, "phone": phone, "key_id": "0", "code_length": 6, "language": "en",
        "origin": factories.ORIGIN, "created_at": begun, "expires_at": begun + timedelta(minutes=5),
        "resend_at": begun, "max_attempts": 5,
    }  # fmt: skip
    return Challenge.objects.create(**(values | fields))


def add_message(challenge: Challenge, channel: str = "whatsapp", **fields: Any) -> Delivery:
    at = challenge.created_at
    values = {"created_at": at, "send_after": at, "status_at": at, "status": Status.DELIVERED.value}
    return Delivery.objects.create(challenge=challenge, channel=channel, **(values | fields))
