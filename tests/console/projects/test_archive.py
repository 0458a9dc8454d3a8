"""Projects in the archive, and the end of one."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from projects.config import Closed, projects
from projects.models import Domain, Project
from tests import factories
from tests.console.projects.support import LIST, PASSWORD, act, messages_of
from users.models import User

pytestmark = pytest.mark.django_db


def test_a_project_is_archived_and_taken_back(staff: Client, acme: Project, beta: Project) -> None:
    """D12."""
    Domain.objects.create(project=beta, host="login.beta.example")

    assert "Beta is archived." in messages_of(act(staff, "archive", beta))
    assert projects.get().claim_of("login.beta.example").closed is Closed.ARCHIVED
    assert "archived" in staff.get(LIST).content.decode()

    assert "Beta is in use again." in messages_of(act(staff, "restore", beta))
    assert projects.get().claim_of("login.beta.example").project is not None


def test_the_default_project_is_not_archived(staff: Client, acme: Project, beta: Project) -> None:
    """D12: a guard with a sentence."""
    assert "Acme: this is the default project" in messages_of(act(staff, "archive", acme, beta))

    assert not Project.objects.get(pk=acme.pk).archived_at
    assert Project.objects.get(pk=beta.pk).archived_at


def test_viewers_can_neither_archive_nor_delete(client: Client, acme: Project, beta: Project) -> None:
    """D12."""
    viewer = User.objects.create_user("viewer", PASSWORD)
    viewer.user_permissions.add(Permission.objects.get(codename="view_project"))
    client.force_login(viewer)

    act(client, "archive", beta)
    assert client.get(f"{LIST}{beta.pk}/delete/").status_code == 403
    assert client.post(f"{LIST}{beta.pk}/delete/", {"name": "Beta"}).status_code == 403

    beta.refresh_from_db()
    assert beta.archived_at is None


# The end ----------------------------------------------------------------------------------------------


def test_a_project_is_deleted_once_its_name_is_typed(staff: Client, acme: Project, beta: Project) -> None:
    """D12."""
    User.objects.create(project=beta, phone=factories.PHONE)
    address = f"{LIST}{beta.pk}/delete/"

    asked = staff.get(address)
    assert "Type the name of the project to confirm: Beta" in asked.content.decode()
    assert "users: 1" in asked.content.decode()
    for wrong in ({}, {"name": "beta"}, {"name": "Acme"}, {"post": "yes"}):
        assert staff.post(address, wrong).status_code == 400
    assert Project.objects.filter(pk=beta.pk).exists()

    done = staff.post(address, {"name": " Beta "}, follow=True)
    assert "Beta is deleted." in messages_of(done)
    assert not Project.objects.filter(pk=beta.pk).exists()
    assert not User.objects.filter(phone=factories.PHONE).exists()
    assert Project.objects.get() == acme


def test_the_default_project_goes_last(staff: Client, acme: Project, beta: Project) -> None:
    """D12."""
    address = f"{LIST}{acme.pk}/delete/"

    refused = staff.post(address, {"name": "Acme"})
    assert refused.status_code == 400
    assert "This is the default project" in refused.content.decode()
    assert Project.objects.filter(pk=acme.pk).exists()

    beta.delete()
    assert staff.post(address, {"name": "Acme"}).status_code == 302
    assert not Project.objects.exists()


def test_projects_are_not_deleted_from_the_list(staff: Client, acme: Project, beta: Project) -> None:
    """D12."""
    act(staff, "delete_selected", acme, beta)

    assert Project.objects.count() == 2


def test_an_unknown_project_is_none(staff: Client) -> None:
    assert staff.get(f"{LIST}0199a000-0000-7000-8000-000000000000/delete/").status_code == 302
