"""Senders as rows: what the database refuses, what a save resets, what is stored where and what is shown."""

import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from channels import health
from channels.breaker import Source
from channels.models import Sender, SenderHealth, SenderNotice, SenderReports, provider_choices
from channels.provider_settings import ProviderSettings
from channels.providers import PROVIDERS
from channels.types import FailureReason
from core import config_version
from projects.models import Project
from tests import factories


def project(slug: str = "acme") -> Project:
    config = factories.make_project(slug=slug, name=slug.title(), is_default=slug == "acme", senders=False)
    return Project.objects.get(id=config.id)


# Constraints ------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("channel", ["whatsapp", "sms"])
@pytest.mark.parametrize("is_shared", [True, False])
def test_a_channel_has_several_active_senders(channel: str, is_shared: bool) -> None:
    owner = None if is_shared else project()

    for _ in range(3):
        factories.make_sender(channel, owner)

    assert Sender.objects.filter(is_active=True).count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("is_shared", "words"),
    [(True, "Another active shared sender has this name"), (False, "Another active sender of this project")],
)
def test_a_name_means_one_active_sender(is_shared: bool, words: str) -> None:
    owner = None if is_shared else project()
    factories.make_sender("sms", owner, name="india")
    spare = factories.make_sender("whatsapp", owner, name="india", is_active=False)
    spare.is_active = True

    with pytest.raises(ValidationError) as caught:
        spare.validate_constraints()
    with pytest.raises(IntegrityError), transaction.atomic():
        spare.save()
    assert str(caught.value.messages[0]).startswith(words)


@pytest.mark.django_db
def test_names_of_projects_and_the_shared_senders_are_apart_and_no_name_is_none() -> None:
    for owner in (None, project("acme"), project("beta")):
        factories.make_sender("sms", owner, name="india")
        factories.make_sender("sms", owner)
        factories.make_sender("sms", owner)

    assert Sender.objects.filter(is_active=True).count() == 9


@pytest.mark.django_db
def test_the_version_before_adds_a_sender_without_name_and_order() -> None:
    row = factories.make_sender("sms")
    copied = [
        str(field.column) for field in Sender._meta.fields if field.column not in ("id", "name", "priority")
    ]

    with connection.cursor() as cursor:
        names = ", ".join(copied)
        cursor.execute(
            f"INSERT INTO channels_sender (id, {names}) SELECT %s, {names} FROM channels_sender",
            [uuid.uuid4() if connection.vendor == "postgresql" else uuid.uuid4().hex],
        )

    other = Sender.objects.exclude(pk=row.pk).get()
    assert (other.name, other.priority) == ("", 1)
    assert str(other) == "Shared · SMS"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"), [("topic", "account"), ("template", "other"), ("language", "es")]
)
def test_a_notice_is_one_for_each_subject(field: str, value: str) -> None:
    row = factories.make_sender("whatsapp")
    subject = {"topic": "template", "template": "login_code", "language": "en"}
    SenderNotice.objects.create(sender=row, **subject)

    with pytest.raises(IntegrityError), transaction.atomic():
        SenderNotice.objects.create(sender=row, **subject)
    SenderNotice.objects.create(sender=row, **(subject | {field: value}))
    SenderNotice.objects.create(sender=factories.make_sender("whatsapp", project()), **subject)


@pytest.mark.django_db
@pytest.mark.parametrize("is_of_project", [True, False])
def test_what_is_known_of_a_sender_goes_with_it(is_of_project: bool) -> None:
    owner = project()
    row = factories.make_sender("whatsapp", owner)
    SenderHealth.objects.create(sender=row, alert=True)
    SenderReports.objects.create(sender=row)
    SenderNotice.objects.create(sender=row, topic="account")

    if is_of_project:
        Project.objects.filter(id=owner.id).update(is_default=False)
        Project.objects.get(id=owner.id).delete()
    else:
        row.delete()

    for model in (Sender, SenderHealth, SenderReports, SenderNotice):
        assert not model.objects.exists()


# Saving -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [None, ["settings"], ["is_active", "updated_at"]])
def test_every_save_starts_the_sender_afresh(fields: list[str] | None) -> None:
    row = factories.make_sender("whatsapp")
    for _ in range(4):
        health.failed(row.id, source=Source.CALL, reason=FailureReason.UNAVAILABLE)
    SenderNotice.objects.create(sender=row, topic="account", reason="DISABLE")

    row.save(update_fields=fields)

    assert not SenderHealth.objects.exists()
    assert not SenderNotice.objects.exists()


@pytest.mark.django_db
def test_a_save_touches_no_other_sender() -> None:
    row, other = factories.make_sender("whatsapp"), factories.make_sender("sms")
    health.failed(other.id, source=Source.CALL, reason=FailureReason.UNAVAILABLE)

    row.save()

    assert SenderHealth.objects.get().sender_id == other.id


