"""Senders as processes hold them: what is loaded, what is left out, and when it is loaded again."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone
from structlog.testing import capture_logs

from channels.base import SenderConfig
from channels.models import Sender, SenderHealth, SenderNotice, SenderReports
from channels.senders import senders
from channels.types import Channel
from core import config_version
from core.config_models import ConfigVersion
from projects.models import Project
from tests import factories
from tests.statements import statements

pytestmark = pytest.mark.django_db


def own_project(slug: str = "acme") -> Project:
    config = factories.make_project(slug=slug, is_default=slug == "acme", senders=False)
    return Project.objects.get(id=config.id)


def ids() -> set[uuid.UUID]:
    return set(senders.get().by_id)


def test_there_may_be_none() -> None:
    loaded = senders.get()

    assert (loaded.by_id, loaded.by_place, loaded.open_until) == ({}, {}, {})
    assert (loaded.unhealthy_languages, loaded.unreported) == ({}, frozenset())
    assert loaded.for_project(uuid.uuid4(), Channel.SMS) is None


def test_only_active_senders_of_known_providers_are_loaded() -> None:
    active = factories.make_sender("sms")
    factories.make_sender("sms", own_project(), is_active=False)
    Sender.objects.create(channel="whatsapp", provider="newer")

    assert ids() == {active.id}


def test_own_and_shared_senders_each_have_their_place() -> None:
    project = own_project()
    shared, own = factories.make_sender("sms"), factories.make_sender("sms", project)

    loaded = senders.get()

    assert set(loaded.by_place) == {(None, Channel.SMS), (project.id, Channel.SMS)}
    assert loaded.for_project(project.id, Channel.SMS) is loaded.by_id[own.id]
    assert loaded.for_project(uuid.uuid4(), Channel.SMS) is loaded.by_id[shared.id]


def test_a_name_of_the_projects_own_senders_means_no_shared_one() -> None:
    """A route says "india": the project's SMS sender, and not the WhatsApp sender that others share."""
    project = own_project()
    own = factories.make_sender("whatsapp", project_id=project.id, name="main")
    factories.make_sender("sms", project_id=project.id, name="india")
    factories.make_sender("whatsapp", name="india")
    other = factories.make_sender("whatsapp", name="brazil")

    def serving(first: str) -> list[uuid.UUID]:
        return [item.id for item in senders.get().serving(project.id, Channel.WHATSAPP, first=first)]

    assert serving("india") == [own.pk]
    assert serving("brazil") == [other.pk, own.pk]


def test_a_sender_is_loaded_with_its_typed_settings_and_its_secrets() -> None:
    row = factories.make_sender(
        "sms",
        provider="twilio",
        account_sid="AC1",
        auth_token="new",
        auth_token_previous="old",
        from_number="Acme",
    )

    config: SenderConfig[Any] = senders.get().by_id[row.id]

    assert (config.channel, config.provider, config.project_id) == (Channel.SMS, "twilio", None)
    assert config.settings.auth_tokens == ("new", "old")
    assert (config.settings.account_sid, config.settings.from_number) == ("AC1", "Acme")


@pytest.mark.parametrize("secret", ["access_token", "app_secret", "app_secret_previous", "verify_token"])
def test_what_is_loaded_shows_no_secret(secret: str) -> None:
    fields: dict[str, Any] = {secret: "never-shown"}
    factories.make_sender("whatsapp", provider="meta", **fields)

    assert "never-shown" not in f"{senders.get()!r} {senders.get()}"


# Again ------------------------------------------------------------------------------------------------


def change(row: Sender, how: str) -> None:
    match how:
        case "save":
            row.settings = {**row.settings, "phone_number_id": "8"}
            row.save()
        case "switch off":
            row.is_active = False
            row.save()
        case "delete":
            row.delete()
        case "delete many":
            Sender.objects.filter(id=row.id).delete()
        case _:
            factories.make_sender("whatsapp")


@pytest.mark.parametrize(
    ("how", "left"), [("save", 1), ("switch off", 0), ("delete", 0), ("delete many", 0), ("another", 2)]
)
def test_every_change_is_seen_at_once(how: str, left: int) -> None:
    row = factories.make_sender("sms")
    before, version = senders.get(), config_version.current()

    change(row, how)

    assert config_version.current() > version
    assert senders.get() is not before
    assert len(ids()) == left


