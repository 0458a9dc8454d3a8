"""What every provider declares, and what admin, configuration file and web server make of it."""

from typing import Any

import pytest
from pydantic import SecretStr
from pytest_django import Settings

from channels import providers, report_counts
from channels.calls import ApiUrl
from channels.notices import Notice, Subject, Topic
from channels.provider_settings import Input
from channels.providers import PROVIDERS, default, serving
from channels.types import Channel, FailureReason

NAMES = list(PROVIDERS)
REAL = [name for name, item in PROVIDERS.items() if not item.is_for_development]
REPORTING = [name for name, item in PROVIDERS.items() if item.reports]

# The public keys of the configuration file, in the order of the form (docs/commands.md).
FILE_KEYS = {
    "meta": [
        "phone_number_id", "business_account_id", "access_token", "app_secret", "app_secret_previous", "verify_token",
        "template.name", "template.languages",
    ],
    "twilio": ["account_sid", "auth_token", "auth_token_previous", "from", "messaging_service_sid"],
    "vonage": ["api_key", "api_secret", "signature_secret", "signature_secret_previous", "from"],
    "http": ["url", "signing_secret", "signing_secret_previous"],
    "console": ["template.name", "template.languages"],
    "memory": ["template.name", "template.languages"],
}  # fmt: skip
SECRETS = {
    "meta": {"access_token", "app_secret", "app_secret_previous", "verify_token"},
    "twilio": {"auth_token", "auth_token_previous"},
    "vonage": {"api_secret", "signature_secret", "signature_secret_previous"},
    "http": {"signing_secret", "signing_secret_previous"},
    "console": {"access_token", "app_secret", "app_secret_previous", "verify_token"},
    "memory": {"access_token", "app_secret", "app_secret_previous", "verify_token"},
}