@pytest.mark.django_db(transaction=True)
def test_a_save_that_cannot_reset_what_is_known_saves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new token beside the old one's open breaker would be believed by nobody."""
    row = factories.make_sender("sms", url="before")
    version = config_version.current()

    def fail(_sender: Sender) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(Sender, "on_change", [fail])
    row.settings = {"phone_number_id": "after"}
    with pytest.raises(RuntimeError):
        row.save()

    assert Sender.objects.get().settings != {"phone_number_id": "after"}
    assert config_version.current() == version


# Settings and secrets ---------------------------------------------------------------------------------


def stored() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT settings, secrets FROM channels_sender")
        settings, secrets = cursor.fetchone()
    return str(settings), str(secrets)


@pytest.mark.django_db
@pytest.mark.parametrize("name", list(PROVIDERS))
def test_of_every_provider_the_database_holds_no_secret_in_clear(name: str) -> None:
    provider = PROVIDERS[name]
    secrets: dict[str, Any] = {field: f"never-shown-{field}" for field in provider.secret_names}
    channel = min(provider.channels)

    row = factories.make_sender(channel, provider=name, **secrets)

    assert "never-shown" not in "".join(stored())
    assert Sender.objects.get(id=row.id).secrets == secrets


@pytest.mark.django_db
def test_the_same_secret_is_encrypted_anew_each_time() -> None:
    """Equal secrets of two senders cannot be told from the rows."""
    row = factories.make_sender("whatsapp", access_token="token")
    before = stored()[1]

    row.save()

    assert stored()[1] != before
    assert Sender.objects.get().secrets == {"access_token": "token"}


@pytest.mark.parametrize("empty", ["", None, [], (), {}])
def test_what_is_empty_is_not_stored(empty: object) -> None:
    row = Sender(channel="whatsapp", provider="meta")

    row.values = {"phone_number_id": empty, "access_token": empty, "template_languages": ["en"]}

    assert (row.settings, row.secrets) == ({"template_languages": ["en"]}, {})


def test_values_replace_all_of_them() -> None:
    row = Sender(channel="sms", provider="http")
    row.values = {"url": "https://a.example/", "signing_secret": "one"}

    row.values = {"url": "https://b.example/"}

    assert row.values == {"url": "https://b.example/"}
    assert row.secrets == {}


names = sorted(PROVIDERS["meta"].settings.model_fields)


@given(st.dictionaries(st.sampled_from(names), st.text(min_size=1, max_size=20), max_size=8))
def test_any_settings_come_back_as_they_were(values: dict[str, str]) -> None:
    row = Sender(channel="whatsapp", provider="meta")

    row.values = values

    assert row.values == values
    assert set(row.secrets) == set(values) & PROVIDERS["meta"].secret_names
    typed = row.typed()
    for name in set(values) & PROVIDERS["meta"].secret_names:
        assert getattr(typed, name).get_secret_value() == values[name]


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["x" * 500, "ünïcode 中文 😀", '{"json": "text"}', "'; drop table", " x "])
def test_a_secret_comes_back_letter_for_letter(token: str) -> None:
    factories.make_sender("whatsapp", access_token=token)

    assert Sender.objects.get().secrets == {"access_token": token}


def test_without_its_secrets_the_settings_are_all_there() -> None:
    row = Sender(channel="sms", provider="twilio")
    row.values = {"account_sid": "AC1", "auth_token": "token", "from_number": "Acme"}

    typed: Any = row.typed_without_secrets()

    assert (typed.account_sid, typed.from_number, typed.auth_tokens) == ("AC1", "Acme", ())


def test_a_provider_of_a_newer_version_has_no_settings_here() -> None:
    row = Sender(channel="sms", provider="newer", settings={"key": "value"})
    row.secrets = {"token": "x"}

    assert type(row.typed()) is ProviderSettings
    assert (row.typed().sends_from, row.typed().reply_number) == ("", "")


# Shown ------------------------------------------------------------------------------------------------


def test_a_sender_is_shown_by_owner_and_channel() -> None:
    owned = Sender(channel="sms", provider="http", project=Project(name="Acme"))

    assert str(owned) == "Acme · SMS"
    assert str(Sender(channel="whatsapp", provider="meta")) == "Shared · WhatsApp"


def test_the_choices_of_providers_are_the_registry() -> None:
    assert [name for name, _ in provider_choices()] == list(PROVIDERS)
    assert all(str(label) for _, label in provider_choices())


def test_a_notice_is_shown_by_what_it_is_about() -> None:
    assert (
        str(SenderNotice(topic="template", template="login_code", language="en")) == "template login_code en"
    )
    assert str(SenderNotice(topic="account")) == "account"
