"""The settings of providers: what is refused, in which words, and what becomes of what is stored."""

from typing import Any

import pytest
from django.utils.translation import override
from pydantic import SecretStr, ValidationError
from pytest_django import Settings

from channels.models import Sender
from channels.provider import Provider
from channels.providers import PROVIDERS, default, serving
from channels.providers.meta.settings import MetaSettings
from channels.providers.twilio.settings import TwilioSettings
from channels.senders import senders
from tests import factories

SID, SERVICE = "AC" + "0" * 32, "MG" + "0" * 32
META, TWILIO, GATEWAY, MEMORY = (PROVIDERS[name] for name in ("meta", "twilio", "http", "memory"))
RIGHT: dict[str, dict[str, Any]] = {
    "meta": {
        "phone_number_id": "100",
        "business_account_id": "500",
        "access_token": "token",
        "app_secret": "secret",
        "verify_token": "verify",
        "template_languages": ["en", "pt_BR"],
    },
    "twilio": {"account_sid": SID, "auth_token": "token", "from_number": "+15005550006"},
    "http": {"url": "https://gateway.example.com/", "signing_secret": "secret"},
}


@pytest.mark.parametrize("name", list(RIGHT))
def test_right_values_have_no_problem(name: str) -> None:
    assert PROVIDERS[name].problems(RIGHT[name]) == []


@pytest.mark.parametrize("empty", ["", None, [], ()])
@pytest.mark.parametrize(("name", "field"), [(name, field) for name in RIGHT for field in RIGHT[name]])
def test_what_is_empty_counts_as_missing(name: str, field: str, empty: object) -> None:
    (problem,) = PROVIDERS[name].problems(RIGHT[name] | {field: empty})

    assert problem[0] == field
    assert problem[1].startswith(("is required", "give either"))


def test_a_missing_secret_says_that_none_is_stored() -> None:
    assert ("auth_token", "is required, none is stored yet") in TWILIO.problems(
        RIGHT["twilio"] | {"auth_token": ""}
    )


def test_a_secret_that_may_be_stored_is_not_missing() -> None:
    values = {name: value for name, value in RIGHT["meta"].items() if name not in META.secret_names}

    assert {field for field, _ in META.problems(values)} == {"access_token", "app_secret", "verify_token"}
    assert META.problems(values, secrets_later=True) == []


def test_all_problems_are_named_at_once() -> None:
    wrong = {
        "phone_number_id": "abc",
        "access_token": "two words",
        "template_languages": ["english"],
        "url": "x",
    }

    assert {field for field, _ in META.problems(RIGHT["meta"] | wrong)} == set(wrong)


def test_a_key_of_another_provider_is_refused_by_the_providers_name() -> None:
    assert GATEWAY.problems(RIGHT["http"] | {"account_sid": SID}) == [("account_sid", "is not a key of http")]


@pytest.mark.parametrize(
    ("provider", "field", "longest"),
    [
        (META, "phone_number_id", 64),
        (META, "template_name", 512),
        (META, "access_token", 500),
        (GATEWAY, "url", 500),
    ],
)
def test_a_value_has_a_longest_length(provider: Provider, field: str, longest: int) -> None:
    texts = {"phone_number_id": "1", "url": "https://gateway.example.com/" + "x" * 500}
    text = texts.get(field, "a")
    value = text if len(text) > longest else text * (longest + 1)

    assert provider.problems(RIGHT[provider.name] | {field: value}) == [
        (field, f"must have at most {longest} characters")
    ]


@pytest.mark.parametrize(
    ("number", "service", "right"), [("", "", False), ("Acme", SERVICE, False), ("", SERVICE, True)]
)
def test_one_of_number_and_service_is_given(number: str, service: str, right: bool) -> None:
    values = RIGHT["twilio"] | {"from_number": number, "messaging_service_sid": service}

    assert (TWILIO.problems(values) == []) is right