@pytest.mark.parametrize("name", NAMES)
def test_the_keys_of_the_file_stay_what_they_are(name: str) -> None:
    """Files of operators hold them."""
    provider = PROVIDERS[name]

    assert [provider.file_key(field) for field in provider.inputs] == FILE_KEYS[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_one_key_and_no_two_share_it(name: str) -> None:
    provider = PROVIDERS[name]
    keys = [provider.file_key(field) for field in provider.settings.model_fields]

    assert len(keys) == len(set(keys))
    assert provider.file_key("unheard_of") == "unheard_of"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_encrypted_stays_encrypted(name: str) -> None:
    assert PROVIDERS[name].secret_names == SECRETS[name]


@pytest.mark.parametrize("name", REAL)
def test_people_can_fill_in_every_field_and_read_what_it_is(name: str) -> None:
    provider = PROVIDERS[name]

    assert set(provider.inputs) == set(provider.settings.model_fields)
    assert all(str(item.label) for item in provider.inputs.values())
    assert str(provider.label)


@pytest.mark.parametrize("name", REAL)
def test_a_secret_that_can_be_rotated_says_so(name: str) -> None:
    """The one before is believed on reports only while it is there."""
    provider = PROVIDERS[name]
    previous = [field for field in provider.settings.model_fields if field.endswith("_previous")]

    assert bool(previous) is (provider.reports is not None)
    for field in previous:
        item: Input = provider.inputs[field]
        assert "rotate" in str(item.help)
        assert field in provider.secret_names
        assert not provider.settings.model_fields[field].is_required()


@pytest.mark.parametrize("name", REPORTING)
def test_reports_come_to_a_path_of_their_own_and_their_lack_has_words(name: str) -> None:
    reports = PROVIDERS[name].reports
    assert reports

    others = [item.reports.path for item in PROVIDERS.values() if item.reports and item.name != name]
    assert reports.path.startswith("/")
    assert not reports.path.endswith("/")
    assert reports.path not in others
    for problem, remedy in (reports.missing, reports.refused):
        assert str(problem)
        assert str(remedy).endswith(".")
    assert str(reports.missing[0]) != str(reports.refused[0])
    assert bool(reports.callback_label) is (reports.check is not None)


def test_only_a_gateway_of_ones_own_need_not_report() -> None:
    """Of the others silence is a fault: each message asks for its reports."""
    assert [name for name in REPORTING if (it := PROVIDERS[name].reports) and it.is_optional] == ["http"]
    assert report_counts.OPTIONAL < report_counts.REPORTING == set(REPORTING)


def test_what_sends_nothing_reports_nothing_and_has_no_address() -> None:
    for name in ("console", "memory"):
        provider = PROVIDERS[name]
        assert provider.is_for_development
        assert (provider.reports, provider.templates, provider.api) == (None, None, None)
        assert provider.channels == frozenset(Channel)


@pytest.mark.parametrize(
    ("name", "key", "address"),
    [
        ("meta", "whatsapp", "https://graph.facebook.com/v26.0"),
        ("twilio", "twilio", "https://api.twilio.com"),
        ("vonage", "vonage", "https://api.nexmo.com"),
    ],
)
def test_where_messages_go_unless_the_operator_says_otherwise(
    name: str, key: str, address: str, settings: Settings
) -> None:
    settings.PROVIDER_API_URLS = {}
    api = PROVIDERS[name].api

    assert api == ApiUrl(key, address)
    assert str(api) == address


@pytest.mark.parametrize("name", NAMES)
def test_settings_of_no_provider_begin_with_what_pydantic_keeps_for_itself(name: str) -> None:
    assert not [field for field in PROVIDERS[name].settings.model_fields if field.startswith(("model_", "_"))]


def test_the_registry_does_not_change() -> None:
    with pytest.raises(TypeError):
        PROVIDERS["new"] = PROVIDERS["http"]  # type: ignore[index]


def test_every_provider_serves_its_channels_and_the_order_is_the_admins() -> None:
    for channel in Channel:
        names = [item.name for item in serving(channel)]
        assert names == [name for name in NAMES if channel in PROVIDERS[name].channels]


@pytest.mark.parametrize(
    ("channel", "name"), [("whatsapp", "meta"), ("sms", None), ("fax", None), ("", None)]
)
def test_a_provider_is_assumed_where_only_one_sends(channel: str, name: str | None) -> None:
    assumed = default(channel)

    assert (assumed.name if assumed else None) == name


def test_what_is_assumed_is_the_same_in_production(settings: Settings) -> None:
    """A file means the same wherever it is applied."""
    settings.PRODUCTION = True

    assert default("whatsapp") is PROVIDERS["meta"]
    assert default("sms") is None


def test_a_provider_that_is_not_known_has_no_backend() -> None:
    with pytest.raises(KeyError):
        providers.backend("newer")


@pytest.mark.parametrize("reason", ["template_missing", "template_paused", "template_unfit", "newer", ""])
def test_a_template_in_trouble_is_named_with_its_language(reason: str) -> None:
    templates = PROVIDERS["meta"].templates
    assert templates

    problem, remedy = templates.words(
        Subject(topic=Topic.TEMPLATE, template="login_code", language="es_MX"), Notice(reason=reason)
    )

    assert "login_code" in problem
    assert "es_MX" in problem
    assert remedy


def test_a_template_whose_name_has_braces_breaks_no_sentence() -> None:
    """Meta's names have none, rows of an event could."""
    templates = PROVIDERS["meta"].templates
    assert templates

    problem, _ = templates.words(
        Subject(topic=Topic.TEMPLATE_QUALITY, template="{reason}", language="{0}"), Notice(reason="{x}")
    )

    assert problem == "The quality of the template {reason} in {0} is {x}"


@pytest.mark.parametrize("reason", [item for item in FailureReason if item.value.startswith("template")])
def test_each_trouble_of_a_template_has_words_of_its_own(reason: FailureReason) -> None:
    templates = PROVIDERS["meta"].templates
    assert templates
    subject = Subject(topic=Topic.TEMPLATE, template="t", language="en")

    words = {
        item: templates.words(subject, Notice(reason=item)) for item in FailureReason if "template" in item
    }

    assert [item for item, known in words.items() if known == words[reason]] == [reason]


def test_defaults_of_secrets_are_empty() -> None:
    for provider in PROVIDERS.values():
        for name in provider.secret_names:
            item: Any = provider.settings.model_fields[name]
            assert item.is_required() or item.get_default() == SecretStr("")
