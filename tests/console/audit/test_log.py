"""The page of the audit log: listed, searched, filtered, read; never changed."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from audit.actors import Actor, acting
from audit.kinds import Kind, Outcome
from audit.models import AuditEvent
from audit.record import Target, record
from console.projects import ProjectAdmin
from projects.models import Project
from tests import factories
from tests.console.roles.support import signed_in
from tests.statements import statements
from users.models import User

LIST = "/admin/audit/auditevent/"
ROOT = Actor(name="alice", user_id=UUID(int=7), address="203.0.113.7")


def listed(browser: Client, query: str = "") -> list[AuditEvent]:
    page = browser.get(f"{LIST}?{query}", follow=True)
    assert page.status_code == 200
    return list(page.context["cl"].result_list)


@pytest.fixture
def events(acme: Project) -> list[AuditEvent]:
    """Of two actors, two projects, two kinds."""
    beta = Project.objects.get(
        id=factories.make_project(slug="beta", name="Beta", is_default=False, senders=False).id
    )
    with acting(lambda: ROOT):
        changed = record(Kind.CHANGED, acme, before={"name": "Old"}, after={"name": "Acme"})
    with acting(lambda: Actor(name="bob")):
        archived = record(Kind.PROJECT_ARCHIVED, beta)
    return [changed, archived, record(Kind.SIGN_IN_REFUSED, outcome=Outcome.REFUSED)]


def test_the_newest_stand_first_with_all_that_is_known(
    root: Client, events: list[AuditEvent], acme: Project
) -> None:
    page = root.get(LIST).content.decode()

    assert [event.id for event in listed(root)] == [event.id for event in reversed(events)]
    for text in (
        "alice",
        "changed",
        "203.0.113.7",
        "bob",
        "archived",
        "was refused at the sign-in",
        "refused",
    ):
        assert text in page
    assert f'href="/admin/projects/project/{acme.pk}/change/">Project Acme</a>' in page


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=alice", [0]),
        ("q=ali", []),
        ("q=Beta", [1]),
        ("q=Bet", []),
        ("q=%20Beta%20", [1]),
        ("q=", [2, 1, 0]),
        ("kind=changed", [0]),
        ("kind=no.such", [2, 1, 0]),
        ("outcome__exact=refused", [2]),
        ("project=acme", [0]),
        ("project=junk", [2, 1, 0]),
        ("q=alice&kind=project.archived", []),
    ],
)
def test_search_and_filters(
    root: Client, events: list[AuditEvent], acme: Project, query: str, wanted: list[int]
) -> None:
    """Exact: part of a name matches nothing."""
    query = query.replace("project=acme", f"project={acme.pk}")

    assert [event.id for event in listed(root, query)] == [events[number].id for number in wanted]


@pytest.mark.parametrize("query", ["at__gte=bogus", "at__lt=bogus"])
def test_a_wrong_filter_leads_to_the_whole_list(root: Client, events: list[AuditEvent], query: str) -> None:
    """As on Django's own lists."""
    assert root.get(f"{LIST}?{query}")["Location"] == f"{LIST}?e=1"


def test_an_object_is_found_by_its_id(root: Client, events: list[AuditEvent], acme: Project) -> None:
    assert listed(root, f"q={acme.pk}") == [events[0]]


def test_a_person_is_found_by_any_spelling_of_the_number(root: Client, acme: Project) -> None:
    """Though no event holds it."""
    person = User.objects.create(project=acme, phone=factories.PHONE)
    event = record(Kind.BLOCKED, person)
    record(Kind.BLOCKED, User.objects.create(project=acme, phone=factories.OTHER_PHONE))

    assert listed(root, f"q={factories.PHONE.replace('+', '%2B')}") == [event]
    assert listed(root, f"q=00{factories.PHONE[1:4]}%20{factories.PHONE[4:]}") == [event]
    assert listed(root, "q=%2B85290000000") == []


