"""Every key of a sender in the file: right, missing, of another type, of another provider, twice."""

from typing import Any

import pytest
import yaml
from pytest_django import Settings

from channels.providers import PROVIDERS
from ops.configfile.senders import SenderSection
from tests.ops.configfile.projects import of_project, project
from tests.ops.configfile.sender_files import FULL, flat, section

REQUIRED = {
    ("whatsapp", "meta"): {
        "phone_number_id": "is required", "business_account_id": "is required",
        "template.languages": "is required: the languages in which the template is approved",
    },
    ("sms", "twilio"): {"account_sid": "is required", "from": "give either from or messaging_service_sid"},
    ("sms", "vonage"): {"api_key": "is required", "from": "is required"},
    ("sms", "http"): {"url": "is required"},
}  # fmt: skip


def lines(channel: str, provider: str, **changes: Any) -> list[str]:
    known = of_project(**{channel: section(channel, provider, changes)})
    return [line.removeprefix(f"{channel}.") for line in known]


EVERY_KEY = [(*sender, key) for sender, keys in FULL.items() for key in flat(keys)]
TEXTS = [item for item in EVERY_KEY if item[2] != "template.languages"]


def test_the_table_has_every_provider_and_every_key() -> None:
    for name, provider in PROVIDERS.items():
        known = {key for (_, other), keys in FULL.items() if other == name for key in flat(keys)}
        declared = {provider.file_key(field) for field in provider.settings.model_fields}
        assert known == declared - {"messaging_service_sid"} or provider.is_for_development


@pytest.mark.parametrize(("channel", "provider"), FULL)
def test_every_key_is_read_and_secrets_stand_apart(channel: str, provider: str) -> None:
    (spec,) = project(**{channel: section(channel, provider, {})}).senders

    declared = PROVIDERS[provider]
    keys = flat(FULL[channel, provider])
    hidden = {declared.file_key(name) for name in declared.secret_names}
    assert (spec.channel, spec.provider) == (channel, provider)
    assert {declared.file_key(name): value for name, value in spec.secrets.items()} == {
        key: value for key, value in keys.items() if key in hidden
    }
    values = {declared.file_key(name): value for name, value in spec.values.items()}
    assert {key: values[key] for key in keys if key not in hidden} == {
        key: value for key, value in keys.items() if key not in hidden
    }
    assert not hidden & set(values)


@pytest.mark.parametrize("provider", ["twilio", "vonage", "http", "memory"])
def test_a_provider_is_named_unless_one_alone_sends_on_the_channel(provider: str) -> None:
    unnamed = {key: value for key, value in section("sms", provider, {}).items() if key != "provider"}

    assert of_project(sms=unnamed) == [
        "sms.provider: is required: one of twilio, vonage, http, console, memory"
    ]
    (spec,) = project(whatsapp=FULL["whatsapp", "meta"]).senders
    assert spec.provider == "meta"


@pytest.mark.parametrize(("channel", "provider", "key"), TEXTS)
@pytest.mark.parametrize(
    ("value", "hint"),
    [(7, "quote it: YAML reads digits as a number"), (True, "quote it: YAML reads YES and ON as true"), (["x"], "not a list or a mapping"),
     ([], "not a list or a mapping")],
)  # fmt: skip
def test_every_key_is_text(channel: str, provider: str, key: str, value: object, hint: str) -> None:
    assert lines(channel, provider, **{key: value}) == [f"{key}: must be text, {hint}"]


@pytest.mark.parametrize(("channel", "provider", "key"), [item for item in TEXTS if "." not in item[2]])
def test_no_key_is_a_section(channel: str, provider: str, key: str) -> None:
    assert f"{key}.inner: unknown key" in lines(channel, provider, **{key: {"inner": "x"}})


@pytest.mark.parametrize("languages", ["en", 7, True])
def test_languages_are_a_list(languages: object) -> None:
    assert lines("whatsapp", "meta", **{"template.languages": languages}) == [
        "template.languages: must be a list"
    ]


def test_each_wrong_language_has_its_place() -> None:
    languages = ["en", "en", False, "english", ["es"], "es"]

    assert lines("whatsapp", "meta", **{"template.languages": languages}) == [
        "template.languages[1]: duplicate value",
        "template.languages[2]: must be text, quote it: YAML reads NO and OFF as false",
        "template.languages[3]: must look like en or pt_BR",
        "template.languages[4]: must be text, not a list or a mapping",
    ]


