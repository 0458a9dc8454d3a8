"""What a role gives: in which projects, and that nothing else gives anything beside it."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from projects.config import ProjectConfig
from projects.models import Project
from tests import factories
from tests.users.members import member
from users.models import Membership, User
from users.roles import PERMISSIONS, Role, group_name

pytestmark = pytest.mark.django_db
EVERY = sorted(set().union(*PERMISSIONS.values()))
APPS = {name.split(".")[0] for name in EVERY}
some_roles = st.sets(st.tuples(st.sampled_from(["acme", "other"]), st.sampled_from(Role)), min_size=1)


@pytest.fixture
def acme() -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def other() -> ProjectConfig:
    return factories.make_project(slug="other", name="Other", is_default=False)


def with_roles(user: User, *roles: tuple[str, str]) -> User:
    """These alone, as the account's next request sees them."""
    user.memberships.all().delete()
    for slug, role in roles:
        Membership.objects.create(user=user, project=Project.objects.get(slug=slug), role=role)
    return User.objects.get(pk=user.pk)


def add_viewers_group(user: User) -> None:
    """And the right to delete people, which no viewer has."""
    group, _ = Group.objects.get_or_create(name=group_name(Role.VIEWER))
    user.groups.add(group)
    user.user_permissions.add(
        Permission.objects.get(content_type__app_label="users", codename="delete_user"),
        Permission.objects.get(content_type__app_label="projects", codename="add_project"),
    )


@given(roles=some_roles)
def test_rights_are_those_of_all_roles_together(
    roles: set[tuple[str, Role]], acme: ProjectConfig, other: ProjectConfig
) -> None:
    user, _ = User.objects.get_or_create(username="ann", is_staff=True)
    user = with_roles(user, *roles)
    wanted = set().union(*(PERMISSIONS[role] for _slug, role in roles))

    assert user.get_all_permissions() == wanted
    assert {name for name in EVERY if user.has_perm(name)} == wanted
    assert {app for app in APPS if user.has_module_perms(app)} == {name.split(".")[0] for name in wanted}


@given(roles=some_roles, name=st.sampled_from(EVERY))
def test_a_right_counts_in_the_projects_of_its_roles(
    roles: set[tuple[str, Role]], name: str, acme: ProjectConfig, other: ProjectConfig
) -> None:
    user, _ = User.objects.get_or_create(username="ann", is_staff=True)
    user = with_roles(user, *roles)

    wanted = {slug for slug, role in roles if name in PERMISSIONS[role]}
    ids = {"acme": acme.id, "other": other.id}
    assert user.projects_with(name) == frozenset(ids[slug] for slug in wanted)
    assert user.projects_with(name, "users.unheard_of") == user.projects_with(name)
    assert user.projects_with() == frozenset()


def test_the_first_role_ends_groups_and_own_rights(acme: ProjectConfig) -> None:
    """And with the last role they are back: the account is one of the whole installation again."""
    user = member()
    add_viewers_group(user)
    before = User.objects.get(pk=user.pk)
    assert before.has_perm("users.delete_user")
    assert before.has_perm("projects.add_project")
    assert before.projects_with("users.delete_user") is None

    user = with_roles(user, ("acme", "support"))
    assert user.get_all_permissions() == PERMISSIONS["support"]
    assert not user.has_perm("users.delete_user")
    assert not user.has_perm("projects.add_project")

    user = with_roles(user)
    assert user.has_perm("users.delete_user")
    assert user.projects_with("users.delete_user") is None


@pytest.mark.parametrize("role", Role)
def test_superusers_may_everything_with_any_role(role: Role, acme: ProjectConfig) -> None:
    user = with_roles(User.objects.create_superuser("root"), ("acme", role))

    assert user.roles == ()
    assert user.has_perms(EVERY)
    assert user.projects_with("users.delete_user") is None


@pytest.mark.parametrize("is_superuser", [False, True])
def test_a_blocked_account_may_nothing(is_superuser: bool, acme: ProjectConfig) -> None:
    user = User.objects.create_user("ann", is_superuser=is_superuser)
    add_viewers_group(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    user = with_roles(user, ("acme", "owner"))

    assert user.get_all_permissions() == set()
    assert not any(user.has_perm(name) for name in EVERY)
    assert not any(user.has_module_perms(app) for app in APPS)


def test_people_have_no_roles(acme: ProjectConfig) -> None:
    """Also where a row of one was written by hand."""
    person = User.objects.create(project_id=acme.id, phone=factories.PHONE)
    person = with_roles(person, ("acme", "owner"))

    assert person.roles == ()
    assert not any(person.has_perm(name) for name in EVERY)


def test_a_role_is_in_a_project_once(acme: ProjectConfig, other: ProjectConfig) -> None:
    user = with_roles(member(), ("acme", "owner"), ("acme", "viewer"), ("other", "owner"))

    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(user=user, project_id=acme.id, role="owner")
    assert user.memberships.count() == 3


@pytest.mark.parametrize("role", Role)
def test_every_right_but_the_owners_is_one_that_an_owner_has(role: Role) -> None:
    assert PERMISSIONS[role] <= PERMISSIONS[Role.OWNER]


@pytest.mark.parametrize("role", Role)
def test_no_role_gives_what_is_the_installations(role: Role) -> None:
    """Making projects, making accounts, giving roles: that would lead out of the own project."""
    beyond = {"projects.add_project", "projects.change_project", "projects.delete_project", "users.add_user"}
    beyond |= {"users.add_membership", "users.change_membership", "auth.add_group", "auth.change_group"}

    assert PERMISSIONS[role].isdisjoint(beyond)
