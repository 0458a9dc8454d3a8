"""What a member of staff does to factors and sessions, and the event of it, are both there or neither."""

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from django.test import Client

from audit.models import AuditEvent
from console import staff_audit
from login.models import Session
from projects.models import Project
from tests.console.staff.authenticator import Authenticator
from tests.console.staff.support import (
    SECURITY,
    add_passkey,
    browser,
    new_recovery_codes,
    shown_secret,
    sign_in,
)
from tests.console.staff.test_invitations import accept, invite
from users.models import Invitation, Membership, Passkey, RecoveryCode, Totp, User

type Act = Callable[[Client], Any]


def _stored() -> list[Any]:
    """Everything that the acts change."""
    users = User.objects.order_by("pk").values_list("pk", "username", "session_salt")
    totps = Totp.objects.order_by("pk").values_list("pk", "is_confirmed")
    codes = RecoveryCode.objects.order_by("pk").values_list("code_hash")
    invitations = Invitation.objects.values_list("username", "used_at")
    sessions = Session.objects.order_by("pk").values_list("pk")
    tables = (users, totps, codes, invitations, sessions, Membership.objects.values_list("role"))
    return [
        list(table) for table in (*tables, Passkey.objects.values_list("name"), AuditEvent.objects.values())
    ]


@pytest.fixture
def client(root: User) -> Client:
    """Root's, with an app and a passkey, recovery codes, and a session elsewhere."""
    client, other = browser(), browser()
    sign_in(other, root)
    sign_in(client, root)
    add_passkey(client, Authenticator())
    new_recovery_codes(root)
    client.raise_request_exception = False
    return client


def _remove_app(client: Client) -> Any:
    return client.post(f"{SECURITY}remove/")


def _remove_passkey(client: Client) -> Any:
    return client.post(f"{SECURITY}remove/", {"passkey": str(Passkey.objects.get().pk)})


def _renew_codes(client: Client) -> Any:
    return client.post(f"{SECURITY}codes/")


def _end_sessions(client: Client) -> Any:
    return client.post("/admin/sessions/end/", {"others": "1"})


def _add_app(client: Client) -> Any:
    code = pyotp.TOTP(shown_secret(client, SECURITY)).now()
    return client.post(f"{SECURITY}add/", {"code": code})


def _add_passkey(client: Client) -> Any:
    return add_passkey(client, Authenticator(credential_id=b"another"), "Phone")


@pytest.mark.parametrize(
    "act", [_remove_app, _remove_passkey, _renew_codes, _end_sessions, _add_app, _add_passkey]
)
def test_without_its_event_nothing_happens(act: Act, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.post(f"{SECURITY}app/")
    before = _stored()
    with monkeypatch.context() as patch:
        patch.setattr(staff_audit, "record", _fail)
        assert act(client).status_code == 500
    assert _stored() == before

    assert act(client).status_code in (200, 302)
    assert AuditEvent.objects.count() == len(before[-1]) + 1


def test_without_its_event_an_invitation_is_not_accepted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be accepted again afterwards."""
    token = invite(client, Project.objects.get())
    guest = browser()
    guest.raise_request_exception = False
    before = _stored()
    with monkeypatch.context() as patch:
        patch.setattr(staff_audit, "record", _fail)
        assert accept(token, guest).status_code == 500
    assert _stored() == before

    assert accept(token, guest).status_code == 302
    assert User.objects.filter(username="anna").exists()


def _fail(*_args: object, **_kwargs: object) -> None:
    raise RuntimeError("the database of events is away")
