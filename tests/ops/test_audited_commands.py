"""Commands that change stored data for operators leave an audit event; those that only look leave none. K6"""

from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from audit.models import AuditEvent
from tests import factories
from users.models import User
from users.renumberings import CALLING_CODES, present_form

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "deploy")


def run(name: str, *flags: str) -> None:
    with suppress(SystemExit):  # --check: it would change something
        call_command(name, *flags, stdout=StringIO(), stderr=StringIO())


def test_secrets_that_are_encrypted_again(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.AUTHSVC_ENCRYPTION_KEYS = [old]
    factories.make_project()
    factories.make_endpoint(factories.make_project(slug="b", is_default=False))
    settings.AUTHSVC_ENCRYPTION_KEYS = [new, old]

    run("rotate_keys", "--check")
    assert not AuditEvent.objects.exists()
    run("rotate_keys")
    run("rotate_keys")

    event = AuditEvent.objects.get()
    assert (event.kind, event.actor) == ("secrets.reencrypted", "manage.py rotate_keys by deploy")
    assert event.detail.endswith(" secrets")


def test_numbers_that_move(monkeypatch: pytest.MonkeyPatch) -> None:
    project = factories.make_project()
    old = "+22501234567"  # Ivory Coast has ten digits since 2021
    assert any(old.startswith(code) for code in CALLING_CODES)
    assert present_form(old) != old
    User.objects.create(project_id=project.id, phone=old)

    run("renumber", "--check")
    assert not AuditEvent.objects.exists()
    run("renumber")
    run("renumber")

    event = AuditEvent.objects.get()
    assert (event.kind, event.actor, event.after) == (
        "numbers.moved", "manage.py renumber by deploy", {"users": 1},
    )  # fmt: skip
