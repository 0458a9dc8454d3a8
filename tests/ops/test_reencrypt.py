"""Re-encrypting stored secrets: all of them, nothing else, and never over a secret that is saved at the same time."""

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from channels.models import Sender
from channels.providers import PROVIDERS
from core.fields import EncryptedField
from ops import reencrypt
from tests import factories

pytestmark = pytest.mark.django_db
OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    settings.AUTHSVC_ENCRYPTION_KEYS = [OLD]


def token(sender: Sender, field: str = "secrets") -> str:
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


def test_every_secret_field_is_covered() -> None:
    assert {field.name for field in reencrypt.fields() if field.model is Sender} == {"secrets"}


def test_all_secrets_are_encrypted_with_the_first_key(settings: Settings) -> None:
    secrets: dict[str, Any] = {name: f"secret of {name}" for name in PROVIDERS["meta"].secret_names}
    sender = factories.make_sender("whatsapp", provider="meta", **secrets)
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OLD]

    status, output = rotate()

    assert status == 0
    assert "channels.Sender.secrets: 0 current, 1 re-encrypted" in output
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW]
    assert Sender.objects.get(id=sender.id).secrets == secrets


def test_a_second_run_changes_nothing(settings: Settings) -> None:
    sender = factories.make_sender("whatsapp", access_token="a")
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    before = token(sender)

    status, output = rotate()

    assert (status, token(sender)) == (0, before)
    assert "1 current, 0 re-encrypted" in output


def test_check_counts_and_changes_nothing(settings: Settings) -> None:
    sender = factories.make_sender("whatsapp", access_token="a")
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OLD]
    before = token(sender)

    assert rotate("--check")[0] == 3
    assert token(sender) == before
    rotate()
    assert rotate("--check")[0] == 0


def test_secrets_that_no_key_decrypts_are_reported_and_left_alone(settings: Settings) -> None:
    sender = factories.make_sender("whatsapp", access_token="a")
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OTHER]
    before = token(sender)

    status, output = rotate()

    assert (status, token(sender)) == (1, before)
    assert "1 unreadable" in output


def test_a_secret_saved_at_the_same_time_stays(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token was read, then the admin stores another one."""
    sender = factories.make_sender("whatsapp", access_token="a")
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OLD]
    read = reencrypt._tokens

    def then_save(field: EncryptedField) -> list[tuple[object, str]]:
        tokens = read(field)
        if field.name == "secrets":
            fresh = Sender.objects.get(id=sender.id)
            fresh.secrets["access_token"] = "b"
            fresh.save()
        return tokens

    monkeypatch.setattr(reencrypt, "_tokens", then_save)
    rotate()

    assert Sender.objects.get(id=sender.id).secrets["access_token"] == "b"


def test_empty_secrets_stay_empty(settings: Settings) -> None:
    sender = factories.make_sender("whatsapp")
    settings.AUTHSVC_ENCRYPTION_KEYS = [NEW, OLD]

    assert rotate("--check")[0] == 0
    assert token(sender) == ""
