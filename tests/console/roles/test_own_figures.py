"""What a role opens in its project and not in another: figures, the set-up list, rehearsals, exports, acts on people."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from audit.models import AuditEvent
from channels.models import Outcome, Rehearsal
from console.people_acts import ACTS
from otp.models import Challenge
from stats.models import LoginRollup
from tests.console.roles.support import signed_in
from tests.console.roles.tenants import Tenant, member
from users.models import User

PEOPLE = "/admin/users/user/"


def body(answer: Any) -> str:
    parts = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(parts.decode())


def owner_and(acme: Tenant, other: Tenant, role: str) -> Browser:
    """Owner of the one project, with a smaller role in the other."""
    return member("staff", (acme.project, "owner"), (other.project, role))


# Figures --------------------------------------------------------------------------------------------


def count_logins(tenant: Tenant, number: int) -> None:
    hour = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    LoginRollup.objects.create(
        hour=hour, project=tenant.project, started=number, verified=number, fell_back=0
    )


def logged_in_before(tenant: Tenant) -> None:
    """From the first login on the index shows figures, and no set-up list."""
    User.objects.create(project=tenant.project, phone="+85251234567", last_login=timezone.now())


def logins(browser: Browser, question: str = "") -> Any:
    today = datetime.now(UTC).date()
    span = f"?from={today - timedelta(days=1)}&to={today}"
    return browser.get(f"/admin/figures/logins.csv{span}{question}")


def test_figures_are_those_of_the_own_project(acme: Tenant, other: Tenant) -> None:
    count_logins(acme, 41)
    count_logins(other, 6300)
    logged_in_before(acme)
    browser = member("staff", (acme.project, "viewer"))

    own, everybody = body(logins(browser)), body(logins(signed_in("superuser")))
    foreign = logins(browser, f"&project={other.project.pk}")

    assert ",41" in own
    assert "6300" not in own
    assert "6341" in everybody
    assert foreign.status_code == 400
    page = browser.get("/admin/").content.decode()
    assert str(acme.project.pk) in page
    assert str(other.project.pk) not in page


def test_a_role_without_figures_gets_none(acme: Tenant, other: Tenant) -> None:
    """Nor those of the project in which the role is smaller."""
    assert logins(member("support", (acme.project, "support"))).status_code == 403

    both = owner_and(acme, other, "support")
    count_logins(other, 6300)
    assert "6300" not in body(logins(both))
    assert logins(both, f"&project={other.project.pk}").status_code == 400


def test_the_set_up_list_is_that_of_the_own_project(acme: Tenant, other: Tenant) -> None:
    """Not of the default project, which is another's."""
    page = member("staff", (other.project, "operator")).get("/admin/setup/").content.decode()

    assert "zenith products" in page
    assert "acme products" not in page


# Rehearsals -----------------------------------------------------------------------------------------


def test_nobody_rehearses_in_another_project(acme: Tenant, other: Tenant) -> None:
    browser = owner_and(acme, other, "security")
    form = {"whatsapp": Outcome.DELIVERED.value, "sms": Outcome.SILENT.value}
    before = Rehearsal.objects.count()

    page = browser.get("/admin/channels/rehearsal/").content.decode()
    browser.post("/admin/channels/rehearsal/start/", form | {"project": str(other.project.pk)})
    assert Rehearsal.objects.count() == before
    browser.post("/admin/channels/rehearsal/start/", form | {"project": str(acme.project.pk)})

    assert "zenith products" not in page
    assert Rehearsal.objects.count() == before + 1
    assert Rehearsal.objects.latest("started_at").project_id == acme.project.pk


def test_a_rehearsal_ends_with_the_role(acme: Tenant) -> None:
    browser = member("staff", (acme.project, "operator"))
    form = {"whatsapp": "delivered", "sms": "silent", "project": str(acme.project.pk)}
    phone = browser.post("/admin/channels/rehearsal/start/", form).headers["Location"]
    assert browser.get(phone).status_code == 200

    User.objects.get(username="staff").memberships.update(role="viewer")

    assert browser.get(phone).status_code == 403


# Exports --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [AuditEvent, Challenge])
def test_a_download_has_the_projects_that_may_be_downloaded(
    model: type[AuditEvent | Challenge], acme: Tenant, other: Tenant
) -> None:
    """The list also shows the other project, where the role is smaller."""
    role = "security" if model is Challenge else "viewer"
    page = f"/admin/{model._meta.app_label}/{model._meta.model_name}/export/"

    taken = body(owner_and(acme, other, role).post(page))

    assert "acme" in taken
    assert "zenith" not in taken
    assert member("viewer", (acme.project, "viewer")).post(page).status_code == 403


# People ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ACTS))
def test_an_act_needs_its_right_in_the_persons_project(name: str, acme: Tenant, other: Tenant) -> None:
    """Security may block there, and neither move, merge nor erase."""
    browser = owner_and(acme, other, "security")
    may_there = ACTS[name].permission == "change_user"
    here, there = (f"{PEOPLE}{tenant.rows[User].pk}/act/{name}/" for tenant in (acme, other))

    assert browser.get(here).status_code == 200
    assert browser.get(there).status_code == (200 if may_there else 403)
    if not may_there:
        assert browser.post(there, {"number": "+85291234509", "confirmed": "x"}).status_code == 403
        page = browser.get(f"{PEOPLE}{other.rows[User].pk}/change/").content.decode()
        assert f"/act/{name}/" not in page


@pytest.mark.parametrize("model", [User, Challenge])
def test_a_number_is_revealed_in_the_own_project(model: type[Any], acme: Tenant, other: Tenant) -> None:
    browser = owner_and(acme, other, "support")
    here, there = (
        f"/admin/{model._meta.app_label}/{model._meta.model_name}/{tenant.rows[model].pk}/reveal/"
        for tenant in (acme, other)
    )

    assert browser.post(here).status_code == 302
    assert browser.post(there).status_code == 403


def test_a_part_of_a_number_finds_the_own_people(acme: Tenant, other: Tenant) -> None:
    """Where numbers stay masked, a search would read them digit by digit."""
    page = owner_and(acme, other, "support").get(f"{PEOPLE}?q=852912345").content.decode()

    assert str(acme.rows[User].pk) in page
    assert str(other.rows[User].pk) not in page
