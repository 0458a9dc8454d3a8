"""The columns of senders become settings and secrets, and come back as they were."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django import Settings

BEFORE, BETWEEN, AFTER = "0006_sender_reports", "0008_copy_settings", "0009_forget_columns"
LANGUAGES = ["en", "pt_BR"]
ROWS: dict[str, dict[str, Any]] = {
    "meta": {
        "channel": "whatsapp", "phone_number_id": "100", "business_account_id": "500", "access_token": "token-1", "app_secret": "app-1",
        "app_secret_previous": "app-0", "verify_token": "verify-1", "template_name": "login_code", "template_languages": LANGUAGES,
    },
    "twilio": {
        "channel": "sms", "account_sid": "AC1", "auth_token": "auth-1", "auth_token_previous": "auth-0", "from_number": "+15005550006",
        "phone_number_id": "of another provider, from long ago",
    },
    "http": {"channel": "sms", "is_active": False, "url": "https://gateway.example/", "signing_secret": "signing-1"},
    "console": {"channel": "sms", "is_active": False},
    "memory": {"channel": "whatsapp", "is_active": False, "phone_number_id": "7", "access_token": "token-7"},
}  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(name: str) -> Any:
    """Migrate to this state; gives its model of senders."""
    executor = MigrationExecutor(connection)
    executor.migrate([("channels", name)])
    return (
        MigrationExecutor(connection)
        .loader.project_state([("channels", name)])
        .apps.get_model("channels", "Sender")
    )


@pytest.fixture
def old() -> Iterator[Any]:
    """The model as it was, with a row of each provider."""
    model = migrate(BEFORE)
    for provider, fields in ROWS.items():
        model.objects.create(provider=provider, **fields)
    yield model
    migrate(BEFORE).objects.all().delete()
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def columns(model: Any) -> list[dict[str, Any]]:
    names = {name for fields in ROWS.values() for name in fields} | {"provider", "messaging_service_sid"}
    return list(model.objects.order_by("provider").values(*sorted(names)))


def test_every_value_is_where_its_provider_has_it(old: Any) -> None:
    rows = {row.provider: row for row in migrate(AFTER).objects.all()}

    assert rows["meta"].settings == {
        "phone_number_id": "100",
        "business_account_id": "500",
        "template_name": "login_code",
        "template_languages": LANGUAGES,
    }
    assert rows["meta"].secrets == {
        "access_token": "token-1",
        "app_secret": "app-1",
        "app_secret_previous": "app-0",
        "verify_token": "verify-1",
    }
    assert rows["twilio"].settings == {"account_sid": "AC1", "from_number": "+15005550006"}
    assert rows["twilio"].secrets == {"auth_token": "auth-1", "auth_token_previous": "auth-0"}
    assert rows["http"].settings == {"url": "https://gateway.example/"}
    assert rows["http"].secrets == {"signing_secret": "signing-1"}
    assert (rows["console"].settings, rows["console"].secrets) == ({"template_name": "one_time_password"}, {})
    assert rows["memory"].secrets == {"access_token": "token-7"}


def test_what_is_copied_is_encrypted(old: Any) -> None:
    migrate(AFTER)

    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM channels_sender")
        stored = str(cursor.fetchall())
    assert not any(secret in stored for secret in ("token-1", "auth-1", "signing-1"))


def test_the_way_back_restores_every_value(old: Any) -> None:
    before = columns(old)
    migrate(AFTER)

    assert columns(migrate(BEFORE)) == before


def test_what_was_changed_meanwhile_goes_back_too(old: Any) -> None:
    model = migrate(AFTER)
    twilio = model.objects.get(provider="twilio")
    twilio.settings = {"account_sid": "AC2", "messaging_service_sid": "MG2"}
    twilio.secrets = {"auth_token": "auth-2"}
    twilio.save()
    meta = model.objects.get(provider="meta")
    meta.settings |= {"template_languages": ["sw"]}
    meta.save()

    back = migrate(BEFORE)

    row = back.objects.get(provider="twilio")
    assert (row.account_sid, row.messaging_service_sid, row.from_number) == ("AC2", "MG2", "")
    assert (row.auth_token, row.auth_token_previous) == ("auth-2", "")
    assert back.objects.get(provider="meta").template_languages == ["sw"]


def test_a_sender_that_was_made_meanwhile_gets_columns(old: Any) -> None:
    migrate(AFTER).objects.create(
        channel="sms", provider="http", is_active=False, settings={"url": "https://new.example/"},
        secrets={"signing_secret": "new"},
    )  # fmt: skip

    row = migrate(BEFORE).objects.get(url="https://new.example/")

    assert (row.signing_secret, row.account_sid, row.access_token) == ("new", "", "")
    assert row.template_languages == []


def test_a_secret_that_no_key_opens_stops_nothing_and_is_kept_for_the_way_back(
    old: Any, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = list(settings.AUTHSVC_ENCRYPTION_KEYS)
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    rows = {row.provider: row for row in migrate(AFTER).objects.all()}
    assert (rows["http"].settings, rows["http"].secrets) == ({"url": "https://gateway.example/"}, {})
    assert "signing_secret cannot be decrypted" in capsys.readouterr().err

    back = migrate(BEFORE)

    settings.AUTHSVC_ENCRYPTION_KEYS = keys
    assert back.objects.get(provider="http").signing_secret == "signing-1"


def test_the_way_back_names_the_providers_that_the_version_before_does_not_know(old: Any) -> None:
    model = migrate(AFTER)
    model.objects.create(channel="sms", provider="vonage", is_active=False)

    with pytest.raises(RuntimeError, match="vonage"):
        migrate(BEFORE)

    migrate(AFTER).objects.filter(provider="vonage").delete()
