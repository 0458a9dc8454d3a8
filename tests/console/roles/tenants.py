"""Two projects with a row of every kind each, and staff with roles in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.test import Client as Browser
from django.utils import timezone

from audit.kinds import Kind
from audit.record import record
from channels import rehearsals
from channels.models import Outcome
from core.ids import new_id
from events.models import Event
from oidc.models import LogoutNotice
from otp.models import Challenge, Delivery
from projects.models import Domain, Project, TestNumber
from stats import tokens
from stats.models import StatsToken
from tests import factories
from tests.console import rows
from tests.console.roles.support import root
from users.models import Invitation, Membership, User


@dataclass(frozen=True)
class Tenant:
    """`rows`: one of each kind of row that a project owns, by its model. `texts`: what only its own pages show."""

    project: Project
    rows: Mapping[type[Model], Any]
    texts: tuple[str, ...]


def tenant(slug: str, *, digit: int) -> Tenant:
    """`digit` tells its numbers from another's."""
    config = factories.make_project(slug=slug, name=f"{slug} products", is_default=digit == 1)
    project, now = Project.objects.get(pk=config.id), timezone.now()
    Domain.objects.create(project=project, host=f"login.{slug}.example")
    number = TestNumber.objects.create(
        project=project,
        phone=f"+1500555010{digit}",
        code=f"90817263{digit}",
        until=now.date() + timedelta(days=9),
    )
    sender = factories.make_sender("sms", project)
    client = factories.make_client(config, client_id=f"{slug}-web", name=f"{slug} shop")
    endpoint = factories.make_endpoint(config)
    event = Event.objects.create(
        endpoint=endpoint, type="sender.alert", body=f'{{"of": "{slug}"}}', created_at=now
    )
    person = User.objects.create(project=project, phone=f"+8529123450{digit}")
    notice = LogoutNotice.objects.create(
        client=client, issuer=f"https://login.{slug}.example", sub=person.id, sid=new_id(), created_at=now
    )
    challenge = Challenge.objects.create(
        project=project, phone=str(person.phone), key_id="0", code_length=6, language="en", origin=f"https://{slug}.example",
        created_at=now, expires_at=now + timedelta(minutes=5), resend_at=now, max_attempts=5, start_key=bytes([digit] * 32),
    )  # fmt: skip
    Delivery.objects.create(challenge=challenge, channel="sms", created_at=now, send_after=now, status_at=now)
    colleague = User.objects.create_user(f"{slug}.example-colleague", rows.PASSWORD)
    role = Membership.objects.create(user=colleague, project=project, role="viewer")
    invitation = Invitation.objects.create(
        username=f"{slug}.example-invited", project=project, role="viewer", token_hash=f"{digit}" * 64,
        invited_by=colleague, expires_at=now + timedelta(hours=9),
    )  # fmt: skip
    token = StatsToken(name=f"{slug}.example", project=project)
    tokens.issue(token)
    rehearsal = rehearsals.start(
        project=project,
        staff=colleague,
        session_key=slug,
        whatsapp=Outcome.DELIVERED,
        sms=Outcome.SILENT,
    )
    audited = record(Kind.ACTED, project, detail=f"about {slug}.example")
    owned = (
        project,
        project.login_methods,
        number,
        sender,
        client,
        endpoint,
        event,
        person,
        notice,
        challenge,
        role,
        invitation,
        token,
        rehearsal,
        audited,
    )
    return Tenant(
        project, {type(row): row for row in owned}, (f"{slug} products", f"{slug}-web", f"{slug}.example")
    )


def member(name: str, *roles: tuple[Project, str], **fields: Any) -> Browser:
    """A signed-in member of staff with these roles in projects."""
    user = User.objects.create_user(name, rows.PASSWORD, **fields)
    for project, role in roles:
        Membership.objects.create(user=user, project=project, role=role)
    browser = Browser(raise_request_exception=False)
    browser.force_login(user)
    return browser


def user(name: str) -> User:
    return User.objects.get(username=name)


def change_page(row: Model) -> str:
    return f"{root(type(row))}{quote(str(row.pk))}/change/"
