"""What is saved, deleted and done in the admin is in the audit log, with what was before and after. K6"""

from datetime import date
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client

from audit.models import AuditEvent
from channels.models import Sender
from events.models import EventType
from projects.models import Domain, Project, TestNumber
from tests import factories
from tests.console.client_pages import values as client_values
from tests.console.fresh import freshly
from tests.console.sender_pages import sender_form
from users.models import User


def latest(**wanted: object) -> AuditEvent:
    return AuditEvent.objects.filter(**wanted).latest("id")


def project_form(project: Project, **changes: Any) -> dict[str, Any]:
    """With one inline form for a domain, empty unless `host` names one."""
    domain = project.domains.first()
    form: dict[str, Any] = {
        "name": project.name,
        "slug": project.slug,
        "domains-TOTAL_FORMS": "2",
        "domains-INITIAL_FORMS": "1" if domain else "0",
        "domains-MIN_NUM_FORMS": "0",
        "domains-MAX_NUM_FORMS": "1000",
        "_save": "1",
    }
    if project.is_default:
        form["is_default"] = "on"
    if domain:
        form |= {
            "domains-0-id": str(domain.pk),
            "domains-0-project": str(project.pk),
            "domains-0-host": domain.host,
        }
    return form | changes


def test_an_addition_says_what_there_is_now(root: Client) -> None:
    new = {"name": "Beta", "domain": "login.beta.example", "countries": ["HK"], "verify_phone_by": "sms_only",
           "kind": "page"}  # fmt: skip
    root.post("/admin/projects/project/add/", new)

    event = latest(kind="added", object_type="projects.project")
    project = Project.objects.get(slug="beta")
    assert (event.actor, event.address) == ("root", "203.0.113.7")
    assert event.actor_id == User.objects.get(username="root").pk
    assert (event.object_type, event.object_id, event.object_name) == (
        "projects.project",
        str(project.pk),
        "Beta",
    )
    assert event.project_id == project.pk
    assert event.after["slug"] == "beta"
    assert "archived_at" not in event.after


def test_a_change_says_only_what_changed(root: Client, acme: Project) -> None:
    root.post(f"/admin/projects/project/{acme.pk}/change/", project_form(acme, name="Renamed"))

    event = latest()
    assert (event.kind, event.before, event.after) == ("changed", {"name": "Acme"}, {"name": "Renamed"})


def test_rows_of_inlines_are_part_of_the_change(root: Client, acme: Project) -> None:
    Domain.objects.create(project=acme, host="old.acme.example")
    page = f"/admin/projects/project/{acme.pk}/change/"

    root.post(page, project_form(acme, **{"domains-0-host": "new.acme.example"}))
    changed = latest()
    root.post(page, project_form(acme, **{"domains-0-DELETE": "on"}))
    deleted = latest()

    assert changed.before == {"domain new.acme.example": {"host": "old.acme.example"}}
    assert changed.after == {"domain new.acme.example": {"host": "new.acme.example"}}
    assert deleted.before == {"domain new.acme.example": {"project": "Acme", "host": "new.acme.example"}}
    assert deleted.after == {}


def test_a_form_that_is_refused_leaves_no_event(root: Client, acme: Project) -> None:
    before = AuditEvent.objects.count()
    answer = root.post(f"/admin/projects/project/{acme.pk}/change/", project_form(acme, name=""))

    assert answer.status_code == 200
    assert AuditEvent.objects.count() == before


