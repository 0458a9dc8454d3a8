"""A secret is never shown: not in what is printed, dumped, logged, raised or exported."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from channels.base import SenderConfig
from channels.models import Sender
from channels.provider_settings import ProviderSettings, default_of, is_secret, tokens
from channels.providers import PROVIDERS
from channels.senders import Senders
from channels.types import Channel
from tests.channels.test_settings_rules import OPTIONAL, RIGHT

HIDDEN = "never-shown"
WITH_SECRETS = [name for name, provider in PROVIDERS.items() if provider.secret_names]


def secrets_of(name: str) -> dict[str, str]:
    return {field: f"{HIDDEN}-{field}" for field in PROVIDERS[name].secret_names}


def typed(name: str) -> ProviderSettings:
    stored: ProviderSettings = PROVIDERS[name].settings.of_stored(RIGHT.get(name, {}), secrets_of(name))
    return stored


def validated(name: str) -> ProviderSettings:
    values = RIGHT.get(name, {}) | OPTIONAL.get(name, {}) | secrets_of(name)
    made: ProviderSettings = PROVIDERS[name].settings.model_validate(values)
    return made


def test_every_provider_has_secrets() -> None:
    assert set(WITH_SECRETS) == set(PROVIDERS)


def test_what_is_named_like_a_secret_is_one() -> None:
    """Whoever adds a field to a provider may forget its type."""
    suspicious = ("secret", "token", "password", "key")
    for provider in PROVIDERS.values():
        for name, item in provider.settings.model_fields.items():
            if any(word in name for word in suspicious) and name != "api_key":  # an account's name at Vonage
                assert is_secret(item), f"{provider.name}.{name}"


@pytest.mark.parametrize("name", WITH_SECRETS)
@pytest.mark.parametrize("make", [typed, validated], ids=["stored", "validated"])
def test_settings_print_none_of_their_secrets(name: str, make: Any) -> None:
    made = make(name)
    config = SenderConfig(id=Sender().id, project_id=None, channel=Channel.SMS, provider=name, settings=made)
    loaded = Senders(by_id={config.id: config}, by_place={(None, Channel.SMS): (config,)})

    shown = [repr(made), str(made), f"{made}", repr(config), str(config), repr(loaded), repr(vars(config))]
    shown += [
        repr(made.model_dump()),
        made.model_dump_json(),
        repr(copy.deepcopy(made)),
        repr(made.model_copy()),
    ]

    assert [text for text in shown if HIDDEN in text] == []


@pytest.mark.parametrize("name", ["meta", "twilio", "vonage"])
def test_the_tokens_in_use_are_not_printed_once_they_were_read(name: str) -> None:
    """They are kept in the object, in clear."""
    made: Any = typed(name)
    used = {"meta": "app_secrets", "twilio": "auth_tokens", "vonage": "signature_secrets"}[name]

    assert all(HIDDEN in token for token in getattr(made, used))
    assert HIDDEN not in f"{made!r} {made} {made.model_dump()} {made.model_dump_json()}"


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_a_validation_error_repeats_no_value(name: str) -> None:
    wrong = RIGHT[name] | {field: f"{HIDDEN} {field}" for field in RIGHT[name]}

    with pytest.raises(ValidationError) as caught:
        PROVIDERS[name].settings.model_validate(wrong)

    # `errors()` is read by our own code alone; its input must not reach a traceback.
    assert HIDDEN not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_a_line_of_the_log_with_settings_in_it_shows_none(name: str) -> None:
    import structlog

    with capture_logs() as lines:
        structlog.get_logger().info("settings", settings=typed(name))

    assert HIDDEN not in repr(lines)


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_a_row_prints_none(name: str) -> None:
    row = Sender(channel=min(PROVIDERS[name].channels), provider=name)
    row.values = RIGHT.get(name, {}) | secrets_of(name)

    assert HIDDEN not in f"{row!r} {row}"
    assert HIDDEN not in json.dumps(row.settings)


# What is kept -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_a_secret_is_there_for_who_asks_for_it_by_name(name: str) -> None:
    made = typed(name)

    for field, secret in secrets_of(name).items():
        kept = getattr(made, field)
        assert isinstance(kept, SecretStr)
        assert kept.get_secret_value() == secret


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_validated_and_stored_settings_are_the_same(name: str) -> None:
    """What `apply` judges is what messages are sent with."""
    row = Sender(channel=min(PROVIDERS[name].channels), provider=name)
    row.values = RIGHT[name] | OPTIONAL[name]

    made = PROVIDERS[name].settings.model_validate(row.values)

    for field in type(made).model_fields:
        assert getattr(row.typed(), field) == getattr(made, field), field


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_settings_travel_through_json_as_rows_do(name: str) -> None:
    row = Sender(channel=min(PROVIDERS[name].channels), provider=name)
    row.values = RIGHT[name]

    back = PROVIDERS[name].settings.of_stored(json.loads(json.dumps(row.settings)), row.secrets)

    assert back == row.typed()
    assert hash(back) == hash(row.typed())


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_settings_do_not_change(name: str) -> None:
    made = typed(name)
    for field in type(made).model_fields:
        with pytest.raises(ValidationError):
            setattr(made, field, "other")


@pytest.mark.parametrize(
    ("current", "previous", "used"),
    [
        ("new", "old", ("new", "old")),
        ("new", "", ("new",)),
        ("", "old", ("old",)),
        ("", "", ()),
        ("same", "same", ("same", "same")),
    ],
)
@pytest.mark.parametrize(
    ("name", "field", "attribute"),
    [
        ("meta", "app_secret", "app_secrets"),
        ("twilio", "auth_token", "auth_tokens"),
        ("vonage", "signature_secret", "signature_secrets"),
        ("http", "signing_secret", "signing_secrets"),
    ],
)
def test_during_a_rotation_both_secrets_are_believed_the_current_one_first(
    name: str, field: str, attribute: str, current: str, previous: str, used: tuple[str, ...]
) -> None:
    stored = PROVIDERS[name].settings.of_stored({}, {field: current, f"{field}_previous": previous})

    assert getattr(stored, attribute) == used


@given(st.lists(st.text(max_size=8), max_size=4))
def test_tokens_are_those_that_are_filled_in_in_their_order(values: list[str]) -> None:
    assert tokens(*[SecretStr(value) for value in values]) == tuple(value for value in values if value)


@pytest.mark.parametrize("name", list(PROVIDERS))
def test_without_anything_stored_every_field_has_its_empty_value(name: str) -> None:
    """A row may be older than a field."""
    bare = PROVIDERS[name].settings.of_stored({}, {})

    for field, item in type(bare).model_fields.items():
        value = getattr(bare, field)
        if is_secret(item):
            assert value == SecretStr("")
        elif item.annotation is str:
            assert value == default_of(item)
        else:
            assert value == ()


@pytest.mark.parametrize("name", list(PROVIDERS))
@pytest.mark.parametrize("value", [None, "", [], 0, False])
def test_what_is_stored_empty_is_the_default(name: str, value: object) -> None:
    fields = PROVIDERS[name].settings.model_fields
    shown = {field: value for field, item in fields.items() if not is_secret(item)}

    assert PROVIDERS[name].settings.of_stored(shown, {}) == PROVIDERS[name].settings.of_stored({}, {})
