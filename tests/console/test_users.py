"""Admin access, and users and projects in the admin."""

import pytest
from django.test import Client

from projects.config import ProjectConfig, projects
from projects.models import Project
from tests import factories
from users.models import User

PASSWORD = "a long enough password"  # made up


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def staff(client: Client, project: ProjectConfig) -> Client:
    User.objects.create_superuser("admin", PASSWORD)
    client.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    return client


# Who may enter --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/projects/loginmethods/",
        "/admin/channels/sender/",
        "/admin/otp/challenge/",
        "/admin/users/user/",
    ],
)
@pytest.mark.django_db
def test_the_admin_needs_a_password(path: str, client: Client) -> None:
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_a_person_who_logged_in_with_a_phone_does_not_enter(client: Client, project: ProjectConfig) -> None:
    """K1."""
    person = User.objects.create(project_id=project.id, phone=factories.PHONE)
    client.force_login(person)

    assert client.get("/admin/otp/challenge/").status_code == 302


def test_a_wrong_password_does_not_enter(client: Client, project: ProjectConfig) -> None:
    User.objects.create_superuser("admin", PASSWORD)

    client.post("/admin/login/", {"username": "admin", "password": "wrong"})

    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "/admin/", "/admin/channels/sender/", "/admin/channels/sender/add/", "/admin/otp/challenge/", "/admin/users/user/",
        "/admin/users/user/add/", "/admin/projects/project/", "/admin/projects/project/add/",
        "/admin/projects/testnumber/", "/admin/projects/testnumber/add/",
    ],
)  # fmt: skip
def test_every_page_opens(path: str, staff: Client) -> None:
    assert staff.get(path).status_code == 200


def test_the_admin_keeps_a_policy_of_its_own_and_cannot_be_framed(staff: Client) -> None:
    """G1."""
    policy = staff.get("/admin/")["Content-Security-Policy"]

    assert "frame-ancestors 'none'" in policy
    assert "object-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe-eval" not in staff.get("/login/")["Content-Security-Policy"]


# Users and projects ---------------------------------------------------------------------------------


@pytest.fixture
def person(project: ProjectConfig) -> User:
    return User.objects.create(project_id=project.id, phone=factories.PHONE)


@pytest.mark.parametrize("term", [factories.PHONE, "+852 5123 4567"])
def test_people_are_found_by_their_number_and_shown_masked(term: str, person: User, staff: Client) -> None:
    answer = staff.get("/admin/users/user/", {"q": term})

    assert answer.context["cl"].result_count == 1
    assert "••67" in answer.content.decode()
    assert factories.PHONE not in answer.content.decode().replace(f'value="{term}"', "")


@pytest.mark.parametrize(("action", "active"), [("block", False), ("unblock", True)])
def test_people_are_blocked_and_signed_out(
    action: str, active: bool, person: User, staff: Client
) -> None:  # a table
    """F6."""
    salt = person.session_salt

    staff.post("/admin/users/user/", {"action": action, "_selected_action": [str(person.id)]})

    person.refresh_from_db()
    assert person.is_active is active
    assert person.session_salt != salt


def test_all_sessions_of_a_person_are_ended(person: User, staff: Client) -> None:
    """F7."""
    salt = person.session_salt

    staff.post("/admin/users/user/", {"action": "end_sessions", "_selected_action": [str(person.id)]})

    person.refresh_from_db()
    assert person.session_salt != salt
    assert person.is_active


NO_ROLES = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def test_staff_who_are_blocked_in_the_form_stay_signed_out(staff: Client) -> None:
    """Also once they are unblocked: whoever has the stolen session is not let in again."""
    helper = User.objects.create_user("helper", PASSWORD)
    browser = Client()
    browser.post("/admin/login/", {"username": "helper", "password": PASSWORD})
    form = {"username": "helper", **NO_ROLES}
    page = f"/admin/users/user/{helper.pk}/change/"
    assert browser.get("/admin/").status_code == 200

    assert staff.post(page, form).status_code == 302
    assert browser.get("/admin/").status_code == 302
    assert staff.post(page, form | {"is_active": "on"}).status_code == 302

    helper.refresh_from_db()
    assert helper.is_active
    assert browser.get("/admin/").status_code == 302
    browser.post("/admin/login/", {"username": "helper", "password": PASSWORD})
    assert browser.get("/admin/").status_code == 200


def test_a_session_that_was_only_asleep_does_not_wake_when_staff_are_unblocked(staff: Client) -> None:
    """Of staff whom a row without a new salt blocked."""
    helper = User.objects.create_user("helper", PASSWORD)
    browser = Client()
    browser.force_login(helper)
    User.objects.filter(pk=helper.pk).update(is_active=False)

    staff.post(
        f"/admin/users/user/{helper.pk}/change/", {"username": "helper", "is_active": "on", **NO_ROLES}
    )

    helper.refresh_from_db()
    assert helper.is_active
    assert browser.get("/admin/").status_code == 302


def test_another_change_of_staff_ends_no_session(staff: Client) -> None:
    helper = User.objects.create_user("helper", PASSWORD)
    browser = Client()
    browser.force_login(helper)
    form = {"username": "renamed", "is_active": "on", **NO_ROLES}

    staff.post(f"/admin/users/user/{helper.pk}/change/", form)

    helper.refresh_from_db()
    assert helper.username == "renamed"
    assert browser.get("/admin/").status_code == 200


def test_a_persons_number_cannot_be_edited(person: User, staff: Client) -> None:
    staff.post(f"/admin/users/user/{person.id}/change/", {"phone": factories.OTHER_PHONE, "is_staff": "on"})

    person.refresh_from_db()
    assert (person.phone, person.is_staff) == (factories.PHONE, False)


def test_staff_are_made_with_a_password(staff: Client) -> None:
    staff.post("/admin/users/user/add/", {"username": "helper", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"})  # fmt: skip

    helper = User.objects.get(username="helper")
    assert helper.is_staff
    assert not helper.is_superuser
    assert helper.check_password(PASSWORD)


def test_a_project_can_be_renamed(staff: Client, project: ProjectConfig) -> None:
    values = {
        "name": "New name", "slug": "acme", "is_default": "on",
        "domains-TOTAL_FORMS": "1", "domains-INITIAL_FORMS": "0", "domains-0-host": "login.acme.example",
    }  # fmt: skip

    staff.post(f"/admin/projects/project/{project.id}/change/", values)

    assert Project.objects.get().name == "New name"
    assert projects.get().claim_of("login.acme.example").project.name == "New name"  # type: ignore[union-attr] # just saved