@pytest.mark.parametrize(("channel", "provider", "key"), EVERY_KEY)
@pytest.mark.parametrize("empty", [None, ""])
def test_a_key_without_a_value_is_left_out(channel: str, provider: str, key: str, empty: object) -> None:
    """A secret may be stored already; what is required is named."""
    needed = REQUIRED.get((channel, provider), {}).get(key)

    assert lines(channel, provider, **{key: empty}) == ([f"{key}: {needed}"] if needed else [])


@pytest.mark.parametrize(("channel", "provider"), FULL)
@pytest.mark.parametrize("key", ["colour", "from_number", "template_name", "Provider", "secrets", "7"])
def test_an_unknown_key_is_refused_beside_all_others(channel: str, provider: str, key: str) -> None:
    assert lines(channel, provider, **{key: "x"}) == [f"{key}: unknown key"]


@pytest.mark.parametrize(
    ("provider", "key", "of"),
    [("twilio", "url", "http"), ("twilio", "api_key", "vonage"), ("vonage", "auth_token", "twilio"), ("http", "from", "twilio"),
     ("memory", "account_sid", "twilio"), ("console", "signing_secret", "http")],
)  # fmt: skip
def test_a_key_of_another_provider_says_so(provider: str, key: str, of: str) -> None:
    assert lines("sms", provider, **{key: str(flat(FULL["sms", of])[key])}) == [
        f"{key}: is not a key of {provider}"
    ]


@pytest.mark.parametrize(
    ("channel", "provider"),
    [("whatsapp", "twilio"), ("whatsapp", "http"), ("sms", "meta"), ("sms", "pigeon")],
)
def test_a_provider_serves_its_own_channels(channel: str, provider: str) -> None:
    known = of_project(**{channel: {"provider": provider}})

    assert len(known) == 1
    assert known[0].startswith(f"{channel}.provider: must be one of ")


@pytest.mark.parametrize("provider", ["memory", "console"])
def test_what_sends_nothing_is_no_provider_of_production(provider: str, settings: Settings) -> None:
    settings.PRODUCTION = True

    assert of_project(sms={"provider": provider}) == ["sms.provider: must be one of twilio, vonage, http"]
    assert of_project(whatsapp={"provider": provider}) == ["whatsapp.provider: must be one of meta"]


@pytest.mark.parametrize(
    "dotted", [{"template.name": "x"}, {"template.languages": ["en"]}, {"a.b": 1}, {"from.": "x"}]
)
def test_a_key_has_one_spelling(dotted: dict[str, Any]) -> None:
    """Whoever writes `template.name` beside `template:` would not see which of the two is used."""
    (key,) = dotted

    assert of_project(whatsapp=section("whatsapp", "meta", {}) | dotted) == [f"whatsapp.{key}: unknown key"]


def test_all_that_is_wrong_with_two_senders_comes_at_once() -> None:
    known = of_project(
        whatsapp={"phone_number_id": 7, "template": {"name": "Not A Name", "languages": ["x"]}, "url": "x"},
        sms={"provider": "twilio", "account_sid": "AC1", "from": "+1", "auth_token": "two words"},
    )

    assert known == [
        "whatsapp.phone_number_id: must be text, quote it: YAML reads digits as a number",
        "whatsapp.template.languages[0]: must look like en or pt_BR",
        "whatsapp.url: unknown key",
        "whatsapp.business_account_id: is required",
        "whatsapp.template.name: must be lower-case letters, digits and underscores",
        "sms.account_sid: must begin with AC and have 32 hexadecimal digits after it",
        "sms.auth_token: must not have spaces, line breaks or letters outside ASCII",
        "sms.from: must be a number such as +15005550006, a short code or a name",
    ]


def test_neither_a_section_nor_its_problems_show_a_secret() -> None:
    [spec] = project(sms=section("sms", "http", {"signing_secret": "s3cret"})).sms

    assert isinstance(spec, SenderSection)
    assert "s3cret" not in repr(spec)
    text = yaml.safe_dump(lines("sms", "http", signing_secret="s3cret with spaces"))
    assert "s3cret" not in text
    assert "signing_secret" in text
