"""Senders by name, and the routes that name them: what serves a project, and what a route would lose."""

from typing import Any

import pytest

from channels import validation
from channels.models import Sender
from projects.models import LoginMethods, Project
from tests import factories

pytestmark = pytest.mark.django_db
INDIA: dict[str, Any] = {"countries": ["IN"], "order": ["whatsapp", "sms"], "sender": "india"}


def project(slug: str, *routes: dict[str, Any]) -> Project:
    config = factories.make_project(
        slug=slug, name=slug.title(), is_default=slug == "acme", senders=False, routing=list(routes)
    )
    return Project.objects.get(id=config.id)


def methods(owner: Project) -> LoginMethods:
    return LoginMethods.objects.get(project=owner)


def test_a_project_can_name_its_own_and_the_shared_ones() -> None:
    acme, beta = project("acme"), project("beta")
    factories.make_sender("sms", name="shared")
    factories.make_sender("whatsapp", acme, name="own")
    factories.make_sender("sms", beta, name="foreign")
    factories.make_sender("sms", acme, name="off", is_active=False)
    factories.make_sender("sms", acme)

    assert validation.named_senders(acme.id) == {"shared": "sms", "own": "whatsapp"}
    assert validation.named_senders(None) == {"shared": "sms"}


def test_an_own_one_counts_before_a_shared_one_of_the_same_name() -> None:
    acme = project("acme")
    factories.make_sender("whatsapp", acme, name="india")
    factories.make_sender("sms", name="india")

    assert validation.named_senders(acme.id) == {"india": "whatsapp"}


def test_only_the_senders_of_routes_are_looked_at() -> None:
    acme = project("acme", INDIA | {"order": ["pigeon"], "countries": []}, INDIA | {"countries": ["HK"]})

    assert [number for number, _problem in validation.route_problems(methods(acme))] == [0, 1]
    factories.make_sender("whatsapp", name="india")
    assert validation.route_problems(methods(acme)) == [
        (0, "india sends whatsapp, which is not in the order")
    ]


@pytest.mark.parametrize("is_shared", [True, False])
def test_routes_that_name_a_sender(is_shared: bool) -> None:
    acme, _other = project("acme", INDIA), project("beta")
    row = factories.make_sender("whatsapp", None if is_shared else acme, name="india")

    assert validation.routes_naming(row) == ["Acme"]


def test_a_shared_sender_may_be_named_by_every_project_and_an_own_one_by_its_own() -> None:
    acme, _beta = project("acme", INDIA), project("beta", INDIA)
    shared = factories.make_sender("whatsapp", name="india")
    assert validation.routes_naming(shared) == ["Acme", "Beta"]

    own = factories.make_sender("whatsapp", acme, name="india")
    assert validation.routes_naming(shared) == ["Beta"]  # Acme has its own of this name
    assert validation.routes_naming(own) == []  # the shared one takes its place


@pytest.mark.parametrize("changes", [{"name": ""}, {"name": "other"}, {"is_active": False}])
def test_what_no_route_can_mean_is_named_by_none(changes: dict[str, Any]) -> None:
    project("acme", INDIA)
    row = factories.make_sender("whatsapp", **({"name": "india"} | changes))

    assert validation.routes_naming(row) == []


def test_a_new_sender_comes_behind_the_others_of_its_place() -> None:
    acme = project("acme")
    assert validation.next_priority(acme, "sms") == 1
    factories.make_sender("sms", acme, priority=7)
    factories.make_sender("sms", acme, priority=90, is_active=False)
    factories.make_sender("sms", priority=50)

    assert validation.next_priority(acme, "sms") == 8
    assert validation.next_priority(None, "sms") == 51
    assert validation.next_priority(acme, "whatsapp") == 1
    Sender.objects.filter(project=acme).update(priority=1000)
    assert validation.next_priority(acme, "sms") == 1000


@pytest.mark.parametrize(
    ("name", "is_right"),
    [
        ("", True),
        ("india", True),
        ("-x_9", True),
        ("x" * 40, True),
        ("x" * 41, False),
        ("a b", False),
        ("é", False),
    ],
)
def test_what_a_name_is(name: str, is_right: bool) -> None:
    assert (validation.name_problem(name) == "") is is_right
