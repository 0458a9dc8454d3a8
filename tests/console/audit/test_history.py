"""The history of one object is its part of the audit log."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from audit.actors import Actor, acting
from audit.kinds import Kind
from audit.record import Target, record
from console import history
from projects.models import Domain, Project
from tests import factories
from tests.console.roles.tenants import member as roles_member
from users.models import User
from users.roles import Role


def page_of(browser: Client, row: Project | User) -> str:
    answer = browser.get(f"/admin/{row._meta.label_lower.replace('.', '/')}/{row.pk}/history/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_has_every_event_of_the_object_and_none_of_others(root: Client, acme: Project) -> None:
    beta = Project.objects.get(
        id=factories.make_project(slug="beta", name="Beta", is_default=False, senders=False).id
    )
    with acting(lambda: Actor(name="alice", address="203.0.113.7")):
        record(Kind.CHANGED, acme, before={"name": "Old"}, after={"name": "Acme"})
        record(Kind.PROJECT_ARCHIVED, acme)
    with acting(lambda: Actor(name="bob")):
        record(Kind.PROJECT_ARCHIVED, beta)
        record(Kind.ACTED, Target(type="projects.domain", id=str(acme.pk)))

    page = page_of(root, acme)
    assert "203.0.113.7" in page
    assert page.count("alice") == 2
    assert "bob" not in page
    assert page.index("archived") < page.index("Old")


def test_what_the_service_did_by_itself_is_told_as_such(root: Client, acme: Project) -> None:
    record(Kind.PROJECT_RESTORED, acme)

    assert "the service itself" in page_of(root, acme)


def test_an_object_without_events_says_so(root: Client, acme: Project) -> None:
    assert "Nothing is recorded about this object." in page_of(root, acme)


def test_a_person_is_titled_without_the_number(root: Client, acme: Project) -> None:
    person = User.objects.create(project=acme, phone=factories.PHONE)
    record(Kind.BLOCKED, person)

    page = page_of(root, person)
    assert "blocked" in page
    assert factories.PHONE[1:] not in page


def test_the_newest_are_shown_and_the_log_has_the_others(
    root: Client, member: Callable[..., Client], acme: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SHOWN", 3)
    for number in range(4):
        record(Kind.ACTED, acme, detail=f"step {number}")

    page = page_of(root, acme)
    assert re.findall(r"step \d", page) == ["step 3", "step 2", "step 1"]
    assert f"/admin/audit/auditevent/?q={acme.pk}" in page
    assert "step 3" in page_of(member("view_project", "view_auditevent"), acme)


def test_it_is_for_those_who_may_see_the_object_and_read_the_log(
    member: Callable[..., Client], acme: Project
) -> None:
    """Events name colleagues and their whole addresses. Nobody else is led there either."""
    page = f"/admin/projects/project/{acme.pk}"
    reader, viewer = member("view_project", "view_auditevent"), member("view_project")

    assert reader.get(f"{page}/history/").status_code == 200
    assert f"{page}/history/" in reader.get(f"{page}/change/").content.decode()
    assert viewer.get(f"{page}/history/").status_code == 403
    assert f"{page}/history/" not in viewer.get(f"{page}/change/").content.decode()
    assert member("view_auditevent").get(f"{page}/history/").status_code == 403


@pytest.mark.parametrize("role", Role.values)
def test_roles_see_the_history_that_they_may_read_in_the_log(role: str, acme: Project) -> None:
    """Of their own project only, whatever the event is about."""
    beta = Project.objects.get(
        id=factories.make_project(slug="beta", name="Beta", is_default=False, senders=False).id
    )
    person = User.objects.create(project=acme, phone=factories.PHONE)
    with acting(lambda: Actor(name="root", address="203.0.113.99")):
        for row in (acme, beta, person):
            record(Kind.ACTED, row, detail="here")
        record(Kind.ACTED, Target(type="users.user", id=str(person.pk), project_id=beta.pk), detail="there")
    browser = roles_member("ann", (acme, role), (beta, "viewer"))
    reads = role in ("owner", "security")

    for row, is_there in ((acme, reads), (person, reads), (beta, False)):
        answer = browser.get(f"/admin/{row._meta.label_lower.replace('.', '/')}/{row.pk}/history/")
        assert (answer.status_code == 200) is is_there, row
        assert ("203.0.113.99" in answer.content.decode()) is is_there
        assert "there" not in answer.content.decode().replace("no longer there", "")
    page = browser.get(f"/admin/users/user/{person.pk}/change/").content.decode()
    assert (f"{person.pk}/history/" in page) is reads


def test_an_object_that_is_gone_leads_back(root: Client, acme: Project) -> None:
    row = Domain.objects.create(project=acme, host="login.acme.example")
    answer = root.get(f"/admin/projects/project/{row.pk}/history/")

    assert answer.status_code == 302
