"""Writing events: in the caller's transaction, by whoever acts, with frozen names."""

from datetime import timedelta
from uuid import UUID

import pytest
import structlog.testing
from django.db import transaction
from django.test import TestCase
from django.utils import timezone

from audit.actors import Actor, acting
from audit.kinds import Kind, Outcome
from audit.models import AuditEvent
from audit.record import Target, record, record_each, record_once, target_of
from channels.models import Sender
from core import ids
from projects.models import Domain, Project
from tests import factories
from tests.clock import later
from tests.statements import statements

pytestmark = pytest.mark.django_db
ROOT = Actor(name="root", user_id=UUID(int=7), address="2001:db8:1:2::9")


@pytest.fixture
def project() -> Project:
    return Project.objects.get(id=factories.make_project().id)


def test_an_event_says_who_did_what_to_what_when_and_where(project: Project) -> None:
    with acting(lambda: ROOT):
        record(Kind.CHANGED, project, before={"name": "Acme"}, after={"name": "Beta"}, detail="by hand")

    event = AuditEvent.objects.get()
    assert (event.actor, event.actor_id, event.address) == ("root", UUID(int=7), "2001:db8:1:2::9")
    assert (event.kind, event.detail, event.outcome) == ("changed", "by hand", "done")
    assert (event.object_type, event.object_id, event.object_name) == (
        "projects.project", str(project.pk), "Acme",
    )  # fmt: skip
    assert (event.project_id, event.before, event.after) == (project.pk, {"name": "Acme"}, {"name": "Beta"})
    assert abs(event.at - timezone.now()) < timedelta(seconds=10)
    assert abs(ids.time_of(event.id) - event.at) < timedelta(seconds=1)
    assert str(event) == "root changed: by hand Acme"


def test_a_row_belongs_to_its_project(project: Project) -> None:
    domain = Domain.objects.create(project=project, host="login.acme.example")

    assert target_of(domain).project_id == project.pk
    assert target_of(project).project_id == project.pk
    shared = Sender.objects.filter(project=None).first()
    assert shared
    assert target_of(shared).project_id is None


def test_without_staff_the_service_did_it(project: Project) -> None:
    event = record(Kind.PROJECT_DELETED, project)

    assert (event.actor, event.actor_id, event.address) == ("the service itself", None, None)


def test_an_event_may_have_no_object() -> None:
    event = record(Kind.EXPORTED)

    assert (event.object_type, event.object_id, event.object_name, event.project_id) == ("", "", "", None)


def test_numbers_in_names_and_details_are_masked() -> None:
    event = record(Kind.ACTED, Target(type="x.y", id="1", name="n"), detail="moved to +85251234567")

    assert event.detail == "moved to ••••67"
    assert event.action == "moved to ••••67"


def test_long_names_are_cut_instead_of_refused() -> None:
    with acting(lambda: Actor(name="n" * 500)):
        event = record(Kind.ACTED, Target(type="x.y", id="i" * 500, name="o" * 500), detail="d" * 500)

    event.refresh_from_db()
    assert tuple(map(len, (event.actor, event.object_id, event.object_name, event.detail))) == (
        200,
        80,
        200,
        300,
    )


def test_an_event_is_rolled_back_with_its_fact(project: Project) -> None:
    with transaction.atomic():
        record(Kind.CHANGED, project)
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_an_event_is_one_statement(project: Project) -> None:
    with statements() as sent:
        record(Kind.CHANGED, project)
    assert len([text for text in sent if "audit_auditevent" in text]) == len(sent) == 1


def test_many_rows_have_events_in_one_statement(project: Project) -> None:
    rows = [Domain.objects.create(project=project, host=f"h{number}.acme.example") for number in range(20)]
    with statements() as sent:
        record_each(Kind.SENT_AGAIN, rows)

    assert len([text for text in sent if text.startswith("INSERT")]) == 1
    assert AuditEvent.objects.count() == 20


def test_the_name_stays_when_the_object_is_gone(project: Project) -> None:
    record(Kind.CHANGED, project)
    project.delete()

    assert AuditEvent.objects.get().object_name == "Acme"


def test_the_log_has_a_line_once_it_is_committed(project: Project) -> None:
    """With the block of the address, never the address."""
    with (
        structlog.testing.capture_logs() as lines,
        acting(lambda: ROOT),
        TestCase.captureOnCommitCallbacks(execute=True),
    ):
        record(Kind.CHANGED, project, after={"name": "Beta"})
        assert not lines

    (line,) = lines
    assert (line["event"], line["kind"], line["object_id"]) == ("audit", "changed", str(project.pk))
    assert line["address_block"] == "2001:db8:1::/48"
    assert "2001:db8:1:2::9" not in repr(lines)
    assert "Beta" not in repr(lines)


def _refuse(
    address: str | None, target: Target | None = None, *, detail: str = "limited"
) -> AuditEvent | None:
    with acting(lambda: Actor(name="", address=address)):
        return record_once(
            Kind.SIGN_IN_REFUSED, target, within=timedelta(minutes=10), detail=detail, outcome=Outcome.REFUSED
        )


def test_what_strangers_cause_is_recorded_once_in_a_while() -> None:
    assert _refuse("192.0.2.1")
    assert _refuse("192.0.2.1") is None
    assert _refuse("192.0.2.2")
    assert _refuse("192.0.2.1", Target(type="users.user", id="7"))
    with later(601):
        assert _refuse("192.0.2.1")
    assert AuditEvent.objects.filter(outcome="refused").count() == 4


def test_a_network_of_addresses_records_twenty_of_an_object() -> None:
    """Another object, another reason and another time have their own."""
    one = Target(type="users.user", id="7")
    made = [_refuse(f"2001:db8:1:2::{number:x}", one) for number in range(40)]

    assert [bool(event) for event in made] == [True] * 20 + [False] * 20
    assert _refuse("192.0.2.1", one) is None
    assert _refuse("192.0.2.1")
    assert _refuse("192.0.2.1", one, detail="busy")
    with later(601):
        assert _refuse("192.0.2.1", one)


def test_without_an_address_it_is_recorded_once() -> None:
    """Behind a socket file."""
    assert _refuse(None)
    assert _refuse(None) is None


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_sentence(kind: Kind) -> None:
    label = str(kind.label)
    assert AuditEvent(kind=kind).action == label
    assert len(kind.value) <= 40
    if kind is not Kind.ACTED:
        assert AuditEvent(kind=kind, detail="why").action == f"{label}: why"


def test_a_kind_of_a_newer_version_is_shown_as_it_is() -> None:
    assert AuditEvent(kind="newer.kind").action == "newer.kind"
