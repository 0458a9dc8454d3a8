"""What the admin and the configuration file refuse: senders, test numbers, and promises that nobody keeps."""

import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from channels import validation
from channels.models import Sender
from channels.providers import PROVIDERS
from channels.validation import code_problem, phone_of, provider_problem, sender_problems
from projects.models import Project
from projects.rules import CHANNELS_OF
from tests import factories

GATEWAY = {"url": "https://gateway.example/send", "signing_secret": "secret"}


def sender(channel: str, provider: str, **values: Any) -> Sender:
    row = Sender(channel=channel, provider=provider)
    if provider in PROVIDERS:
        row.values = values
    return row


# Senders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "provider", "served_by"),
    [
        ("sms", "meta", "twilio, vonage, http, console, memory"),
        ("whatsapp", "twilio", "meta, console, memory"),
        ("whatsapp", "http", "meta, console, memory"),
        ("whatsapp", "vonage", "meta, console, memory"),
        ("sms", "unheard-of", "twilio, vonage, http, console, memory"),
        ("sms", "", "twilio, vonage, http, console, memory"),
        ("fax", "http", ""),
    ],
)
def test_a_provider_serves_its_own_channels(channel: str, provider: str, served_by: str) -> None:
    assert sender_problems(sender(channel, provider)) == [("provider", f"must be one of {served_by}")]


def test_every_provider_is_taken_for_each_of_its_channels_and_for_no_other() -> None:
    for name, provider in PROVIDERS.items():
        for channel in ("whatsapp", "sms"):
            assert (provider_problem(channel, name) == "") is (channel in provider.channels)


@pytest.mark.parametrize("provider", ["console", "memory"])
@pytest.mark.parametrize("channel", ["whatsapp", "sms"])
def test_in_production_nothing_is_printed(channel: str, provider: str, settings: Settings) -> None:
    assert sender_problems(sender(channel, provider)) == []

    settings.PRODUCTION = True

    ((field, sentence),) = sender_problems(sender(channel, provider))
    assert field == "provider"
    assert provider not in sentence


def test_the_provider_is_judged_before_its_settings() -> None:
    """Keys of a provider that cannot serve would all be wrong, and none of them is the mistake."""
    assert [field for field, _ in sender_problems(sender("whatsapp", "http"))] == ["provider"]


def test_settings_and_secrets_are_judged_together() -> None:
    assert sender_problems(sender("sms", "http", **GATEWAY)) == []
    assert sender_problems(sender("sms", "http", url=GATEWAY["url"])) == [
        ("signing_secret", "is required, none is stored yet")
    ]
    assert [field for field, _ in sender_problems(sender("sms", "http", **GATEWAY | {"url": "x"}))] == ["url"]


def test_what_a_provider_does_not_know_is_named_wherever_it_is_stored() -> None:
    row = sender("sms", "http", **GATEWAY)
    row.settings["region"] = "eu"
    row.secrets["token"] = "x"

    assert sorted(sender_problems(row)) == [
        ("region", "is not a key of http"),
        ("token", "is not a key of http"),
    ]


# Test numbers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("+85251234567", "+85251234567"),
        ("+852 5123 4567", "+85251234567"),
        ("+44 (0)7911 123456", "+447911123456"),
        ("00447911123456", "+447911123456"),
        ("+٤٤7911123456", "+447911123456"),
    ],
)
def test_a_test_number_is_kept_in_one_form(typed: str, phone: str) -> None:
    assert phone_of(typed) == phone


@pytest.mark.parametrize(
    "typed", ["", "+", "hello", "+1", "+44 20 7946 0958", "51234567", "+852512345678901", "+999123456789"]
)
def test_what_is_no_mobile_number_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(ValidationError) as caught:
        phone_of(typed)

    assert caught.value.messages == ["must be a mobile number in the form +15005550199"]


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("123456", True), ("0000000000", True), ("12345678", True), ("12345", False), ("12345678901", False),
        ("12345a", False), ("123 456", False), ("123456\n", False), ("-123456", False), ("١٢٣٤٥٦", False),
        ("１２３４５６", False),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_fixed_code_has_six_to_ten_digits(code: str, right: bool) -> None:
    assert code_problem(code) == ("" if right else "must have from 6 to 10 digits")


def test_a_fixed_code_that_is_not_given_is_missing() -> None:
    assert code_problem("") == "is required, none is stored yet"


