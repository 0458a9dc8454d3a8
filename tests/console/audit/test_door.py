"""Sign-ins of staff in the audit log: successes, refusals, ends, passwords; nothing that was typed. K1, K6"""

import pytest
from django.test import Client

from audit.models import AuditEvent
from tests.console.staff_login.support import ELSEWHERE, HOME, PASSWORD, log_in
from tests.login.conftest import Browser
from users.models import User


@pytest.fixture
def support(db: None) -> User:
    return User.objects.create_user("support", PASSWORD)


def events() -> list[tuple[str, str, str, str]]:
    rows = AuditEvent.objects.order_by("id").values_list("kind", "actor", "object_name", "outcome")
    return list(rows)


def test_a_sign_in_and_its_end(support: User) -> None:
    support_browser = Client()
    log_in(support_browser, "support")
    support_browser.post("/admin/logout/")

    assert events() == [
        ("staff.signed_in", "support", "support", "done"),
        ("staff.signed_out", "support", "support", "done"),
    ]
    assert AuditEvent.objects.earliest("id").address == HOME


def test_a_wrong_password_names_the_account_but_nobody_as_the_actor(support: User) -> None:
    log_in(Client(), "support", "wrong password")

    event = AuditEvent.objects.get()
    assert (event.kind, event.outcome, event.detail) == ("staff.sign_in_refused", "refused", "refused")
    assert (event.actor, event.actor_id, event.object_id) == ("", None, str(support.pk))
    assert event.address == HOME


def test_only_looking_at_the_address_signs_nobody_out(support: User) -> None:
    browser = Client()
    log_in(browser, "support")

    assert browser.get("/admin/logout/").status_code == 405

    assert [kind for kind, *_ in events()] == ["staff.signed_in"]


@pytest.mark.parametrize("typed", ["ｓupport", " support ", "support\u3000"])  # what is tested
def test_another_spelling_of_the_name_names_the_account_too(typed: str, support: User) -> None:
    log_in(Client(), typed, "wrong password")

    event = AuditEvent.objects.get()
    assert (event.object_id, event.object_name) == (str(support.pk), "support")


@pytest.mark.parametrize("typed", ["a long enough password", "nobody", "nul\x00", "+85251234567"])
def test_what_was_typed_as_a_name_is_not_kept(support: User, typed: str) -> None:
    """People type passwords into the wrong field."""
    log_in(Client(), typed, "wrong password")

    event = AuditEvent.objects.get()
    assert (event.object_id, event.object_name, event.actor) == ("", "", "")
    assert "nobody" not in str(AuditEvent.objects.values())
    assert PASSWORD not in str(AuditEvent.objects.values())


def test_refusals_that_cost_nothing_are_recorded_once_in_a_while(support: User) -> None:
    """So strangers cannot fill the table faster than the limits let them guess."""
    for _ in range(40):
        log_in(Client(), "support", "wrong password")

    limited = AuditEvent.objects.filter(detail="limited")
    assert limited.count() == 1
    assert AuditEvent.objects.filter(detail="refused").count() == 10
    log_in(Client(), "support", "wrong password", address=ELSEWHERE)
    assert limited.count() == 2


def test_a_network_of_addresses_cannot_fill_the_table(support: User) -> None:
    """Each post from another address of a /64, refused without a hash."""
    for number in range(60):
        log_in(Client(), "support", "wrong password", address=f"2001:db8:1:2::{number:x}")

    assert AuditEvent.objects.filter(detail="limited").count() == 20
    assert AuditEvent.objects.filter(detail="refused").count() == 10


def test_a_password_of_ones_own(support: User) -> None:
    support_browser = Client()
    log_in(support_browser, "support")
    new = "another long password"
    form = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    support_browser.post("/admin/password_change/", form)
    support_browser.post("/admin/password_change/", form | {"old_password": PASSWORD})

    assert [row[0] for row in events()[1:]] == ["staff.password_refused", "staff.password_changed"]
    assert AuditEvent.objects.latest("id").after == {"password": "changed"}
    assert new not in str(AuditEvent.objects.values())


def test_signing_out_without_a_session_is_no_event(support: User) -> None:
    Client().post("/admin/logout/")

    assert not AuditEvent.objects.exists()


def test_people_are_not_in_the_audit_log(browser: Browser) -> None:
    """Their logins have records of their own."""
    browser.sign_in()
    browser.client.post("/logout/")

    assert not AuditEvent.objects.exclude(kind="key.created").exists()


def test_an_address_that_is_none_is_left_out(support: User) -> None:
    """A socket file has no address."""
    log_in(Client(), "support", address="unix:")

    assert AuditEvent.objects.get().address is None
