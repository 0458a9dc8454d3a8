"""Invitations without the pages: who may give what, when a token is right, and what accepting it makes."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone
from pytest_django import Settings

from projects.config import ProjectConfig
from tests import factories
from tests.users.members import member
from users import hashing, invitations
from users.invitations import NotValid
from users.models import Invitation, Membership, User
from users.roles import Role, group_name

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough password"  # made up
NOW = timezone.now()


@pytest.fixture
def acme() -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def other() -> ProjectConfig:
    return factories.make_project(slug="other", name="Other", is_default=False)


def give(user: User, project: ProjectConfig, *roles: Role) -> User:
    """The same account as its next request sees it."""
    for role in roles:
        Membership.objects.create(user=user, project_id=project.id, role=role)
    return User.objects.get(pk=user.pk)


def invite(by: User, project: ProjectConfig, *, name: str = "guest", role: Role = Role.VIEWER) -> str:
    token = invitations.make_token()
    Invitation.objects.create(
        username=name,
        project_id=project.id,
        role=role,
        token_hash=invitations.token_hash(token),
        invited_by=by,
        expires_at=NOW + invitations.LIFE,
    )
    return token


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root")


def refuse(token: str) -> None:
    """Neither to be read nor to be accepted, and without a trace."""
    users, rows = set(User.objects.values_list("pk", "session_salt")), set(Invitation.objects.values_list())
    with pytest.raises(NotValid):
        invitations.find(token, now=NOW)
    with pytest.raises(NotValid):
        invitations.accept(token, password=PASSWORD, now=NOW)
    assert set(User.objects.values_list("pk", "session_salt")) == users
    assert set(Invitation.objects.values_list()) == rows


def test_accepting_makes_an_account_with_one_role(
    acme: ProjectConfig, other: ProjectConfig, root: User
) -> None:
    token = invite(root, acme, role=Role.SUPPORT)

    user = invitations.accept(token, password=PASSWORD, now=NOW)

    assert (user.username, user.is_staff, user.is_superuser) == ("guest", True, False)
    assert user.check_password(PASSWORD)
    assert user.roles == ((acme.id, "support"),)
    assert Invitation.objects.get().used_at == NOW
    refuse(token)


@pytest.mark.parametrize(("seconds", "is_right"), [(-1, True), (0, False), (1, False)])
def test_a_token_lives_forty_eight_hours(
    seconds: int, is_right: bool, acme: ProjectConfig, root: User
) -> None:
    token = invite(root, acme)
    moment = NOW + timedelta(hours=48, seconds=seconds)

    if is_right:
        assert invitations.accept(token, password=PASSWORD, now=moment)
    else:
        with pytest.raises(NotValid):
            invitations.accept(token, password=PASSWORD, now=moment)
        assert not User.objects.filter(username="guest").exists()


@pytest.mark.parametrize("name", ["guest", "\uff47uest"], ids=["the same", "the same once normalised"])
def test_a_name_that_was_taken_meanwhile(name: str, acme: ProjectConfig, root: User) -> None:
    """The invitation is not used up: when the name is free again, it still works."""
    token = invite(root, acme, name=name)
    taken = member("guest")

    with pytest.raises(NotValid):
        invitations.accept(token, password=PASSWORD, now=NOW)
    assert Invitation.objects.get().used_at is None
    assert not taken.memberships.exists()

    taken.delete()
    assert invitations.accept(token, password=PASSWORD, now=NOW).username == "guest"


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_superuser": False}], ids=str)
def test_an_inviter_who_may_no_longer_invite(
    change: dict[str, bool], acme: ProjectConfig, root: User
) -> None:
    token = invite(root, acme)
    User.objects.filter(pk=root.pk).update(**change)

    refuse(token)


def test_an_inviter_whose_role_was_taken(acme: ProjectConfig, other: ProjectConfig) -> None:
    """Being an owner elsewhere is not enough."""
    owner = give(member("owner"), acme, Role.OWNER)
    token = invite(owner, acme)
    assert invitations.find(token, now=NOW).username == "guest"

    Membership.objects.all().delete()
    give(owner, other, Role.OWNER)

    refuse(token)


@pytest.mark.parametrize("text", ["", "x", "\0", "\ud800", "a" * 10_000, "{hash}", " {token}", "{token}\n"])
def test_other_texts_are_no_token(text: str, acme: ProjectConfig, root: User) -> None:
    token = invite(root, acme)

    refuse(text.format(token=token, hash=invitations.token_hash(token)))


def test_tokens_cannot_be_guessed() -> None:
    """A hundred and ninety-two bits, in characters that need no escape in an address."""
    tokens = {invitations.make_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(len(token) == 32 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)


@pytest.mark.parametrize("own", Role)
@pytest.mark.parametrize("role", Role)
def test_owners_alone_invite_and_in_their_own_project(
    own: Role, role: Role, acme: ProjectConfig, other: ProjectConfig
) -> None:
    user = give(member(), acme, own)

    assert invitations.may_give(user, project_id=acme.id, role=role) is (own is Role.OWNER)
    assert not invitations.may_give(user, project_id=other.id, role=role)
    assert not invitations.may_give(user, project_id=uuid.uuid4(), role=role)


def test_roles_of_two_projects_do_not_add_up(acme: ProjectConfig, other: ProjectConfig) -> None:
    user = give(member(), acme, *(role for role in Role if role is not Role.OWNER))
    user = give(user, other, Role.OWNER)

    assert not invitations.may_give(user, project_id=acme.id, role=Role.VIEWER)
    assert invitations.may_give(user, project_id=other.id, role=Role.OWNER)
    user.is_active = False
    assert not invitations.may_give(user, project_id=other.id, role=Role.OWNER)


def test_staff_of_the_installation_give_what_they_have(acme: ProjectConfig) -> None:
    """The right to invite alone gives nothing."""
    user = member()
    right = Permission.objects.get(content_type__app_label="users", codename="add_invitation")
    user.groups.add(Group.objects.get_or_create(name=group_name(Role.SUPPORT))[0])
    assert not invitations.may_give(user, project_id=acme.id, role=Role.SUPPORT)

    user.user_permissions.add(right)
    user = User.objects.get(pk=user.pk)

    given = {role for role in Role if invitations.may_give(user, project_id=acme.id, role=role)}
    assert given == {Role.SUPPORT}


def test_a_busy_machine_uses_no_token_up(acme: ProjectConfig, root: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["users.hashing.BoundedHasher"]
    token = invite(root, acme)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing._slots, "acquire", lambda **_options: False)
        with pytest.raises(hashing.Busy):
            invitations.accept(token, password=PASSWORD, now=NOW)

    assert Invitation.objects.get().used_at is None
    assert not User.objects.filter(username="guest").exists()
    assert invitations.find(token, now=NOW).username == "guest"