@given(st.text(min_size=1, max_size=12))
def test_a_code_is_right_exactly_when_people_can_type_it_on_any_keypad(code: str) -> None:
    is_typed = code.isascii() and code.isdigit() and 6 <= len(code) <= 10

    assert (code_problem(code) == "") is is_typed


# Promises ---------------------------------------------------------------------------------------------


def project(slug: str, mode: str = "whatsapp_or_sms") -> Project:
    config = factories.make_project(
        slug=slug, name=slug.title(), is_default=slug == "acme", senders=False, verify_phone_by=mode
    )
    return Project.objects.get(id=config.id)


def unserved(mode: str, owner: Project | None = None) -> list[str]:
    return validation.unserved_channels(project_id=owner.id if owner else None, verify_phone_by=mode)


@pytest.mark.django_db
@pytest.mark.parametrize("mode", CHANNELS_OF)
def test_without_senders_no_channel_is_served(mode: str) -> None:
    assert unserved(mode) == list(CHANNELS_OF[mode])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mode", "left"), [("whatsapp_or_sms", ["whatsapp"]), ("whatsapp_only", ["whatsapp"]), ("sms_only", [])]
)
def test_a_shared_sender_serves_everybody(mode: str, left: list[str]) -> None:
    factories.make_sender("sms")

    assert unserved(mode) == left
    assert unserved(mode, project("acme")) == left


@pytest.mark.django_db
def test_an_own_sender_serves_its_project_alone() -> None:
    acme, beta = project("acme"), project("beta")
    factories.make_sender("sms", acme)
    factories.make_sender("whatsapp")

    assert unserved("whatsapp_or_sms", acme) == []
    assert unserved("whatsapp_or_sms", beta) == ["sms"]
    assert unserved("whatsapp_or_sms") == ["sms"]


@pytest.mark.django_db
def test_a_sender_that_is_switched_off_keeps_no_promise() -> None:
    acme = project("acme")
    factories.make_sender("sms", acme, is_active=False)
    factories.make_sender("whatsapp", is_active=False)

    assert unserved("whatsapp_or_sms", acme) == ["whatsapp", "sms"]


@pytest.mark.django_db
def test_a_project_that_does_not_exist_yet_has_the_shared_ones() -> None:
    factories.make_sender("sms")

    assert validation.unserved_channels(project_id=uuid.uuid4(), verify_phone_by="sms_only") == []


# What would break without a sender --------------------------------------------------------------------


@pytest.mark.django_db
def test_without_the_only_shared_sender_those_without_their_own_are_left() -> None:
    acme = project("acme")
    project("beta")
    project("gamma", "whatsapp_only")
    shared = factories.make_sender("sms")
    factories.make_sender("sms", acme)

    assert validation.projects_left_without(shared) == ["Beta"]


@pytest.mark.django_db
def test_without_an_own_sender_only_its_project_can_be_left() -> None:
    acme = project("acme")
    project("beta")
    own = factories.make_sender("sms", acme)

    assert validation.projects_left_without(own) == ["Acme"]

    factories.make_sender("sms")
    assert validation.projects_left_without(own) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mode", "channel", "left"),
    [
        ("whatsapp_or_sms", "whatsapp", ["Acme"]),
        ("whatsapp_or_sms", "sms", ["Acme"]),
        ("whatsapp_only", "sms", []),
        ("whatsapp_only", "whatsapp", ["Acme"]),
        ("sms_only", "whatsapp", []),
        ("sms_only", "sms", ["Acme"]),
    ],
)
def test_only_a_channel_that_is_promised_is_missed(mode: str, channel: str, left: list[str]) -> None:
    project("acme", mode)

    assert validation.projects_left_without(factories.make_sender(channel)) == left


@pytest.mark.django_db
def test_a_spare_sender_that_is_switched_off_takes_nobodys_place() -> None:
    acme = project("acme")
    shared = factories.make_sender("sms")
    factories.make_sender("sms", acme, is_active=False)
    factories.make_sender("whatsapp", acme)

    assert validation.projects_left_without(shared) == ["Acme"]


@pytest.mark.django_db
def test_a_sender_that_is_not_stored_yet_leaves_nobody_worse_off_than_before() -> None:
    project("acme")
    factories.make_sender("sms")

    assert validation.projects_left_without(Sender(channel="sms", provider="http")) == []