def test_days_are_chosen(root: Client, events: list[AuditEvent]) -> None:
    day = timezone.now() + timedelta(days=1)
    query = f"at__gte={day:%Y-%m-%d}+00%3A00%3A00%2B00%3A00&at__lt=2100-01-01+00%3A00%3A00%2B00%3A00"

    assert listed(root, query) == []
    assert len(listed(root, query.replace(f"{day:%Y-%m-%d}", "2020-01-01"))) == 3


def test_an_event_shows_fields_side_by_side_by_their_names(root: Client, events: list[AuditEvent]) -> None:
    page = root.get(f"{LIST}{events[0].pk}/change/").content.decode()

    rows = re.findall(r'<th scope="row"[^>]*>(.*?)</th>\s*<td[^>]*>(.*?)</td>\s*<td[^>]*>(.*?)</td>', page)
    assert rows == [("Name", "Old", "Acme")]
    assert "203.0.113.7" in page
    assert "This event has no values." in root.get(f"{LIST}{events[1].pk}/change/").content.decode()


def test_values_cannot_become_markup(root: Client, acme: Project) -> None:
    evil = "<script>alert(1)</script>"
    with acting(lambda: Actor(name=evil)):
        event = record(
            Kind.ACTED, Target(type=evil, id=evil, name=evil), detail=evil, after={evil: [evil, {evil: 1}]}
        )

    for page in (LIST, f"{LIST}{event.pk}/change/"):
        assert evil not in root.get(page).content.decode()


def test_a_deleted_object_has_no_link(root: Client, acme: Project) -> None:
    record(Kind.DELETED, acme)

    assert f"/projects/project/{acme.pk}/change/" not in root.get(LIST).content.decode()


def test_a_project_that_is_gone_has_its_id(root: Client) -> None:
    record(Kind.CHANGED, Target(type="x.y", id="1", project_id=UUID(int=9)))

    assert str(UUID(int=9)) in root.get(LIST).content.decode()


def test_only_projects_that_the_reader_may_see_are_named(
    root: Client, events: list[AuditEvent], acme: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the page of projects shows them. K8"""
    monkeypatch.setattr(
        ProjectAdmin, "get_queryset", lambda _page, _request: Project.objects.filter(slug="beta")
    )

    changes = root.get(LIST).context["cl"]
    (names,) = [spec.lookup_choices for spec in changes.filter_specs if spec.title == "project"]
    assert [name for _key, name in names] == ["Beta"]
    assert [event.project_name for event in changes.result_list] == ["", "Beta", ""]
    assert len(listed(root, f"project={acme.pk}")) == 3


def test_nobody_changes_the_log(root: Client, events: list[AuditEvent]) -> None:
    """A superuser neither."""
    page = f"{LIST}{events[0].pk}/"
    assert root.get(f"{LIST}add/").status_code == 403
    assert root.post(f"{page}change/", {"actor": "nobody"}).status_code == 403
    assert root.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    root.post(LIST, {"action": "delete_selected", "_selected_action": [str(events[0].pk)], "post": "yes"})

    assert set(AuditEvent.objects.values_list("pk", "actor")) == {(event.pk, event.actor) for event in events}


def test_who_may_not_see_it_does_not(member: Callable[..., Client], events: list[AuditEvent]) -> None:
    other, reader = member("view_project"), member("view_auditevent")

    for page in (LIST, f"{LIST}{events[0].pk}/change/", f"{LIST}{events[0].pk}/history/"):
        assert other.get(page).status_code == 403
        assert reader.get(page).status_code == 200
        assert signed_in("anonymous").get(page).status_code == 302


@pytest.mark.parametrize("count", [1, 200])
def test_pages_cost_few_statements_however_many_events(root: Client, acme: Project, count: int) -> None:
    for _ in range(count):
        event = record(Kind.CHANGED, acme, before={"name": "Old"}, after={"name": "Acme"})
    root.get(LIST)
    for page in (
        LIST,
        f"{LIST}?q=Acme",
        f"{LIST}{event.pk}/change/",
        f"/admin/projects/project/{acme.pk}/history/",
    ):
        with statements() as sent:
            assert root.get(page).status_code == 200
        assert len(sent) <= 15, (page, sent)
