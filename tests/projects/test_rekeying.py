"""Encrypting stored secrets anew: all of them, no other, and never over what somebody saves meanwhile."""

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from channels.models import SECRET_FIELDS, Sender
from projects import rekeying
from tests import factories

pytestmark = pytest.mark.django_db
OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    settings.AUTHSVC_ENCRYPTION_KEYS = [OLD]


def token(sender: Sender, field: str = "access_token") -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {field} FROM channels_sender WHERE id = %s",
            [sender.id if connection.vendor == "postgresql" else sender.id.hex],
        )
        return str(cursor.fetchone()[0])


def rotate(*arguments: str) -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("rotate_keys", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue() + err.getvalue()
    return 0, out.getvalue() + err.getvalue()


def test_every_secret_field_is_found() -> None:
    assert {field.name for field in rekeying.fields() if field.model is Sender} == set(SECRET_FIELDS)


def test_all_secrets_end_under_the_first_key(settings: Settings) -> None:
    secrets: dict[str, Any] = {name: f"secret of {name}" for name in SECRET_FIELDS}
    sender = factories.make_sender("whatsapp", **secrets)
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OLD]

    status, said = rotate()

    assert status == 0
    assert "channels.Sender.access_token: 0 current, 1 encrypted anew" in said
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW]
    assert {name: getattr(Sender.objects.get(id=sender.id), name) for name in SECRET_FIELDS} == secrets


def test_a_second_run_changes_nothing(settings: Settings) -> None:
    sender = factories.make_sender("whatsapp", access_token="a")
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    before = token(sender)

    status, said = rotate()

    assert (status, token(sender)) == (0, before)
    assert "1 current, 0 encrypted anew" in said


def test_check_counts_and_changes_nothing(settings: Settings) -> None:
    sender = factories.make_sender("whatsapp", access_token="a")
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OLD]
    before = token(sender)

    assert rotate("--check")[0] == 3
    assert token(sender) == before
    rotate()
    assert rotate("--check")[0] == 0


def test_what_no_key_opens_is_said_and_left_alone(settings: Settings) -> None:
    sender = factories.make_sender("whatsapp", access_token="a")
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OTHER]
    before = token(sender)

    status, said = rotate()

    assert (status, token(sender)) == (1, before)
    assert "1 unreadable" in said


def test_what_somebody_saves_meanwhile_stays(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token was read, then the admin stores another one."""
    sender = factories.make_sender("whatsapp", access_token="a")
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OLD]
    read = rekeying._tokens

    def then_save(field: rekeying.Field) -> list[tuple[object, str]]:
        found = read(field)
        if field.name == "access_token":
            fresh = Sender.objects.get(id=sender.id)
            fresh.access_token = "b"
            fresh.save()
        return found

    monkeypatch.setattr(rekeying, "_tokens", then_save)
    rotate()

    assert Sender.objects.get(id=sender.id).access_token == "b"


def test_empty_secrets_stay_empty(settings: Settings) -> None:
    sender = factories.make_sender("whatsapp")
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OLD]

    assert rotate("--check")[0] == 0
    assert token(sender) == ""
