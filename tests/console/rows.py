"""A database in which every table that staff see has rows and every secret has a value, and what those values are."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils import timezone

from channels import rehearsals
from channels.models import Outcome, Sender
from channels.providers import PROVIDERS
from console.base import is_secret
from core.ids import new_id
from events.models import Event
from login.sessions import SessionStore
from oidc import keys
from oidc.models import LogoutNotice
from otp.models import Challenge, Delivery
from projects.models import Domain, Project, TestNumber
from stats import tokens
from stats.models import Price, StatsToken
from tests import factories
from tests.console.client_pages import sign_in
from users.models import Invitation, Membership, Passkey, RecoveryCode, Totp, User

PASSWORD = "a long enough password"  # made up


def fill() -> None:
    """One row of everything, and one of each kind where kinds differ."""
    project = factories.make_project(senders=False)
    now = timezone.now()
    Domain.objects.create(project_id=project.id, host="login.acme.example")
    TestNumber.objects.create(
        project_id=project.id, phone="+15005550199", code="9081726354", until=now.date() + timedelta(days=9)
    )
    for channel, provider, active in (
        ("whatsapp", "meta", True),
        ("sms", "twilio", True),
        ("sms", "http", False),
    ):
        secrets = {name: f"{provider}-{name}-kept-secret" for name in PROVIDERS[provider].secret_names}
        sender = Sender(channel=channel, provider=provider, is_active=active)
        sender.values = secrets
        sender.save()
    User.objects.create_superuser("root", PASSWORD)
    client = factories.make_client(project, secret="a client secret that is long enough for a plain hash")
    factories.make_client(project, secret="a short one", client_id="acme-short")
    factories.make_client(project, client_id="acme-public")
    sign_in(client)
    person = User.objects.get(phone=factories.PHONE)
    for owner in (person, User.objects.get(username="root")):
        store = SessionStore()
        store["_auth_user_id"] = str(owner.id)
        store.save()
    keys.rotate("RS256")
    endpoint = factories.make_endpoint(project)
    Event.objects.create(endpoint=endpoint, type="sender.alert", body="{}", created_at=now)
    LogoutNotice.objects.create(
        client=client, issuer="https://login.acme.example", sub=person.id, sid=new_id(), created_at=now
    )
    challenge = Challenge.objects.create(
        project_id=project.id, phone=factories.PHONE, key_id="0", code_length=6, language="en", origin="https://x.example",
        created_at=now, expires_at=now + timedelta(minutes=5), resend_at=now, max_attempts=5, start_key=b"\x07" * 32,
    )  # fmt: skip
    Delivery.objects.create(
        challenge=challenge, channel="whatsapp", created_at=now, send_after=now, status_at=now
    )
    Group.objects.create(name="support")
    Price.objects.create(
        provider="meta", country="HK", amount="0.0085", currency="USD", valid_from=now.date()
    )
    tokens.issue(StatsToken(name="Warehouse"))
    rehearsals.start(
        project=Project.objects.get(),
        staff=User.objects.get(username="root"),
        session_key="a session of root",
        whatsapp=Outcome.DELIVERED,
        sms=Outcome.SILENT,
    )
    _staff_of(project.id)
    assert Project.objects.count() == 1


def _staff_of(project_id: UUID) -> None:
    """A member of staff with a role, every kind of factor, and an invitation. Nobody in the tests signs in as them."""
    user = User.objects.create_user("member", PASSWORD)
    Membership.objects.create(user=user, project_id=project_id, role="viewer")
    Totp.objects.create(user=user, secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", is_confirmed=True)
    Passkey.objects.create(
        user=user, name="Key", rp_id="localhost", credential_id="known-credential", public_key=b"\x01" * 40
    )
    RecoveryCode.objects.create(user=user, code_hash="ab" * 32)
    Invitation.objects.create(
        username="invited", project_id=project_id, role="support", token_hash="cd" * 32, invited_by=user,
        expires_at=timezone.now() + timedelta(hours=9),
    )  # fmt: skip


def secrets() -> list[str]:
    """Every text that no page may hold: all secret columns of all tables, as they are and as they are stored."""
    texts = {settings.SECRET_KEY, *settings.AUTHSVC_ENCRYPTION_KEYS}
    for key in settings.AUTHSVC_OTP_KEYS.values():
        texts |= {key.hex(), base64.b64encode(key).decode()}
    for model in apps.get_models():
        for value in _values(model):
            texts |= set(_spellings(value))
    return sorted(texts)


def _values(model: type[Model]) -> Iterator[Any]:
    for field in model._meta.concrete_fields:
        if is_secret(field):
            yield from model._default_manager.values_list(field.name, flat=True)


def _spellings(value: Any) -> Iterator[str]:
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        yield from (
            raw.hex(),
            base64.b64encode(raw).decode(),
            base64.urlsafe_b64encode(raw).decode(),
            repr(raw),
        )
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in _spellings(item))
    elif isinstance(value, str) and len(value) >= 6:
        yield value
        yield from (part for part in value.split("$") if len(part) >= 16)  # salt and hash
        yield from (line for line in value.splitlines() if len(line) >= 40)  # of a PEM


def snapshot() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, without what a login of staff itself writes."""
    left_out = {"login.session", "sessions.session", "contenttypes.contenttype", "auth.permission"}
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for model in apps.get_models():
        if model._meta.label_lower in left_out or not model._meta.managed:
            continue
        names = [field.attname for field in model._meta.concrete_fields if field.name != "last_login"]
        rows[model._meta.label] = sorted(
            (tuple(map(_plain, row)) for row in model._default_manager.values_list(*names)), key=repr
        )
    return rows


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
