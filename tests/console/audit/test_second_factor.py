"""The audit log of a sign-in with two steps."""

import pytest
from django.core.management import call_command

from audit.kinds import Kind, Outcome
from audit.models import AuditEvent
from tests.console.staff.support import CONFIRM, browser, code, password, prove, sign_in, with_app, wrong
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    return with_app()


def events(kind: Kind) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(kind=kind).order_by("id"))


def test_a_sign_in_is_recorded_when_it_is_complete(root: User) -> None:
    client = browser()
    password(client)
    assert events(Kind.SIGNED_IN) == []

    prove(client, code(root))

    (event,) = events(Kind.SIGNED_IN)
    assert (event.actor_id, event.object_id, event.address) == (root.pk, str(root.pk), "203.0.113.7")


def test_every_wrong_code_of_the_app_is_recorded(root: User) -> None:
    """Without who typed it: they are not that person yet. And without what they typed."""
    client, typed = browser(), wrong(root)
    password(client)

    prove(client, typed)
    prove(client, typed)

    first, second = events(Kind.SIGN_IN_REFUSED)
    assert first.detail == second.detail == "wrong code of the app"
    assert (first.actor_id, first.object_id, first.outcome) == (None, str(root.pk), Outcome.REFUSED)
    assert typed not in str(AuditEvent.objects.values())


@pytest.mark.parametrize(
    ("posted", "detail"),
    [({"code": "wrong-recovery-code"}, "wrong recovery code"), ({"credential": "{}"}, "passkey refused")],
)
def test_what_no_limit_counts_is_recorded_once(posted: dict[str, str], detail: str, root: User) -> None:
    client = browser()
    password(client)

    for _ in range(3):
        client.post("/admin/login/second-factor/", posted)

    assert [event.detail for event in events(Kind.SIGN_IN_REFUSED)] == [detail]


def test_a_refused_confirmation_is_no_refused_sign_in(root: User) -> None:
    client = browser()
    sign_in(client, root)

    prove(client, wrong(root), CONFIRM)

    assert events(Kind.SIGN_IN_REFUSED) == []
    (event,) = [event for event in events(Kind.ACTED) if event.outcome == Outcome.REFUSED]
    assert (event.detail, event.actor_id) == ("wrong code of the app", root.pk)


def test_new_recovery_codes_are_recorded_without_them(root: User) -> None:
    client = browser()
    sign_in(client, root)

    client.post("/admin/security/codes/")

    (event,) = [event for event in events(Kind.ACTED) if event.detail == "recovery codes renewed"]
    assert (event.object_id, event.before, event.after) == (str(root.pk), {}, {})


def test_a_reset_on_the_command_line_is_recorded(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "deploy")

    call_command("reset_second_factor", "root")

    (event,) = [event for event in events(Kind.ACTED) if event.detail == "second factor reset"]
    assert event.object_id == str(root.pk)
    assert event.actor == "manage.py reset_second_factor by deploy"
