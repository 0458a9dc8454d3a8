"""Secrets at rest: encrypted, rotated, never readable without a key."""

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.db import connection

from channels.models import Sender
from channels.senders import senders
from core import fields
from tests import factories


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM channels_sender")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_the_database_holds_no_secret() -> None:
    factories.make_sender("whatsapp", access_token="plain-text-token")

    assert "plain-text-token" not in stored()
    assert Sender.objects.get().secrets["access_token"] == "plain-text-token"


@pytest.mark.django_db
def test_an_empty_secret_stays_empty() -> None:
    factories.make_sender("whatsapp", access_token="")

    assert stored() == ""


@pytest.mark.django_db
def test_a_new_key_encrypts_and_the_old_one_still_opens(settings: LazySettings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.AUTHSVC_ENCRYPTION_KEYS = [old]
    sender = factories.make_sender("whatsapp", access_token="token")
    before = stored()

    settings.AUTHSVC_ENCRYPTION_KEYS = [new, old]
    assert Sender.objects.get().secrets["access_token"] == "token"
    sender.save()

    settings.AUTHSVC_ENCRYPTION_KEYS = [new]
    assert Sender.objects.get().secrets["access_token"] == "token"
    assert stored() != before


@pytest.mark.django_db
def test_without_its_key_a_secret_is_an_error_not_a_wrong_secret(settings: LazySettings) -> None:
    factories.make_sender("whatsapp", access_token="token")
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(fields.UnreadableSecret):
        Sender.objects.get()


@pytest.mark.django_db
def test_senders_in_memory_do_not_print_their_secrets() -> None:
    factories.make_sender(
        "whatsapp", access_token="token-value", app_secret="secret-value", verify_token="verify-value"
    )

    printed = repr(senders.get())

    assert not any(value in printed for value in ("token-value", "secret-value", "verify-value"))


@pytest.mark.parametrize(
    ("keys", "fine"), [([Fernet.generate_key().decode()], True), (["short"], False), ([""], False)]
)
def test_keys_are_checked_without_being_shown(keys: list[str], fine: bool) -> None:  # a table
    problem = fields.fernet_problem(keys)

    assert (problem is None) is fine
    assert problem is None or keys[0] == "" or keys[0] not in problem


@pytest.mark.django_db
def test_one_unreadable_sender_does_not_take_the_others_with_it(settings: LazySettings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.AUTHSVC_ENCRYPTION_KEYS = [old]
    factories.make_sender("whatsapp", access_token="token")
    settings.AUTHSVC_ENCRYPTION_KEYS = [new]
    sms = factories.make_sender("sms", auth_token="token")

    assert list(senders.get().by_id) == [sms.id]
