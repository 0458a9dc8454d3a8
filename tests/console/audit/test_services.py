"""What services do for staff is in the audit log, written by the services. K6"""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from core.ids import new_id
from events.models import Event, EventType
from login import sign_out
from oidc import client_secrets, keys
from oidc.models import LogoutNotice
from projects import removal
from projects.archiving import NotPossible, archive, restore
from projects.models import Project
from tests import factories
from users.models import User


def latest(**wanted: object) -> AuditEvent:
    return AuditEvent.objects.filter(**wanted).latest("id")


def act(browser: Client, page: str, action: str, *keys: object) -> None:
    browser.post(page, {"action": action, "_selected_action": [str(key) for key in keys]})


@pytest.fixture
def beta(acme: Project) -> Project:
    return Project.objects.get(
        id=factories.make_project(slug="beta", name="Beta", is_default=False, senders=False).id
    )


@pytest.fixture
def person(acme: Project) -> User:
    return User.objects.create(project=acme, phone=factories.PHONE)


def test_archiving_and_restoring(root: Client, beta: Project) -> None:
    act(root, "/admin/projects/project/", "archive", beta.pk)
    archived = latest()
    act(root, "/admin/projects/project/", "restore", beta.pk)

    assert (archived.kind, archived.object_name, archived.actor) == ("project.archived", "Beta", "root")
    assert latest().kind == "project.restored"
    assert AuditEvent.objects.filter(object_id=str(beta.pk)).count() == 2


def test_what_is_refused_or_changes_nothing_is_no_event(acme: Project, beta: Project) -> None:
    with pytest.raises(NotPossible):
        archive(acme)
    restore(beta)
    archive(beta)
    archive(beta)

    assert AuditEvent.objects.count() == 1


def test_a_project_leaves_its_events_behind(root: Client, beta: Project) -> None:
    """Who deleted it, and what it was, is known afterwards."""
    archive(beta)
    root.post(f"/admin/projects/project/{beta.pk}/delete/", {"name": "Beta"})

    assert not Project.objects.filter(pk=beta.pk).exists()
    events = list(AuditEvent.objects.filter(project_id=beta.pk).order_by("id"))
    assert [event.kind for event in events] == [
        "project.archived",
        "project.deletion_began",
        "project.deleted",
    ]
    assert events[1].before["slug"] == "beta"
    assert {event.object_name for event in events} == {"Beta"}
    assert events[2].actor == "root"


def test_the_worker_that_ends_a_deletion_says_so(beta: Project) -> None:
    removal.begin(beta)
    assert removal.continue_removals(seconds=60) == 1

    assert (latest().kind, latest().actor) == ("project.deleted", "the service itself")


@pytest.mark.parametrize(
    ("action", "kind", "after"),
    [
        ("block", "user.blocked", {"is_active": False}),
        ("unblock", "user.unblocked", {"is_active": True}),
        ("end_sessions", "user.signed_out_everywhere", {}),
    ],
)
def test_what_is_done_to_a_person(root: Client, person: User, action: str, kind: str, after: object) -> None:
    act(root, "/admin/users/user/", action, person.pk)

    event = AuditEvent.objects.get()
    assert (event.kind, event.actor, event.after) == (kind, "root", after)
    assert (event.object_type, event.object_id) == ("users.user", str(person.pk))
    assert event.project_id == person.project_id
    assert factories.PHONE[-6:] not in str(AuditEvent.objects.values())


def test_people_who_sign_out_themselves_are_no_matter_of_staff(person: User) -> None:
    sign_out.end_everything(user_id=person.pk)

    assert not AuditEvent.objects.exists()


def test_a_new_client_secret(acme: Project) -> None:
    client = factories.make_client(factories.make_project(slug="c", is_default=False), secret="x" * 40)
    secret = client_secrets.replace_secret(client)

    event = latest()
    assert (event.kind, event.object_name) == ("secret.renewed", str(client))
    assert secret not in str(AuditEvent.objects.values())
    assert client.client_secret not in str(AuditEvent.objects.values())


def test_a_new_signing_key_by_whoever_made_it(root: Client) -> None:
    keys.rotate("RS256", only_first=True)
    assert latest().actor == "the service itself"
    assert keys.rotate("RS256", only_first=True) is None
    assert AuditEvent.objects.count() == 1

    root.post("/admin/oidc/signingkey/rotate/", {"algorithm": "ES256"})

    assert (latest().actor, latest().after) == ("root", {"algorithm": "ES256"})
    assert AuditEvent.objects.filter(kind="key.created").count() == 2


def test_a_signing_key_of_the_environment(acme: Project, settings: Any) -> None:
    """Once, not in every process that reads the setting."""
    settings.AUTHSVC_OIDC_KEY = _pem_of(keys.generate("ES256"))
    keys.key_ring()
    keys.key_ring()

    event = AuditEvent.objects.get()
    assert (event.kind, event.after) == ("key.created", {"algorithm": "ES256"})
    assert "PRIVATE" not in str(AuditEvent.objects.values())


def _pem_of(private: keys.PrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_events_and_notices_that_are_sent_again(root: Client, acme: Project) -> None:
    project = factories.make_project(slug="d", is_default=False)
    endpoint = factories.make_endpoint(project, EventType.SENDER_ALERT)
    now = timezone.now()
    rows = [
        Event.objects.create(
            endpoint=endpoint, type="sender.alert", body="{}", created_at=now - timedelta(hours=1)
        )
        for _ in range(3)
    ]
    notice = LogoutNotice.objects.create(
        client=factories.make_client(project),
        issuer="https://x.example",
        sub=new_id(),
        sid=new_id(),
        created_at=now,
    )

    act(root, "/admin/events/event/", "send_again", *(row.pk for row in rows))
    act(root, "/admin/oidc/logoutnotice/", "send_again", notice.pk)

    again = AuditEvent.objects.filter(kind="sent_again", actor="root")
    assert {event.object_id for event in again} == {*(str(row.pk) for row in rows), str(notice.pk)}