def test_a_gateway_in_clear_is_refused_in_production(settings: Settings) -> None:
    settings.PRODUCTION, settings.INSECURE_HTTP = True, False

    assert GATEWAY.problems(RIGHT["http"] | {"url": "http://gateway.example.com/"}) == [
        ("url", "must be https")
    ]


def test_sentences_are_in_the_readers_language_when_they_are_asked_for() -> None:
    with override("en"):
        assert TWILIO.problems(RIGHT["twilio"] | {"account_sid": "x"})[0][1].startswith("must begin with AC")


# Stored -----------------------------------------------------------------------------------------------


def test_what_is_stored_is_not_judged() -> None:
    """Rules may be newer than a row; the provider's answer says what it lacks."""
    stored = TwilioSettings.of_stored({"account_sid": "old form"}, {})

    assert (stored.account_sid, stored.from_number, stored.auth_tokens) == ("old form", "", ())


def test_defaults_stand_in_for_what_is_not_stored() -> None:
    stored = MetaSettings.of_stored({}, {"access_token": "token"})

    assert (stored.template_name, stored.template_languages) == ("one_time_password", ())
    assert stored.access_token == SecretStr("token")


def test_keys_that_are_no_longer_known_are_left_out() -> None:
    assert not hasattr(TwilioSettings.of_stored({"region": "ie1"}, {}), "region")


def test_the_current_secret_comes_first() -> None:
    stored = MetaSettings.of_stored({}, {"app_secret": "new", "app_secret_previous": "old"})

    assert stored.app_secrets == ("new", "old")


def test_settings_in_memory_do_not_change() -> None:
    with pytest.raises(ValidationError):
        MetaSettings.of_stored({}, {}).phone_number_id = "1"


def test_a_row_keeps_secrets_apart() -> None:
    row = Sender(channel="whatsapp", provider="meta")
    row.values = RIGHT["meta"]

    assert set(row.secrets) == {"access_token", "app_secret", "verify_token"}
    assert set(row.settings) == {"phone_number_id", "business_account_id", "template_languages"}
    assert row.values == RIGHT["meta"]


def test_what_a_provider_does_not_know_is_kept_as_a_secret() -> None:
    """It may be one, so it is encrypted."""
    row = Sender(channel="sms", provider="http")
    row.values = RIGHT["http"] | {"auth_token": "of another provider"}

    assert row.secrets["auth_token"] == "of another provider"


# Registry ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "production", "names"),
    [
        ("whatsapp", True, ["meta"]),
        ("whatsapp", False, ["meta", "console", "memory"]),
        ("sms", True, ["twilio", "vonage", "http"]),
        ("sms", False, ["twilio", "vonage", "http", "console", "memory"]),
        ("fax", False, []),
    ],
)
def test_providers_of_a_channel(channel: str, production: bool, names: list[str], settings: Settings) -> None:
    settings.PRODUCTION = production

    assert [provider.name for provider in serving(channel)] == names


def test_a_provider_need_not_be_named_where_there_is_one() -> None:
    assert default("whatsapp") is META
    assert default("sms") is None


def test_what_people_fill_in_comes_with_its_key_in_the_file() -> None:
    assert TWILIO.file_key("from_number") == "from"
    assert META.file_key("template_languages") == "template.languages"
    assert META.file_key("access_token") == "access_token"
    assert list(META.inputs)[-2:] == ["template_name", "template_languages"]


@pytest.mark.django_db
def test_a_sender_of_a_provider_that_is_not_known_is_left_alone() -> None:
    """A newer version made it, and was rolled back."""
    known = factories.make_sender("sms")
    Sender.objects.create(channel="whatsapp", provider="newer", settings={"key": "value"})

    assert list(senders.get().by_id) == [known.id]


@pytest.mark.django_db
def test_settings_are_read_once_for_a_configuration_version() -> None:
    factories.make_sender("sms")
    first = senders.get()

    assert senders.get() is first
    assert [item.settings for item in senders.get().by_id.values()] == [
        item.settings for item in first.by_id.values()
    ]