def test_when_the_event_cannot_be_written_nothing_is_saved(
    root: Client, acme: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction."""

    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("the log is full")

    monkeypatch.setattr("console.history.record", fail)
    with pytest.raises(RuntimeError):
        root.post(f"/admin/projects/project/{acme.pk}/change/", project_form(acme, name="Renamed"))

    acme.refresh_from_db()
    assert acme.name == "Acme"


def test_when_an_action_fails_nothing_of_it_is_left(
    root: Client, acme: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = factories.make_endpoint(
        factories.make_project(slug="b", is_default=False), EventType.SENDER_ALERT
    )

    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("the log is full")

    monkeypatch.setattr("console.history.record_each", fail)
    form = {"action": "renew_secret", "_selected_action": [str(endpoint.pk)]}
    with pytest.raises(RuntimeError):
        root.post("/admin/events/endpoint/", form)

    secret = endpoint.secret
    endpoint.refresh_from_db()
    assert endpoint.secret == secret


def test_a_secret_that_was_typed_is_a_word(root: Client, acme: Project) -> None:
    number = TestNumber.objects.create(
        project=acme, phone="+15005550199", code="424242", until=date(2030, 1, 1)
    )
    form = {"project": str(acme.pk), "phone": "+15005550199", "code": "778899", "until": "2030-02-01"}
    root.post(f"/admin/projects/testnumber/{number.pk}/change/", form)

    event = latest()
    assert event.before == {"until": "2030-01-01", "code": "••••"}
    assert event.after == {"until": "2030-02-01", "code": "changed"}
    assert event.object_name == "••••99"
    assert event.project_id == acme.pk


def test_a_number_that_looks_the_same_when_masked_is_a_change(root: Client, acme: Project) -> None:
    """Whoever takes the place of a test number logs in as it."""
    number = TestNumber.objects.create(
        project=acme, phone="+15005550199", code="424242", until=date(2030, 1, 1)
    )
    form = {"project": str(acme.pk), "phone": "+85291234599", "code": "778899", "until": "2030-01-01"}
    page = root.post(f"/admin/projects/testnumber/{number.pk}/change/", form)

    assert page.status_code == 302
    event = latest()
    assert event.before == {"phone": "••••99", "code": "••••"}
    assert event.after == {"phone": "••••99", "code": "changed"}
    written = str(list(AuditEvent.objects.values()))
    assert not [text for text in ("1500555", "8529123", "424242", "778899") if text in written]


def test_an_address_at_the_end_of_a_long_list_is_in_the_event(root: Client) -> None:
    project = factories.make_project(slug="b", is_default=False)
    many = [f"https://shop{number}.acme.example/callback" for number in range(60)]
    client = factories.make_client(project, redirect_uris="\n".join(many))
    stranger, changed = "https://stranger.example/callback", [*many[:-1], "https://new.acme.example/callback"]

    for uris in ([*many, stranger], [*many[1:], stranger], changed):
        form = client_values(project, client_id=client.client_id, redirect_uris="\n".join(uris))
        page = f"/admin/oidc/client/{client.pk}/change/"
        assert root.post(page, form | {"client_type": "public"}).status_code == 302

    added, replaced, last = AuditEvent.objects.filter(kind="changed").order_by("id")
    assert (added.before["redirect_uris"], added.after["redirect_uris"]) == ("…", f"…\n{stranger}")
    assert (replaced.before["redirect_uris"], replaced.after["redirect_uris"]) == (f"…\n{many[0]}", "…")
    assert last.before["redirect_uris"] == f"…\n{many[-1]}\n{stranger}"
    assert last.after["redirect_uris"] == f"…\n{many[0]}\nhttps://new.acme.example/callback"


def test_a_new_client_has_all_its_addresses_in_the_event(root: Client) -> None:
    project = factories.make_project(slug="b", is_default=False)
    uris = [f"https://shop{number}.acme.example/callback" for number in range(60)]
    form = client_values(project, redirect_uris="\n".join(uris))
    assert root.post("/admin/oidc/client/add/", form).status_code == 302

    assert latest(kind="added").after["redirect_uris"].split() == uris


def test_a_senders_secrets_are_named_and_never_held(root: Client, acme: Project) -> None:
    values = {"project": str(acme.pk), "channel": "sms", "provider": "twilio", "is_active": "on", "priority": "1",
              "account_sid": "AC" + "0" * 31 + "1", "auth_token": "the-first-secret", "from_number": "+15005550006"}  # fmt: skip
    root.post("/admin/channels/sender/add/", sender_form(values))
    sender = Sender.objects.get(provider="twilio")
    added = latest(object_id=str(sender.pk))
    assert added.after["twilio_auth_token"] == "changed"
    assert added.after["settings"]["account_sid"] == values["account_sid"]

    page = f"/admin/channels/sender/{sender.pk}/change/"
    root.post(page, sender_form(values | {"auth_token": "the-second-secret"}))
    changed = latest(object_id=str(sender.pk))
    root.post(page, sender_form(values | {"auth_token": "a-third-secret", "delete_secrets": ["auth_token"]}))

    assert (changed.before, changed.after) == (
        {"twilio_auth_token": "••••"},
        {"twilio_auth_token": "changed"},
    )
    written = str(list(AuditEvent.objects.values()))
    for secret in ("the-first-secret", "the-second-secret", "a-third-secret"):
        assert secret not in written


def test_rights_of_staff_are_named(root: Client) -> None:
    """Who got which group is the question that an audit log is asked."""
    user = User.objects.create_user("support", "a long enough password")
    group = Group.objects.create(name="security")
    right = Permission.objects.get(codename="view_sender")
    no_roles = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    form = {"username": "support", "is_active": "on", "groups": [group.pk], "user_permissions": [right.pk]}
    form |= no_roles
    freshly(root).post(f"/admin/users/user/{user.pk}/change/", form)

    event = latest()
    assert event.object_name == "support"
    assert (event.before["groups"], event.after["groups"]) == ([], ["security"])
    assert (event.before["user_permissions"], event.after["user_permissions"]) == ([], ["view_sender"])


def test_a_password_set_by_another_is_recorded_without_it(root: Client) -> None:
    user = User.objects.create_user("support", "a long enough password")
    form = {
        "password1": "another long password",
        "password2": "another long password",
        "usable_password": "true",
    }
    freshly(root).post(f"/admin/users/user/{user.pk}/password/", form)

    user.refresh_from_db()
    event = latest()
    assert user.check_password("another long password")
    assert (event.kind, event.after) == ("changed", {"password": "changed"})
    assert "another long" not in str(AuditEvent.objects.values())


def test_a_new_member_of_staff(root: Client) -> None:
    form = {"username": "support", "password1": "another long password", "password2": "another long password"}
    freshly(root).post("/admin/users/user/add/", form | {"usable_password": "true"})

    event = latest()
    assert (event.kind, event.object_name) == ("added", "support")
    assert (event.after["is_staff"], event.after["password"]) == (True, "changed")
    assert "another long" not in str(AuditEvent.objects.values())


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_deletion_says_what_there_was(root: Client, acme: Project, way: str) -> None:
    number = TestNumber.objects.create(
        project=acme, phone="+15005550199", code="424242", until=date(2030, 1, 1)
    )
    if way == "page":
        root.post(f"/admin/projects/testnumber/{number.pk}/delete/", {"post": "yes"})
    else:
        form = {"action": "delete_selected", "_selected_action": [str(number.pk)], "post": "yes"}
        root.post("/admin/projects/testnumber/", form)

    assert not TestNumber.objects.exists()
    event = AuditEvent.objects.get(kind="deleted")
    assert event.before == {"project": "Acme", "phone": "••••99", "until": "2030-01-01"}
    assert event.after == {}


def test_djangos_own_log_stays_empty(root: Client, acme: Project) -> None:
    root.post(f"/admin/projects/project/{acme.pk}/change/", project_form(acme, name="Renamed"))

    assert latest().kind == "changed"
    assert not LogEntry.objects.exists()