def test_while_nothing_changes_nothing_is_loaded() -> None:
    factories.make_sender("sms")
    senders.get()

    with statements() as sent:
        for _ in range(20):
            senders.get()

    assert [line for line in sent if "channels_" in line] == []


def test_loading_takes_the_same_few_statements_for_any_number_of_senders() -> None:
    def cost() -> int:
        ConfigVersion.bump()
        with statements() as sent:
            senders.get()
        return len([line for line in sent if "channels_" in line])

    factories.make_sender("sms")
    one = cost()
    for number in range(6):
        factories.make_sender("sms", own_project(f"p{number}" if number else "acme"))

    assert cost() == one
    assert len(ids()) == 7


# Trouble ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened_by", "seconds", "is_open"),
    [("call", 60, True), ("report", 60, True), ("call", -60, False), ("", 60, False), ("call", None, False)],
)
def test_open_breakers_are_loaded_along(opened_by: str, seconds: int | None, is_open: bool) -> None:
    row, now = factories.make_sender("sms"), timezone.now()
    until = None if seconds is None else now + timedelta(seconds=seconds)
    SenderHealth.objects.create(sender=row, opened_by=opened_by, open_until=until)

    loaded = senders.get()

    assert loaded.is_open(loaded.by_id[row.id], now=now) is is_open


@pytest.mark.parametrize(
    ("fields", "usable"),
    [
        ({}, ("es_MX",)),
        ({"topic": "template_risk"}, ("en", "es_MX")),
        ({"topic": "template_quality"}, ("en", "es_MX")),
        ({"template": "another"}, ("en", "es_MX")),
        ({"language": "fr"}, ("en", "es_MX")),
        ({"reason": ""}, ("en", "es_MX")),
        ({"skipped_until": None}, ("en", "es_MX")),
    ],
    ids=str,
)
def test_the_state_of_a_template_belongs_to_its_sender_template_and_language(
    fields: dict[str, Any], usable: tuple[str, ...]
) -> None:
    row = factories.make_sender(
        "whatsapp", provider="meta", template_name="login_code", template_languages=["en", "es_MX"]
    )
    now = timezone.now()
    state: dict[str, Any] = {
        "topic": "template",
        "template": "login_code",
        "language": "en",
        "reason": "template_paused",
    }
    state |= {"skipped_until": now + timedelta(minutes=15)}
    SenderNotice.objects.create(sender=row, **(state | fields))

    loaded = senders.get()

    assert loaded.template_languages(loaded.by_id[row.id], now=now) == usable


@pytest.mark.parametrize(("missing", "is_unreported"), [(True, True), (False, False)])
def test_missing_reports_are_loaded_along(missing: bool, is_unreported: bool) -> None:
    row = factories.make_sender("whatsapp")
    SenderReports.objects.create(sender=row, missing_since=timezone.now() if missing else None)

    assert (row.id in senders.get().unreported) is is_unreported


# Keys -------------------------------------------------------------------------------------------------


def test_senders_whose_key_is_gone_are_named_in_the_log_and_the_others_work(settings: Any) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    settings.AUTHSVC_ENCRYPTION_KEYS = keys[:1]
    lost = [
        factories.make_sender("sms", auth_token="never-shown"),
        factories.make_sender("sms", own_project(), auth_token="never-shown"),
    ]
    settings.AUTHSVC_ENCRYPTION_KEYS = keys[1:]
    readable = factories.make_sender("whatsapp", access_token="token")

    with capture_logs() as lines:
        assert ids() == {readable.id}

    unreadable = {line["sender_id"] for line in lines if line["event"] == "sender.unreadable"}
    assert unreadable == {str(row.id) for row in lost}
    assert "never-shown" not in str(lines)


def test_a_sender_without_secrets_needs_no_key(settings: Any) -> None:
    row = factories.make_sender("sms")
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    assert ids() == {row.id}


def test_once_the_key_is_back_the_sender_is_back(settings: Any) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    settings.AUTHSVC_ENCRYPTION_KEYS = keys[:1]
    row = factories.make_sender("whatsapp", access_token="token")
    settings.AUTHSVC_ENCRYPTION_KEYS = keys[1:]
    assert ids() == set()

    settings.AUTHSVC_ENCRYPTION_KEYS = [keys[1], keys[0]]
    ConfigVersion.bump()

    config: SenderConfig[Any] = senders.get().by_id[row.id]
    assert config.settings.access_token.get_secret_value() == "token"
