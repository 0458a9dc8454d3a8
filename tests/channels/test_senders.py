"""Which sender carries a message: own or shared, skipped or not, in which languages."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import SenderConfig
from channels.senders import Senders
from channels.types import Channel
from tests.channels import support
from tests.channels.known_senders import ACME, BETA, NOW, SECOND, SMS, WHATSAPP, known, sms, whatsapp

# Own and shared ---------------------------------------------------------------------------------------


def test_a_project_uses_its_own_sender_before_the_shared_one() -> None:
    shared, own = sms(), sms(ACME)
    senders = known(shared, own)

    assert senders.for_project(ACME, SMS) is own
    assert senders.for_project(BETA, SMS) is shared


def test_a_sender_of_another_project_is_never_used() -> None:
    senders = known(sms(ACME), whatsapp(project_id=BETA))

    assert senders.for_project(BETA, SMS) is None
    assert senders.for_project(ACME, WHATSAPP) is None


@pytest.mark.parametrize(("channel", "other"), [(SMS, WHATSAPP), (WHATSAPP, SMS)])
def test_each_channel_is_looked_up_by_itself(channel: Channel, other: Channel) -> None:
    """An own SMS account and the shared WhatsApp account."""
    shared = {SMS: sms(), WHATSAPP: whatsapp()}
    own = {SMS: sms(ACME), WHATSAPP: whatsapp(project_id=ACME)}
    senders = known(*shared.values(), own[channel])

    assert senders.for_project(ACME, channel) is own[channel]
    assert senders.for_project(ACME, other) is shared[other]


def test_an_own_sender_that_fails_is_not_replaced_by_the_shared_one() -> None:
    """The project's name is on it: nobody sends in another one's name because of an outage."""
    own = sms(ACME)
    senders = known(sms(), own, open_until={own.id: NOW + SECOND})

    assert senders.for_project(ACME, SMS) is own
    assert senders.is_open(own, now=NOW)


places = st.lists(st.tuples(st.sampled_from([None, ACME, BETA]), st.sampled_from(Channel)), unique=True)


@given(places, st.sampled_from([ACME, BETA, uuid.UUID(int=3)]), st.sampled_from(Channel))
def test_a_message_goes_through_an_own_or_a_shared_sender_of_its_channel(
    taken: list[tuple[uuid.UUID | None, Channel]], project_id: uuid.UUID, channel: Channel
) -> None:
    makers = {SMS: sms, WHATSAPP: lambda owner: whatsapp(project_id=owner)}
    senders = known(*[makers[item](owner) for owner, item in taken])

    sender = senders.for_project(project_id, channel)

    if sender is None:
        assert (project_id, channel) not in taken
        assert (None, channel) not in taken
    else:
        assert sender.channel is channel
        assert sender.project_id == (project_id if (project_id, channel) in taken else None)


def test_senders_of_a_provider_are_those_of_all_projects_and_channels() -> None:
    """A provider's report names its account, not ours."""
    one, two, other = sms(), sms(ACME), whatsapp()
    senders = known(one, two, other)

    assert senders.of_provider("twilio") == [one, two]
    assert senders.of_provider("meta") == [other]
    assert senders.of_provider("vonage") == []
    assert senders.of_provider("") == []


# Skipped ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "is_open"),
    [
        (None, False),
        (NOW - SECOND, False),
        (NOW, False),
        (NOW + SECOND, True),
        (NOW + timedelta(days=1), True),
    ],
)
def test_a_sender_is_skipped_until_its_probe_is_due(until: datetime | None, is_open: bool) -> None:
    sender = sms()

    assert known(sender, open_until={sender.id: until} if until else {}).is_open(sender, now=NOW) is is_open


def test_the_breaker_of_one_sender_skips_no_other() -> None:
    broken, well = sms(), sms(ACME)

    assert not known(broken, well, open_until={broken.id: NOW + SECOND}).is_open(well, now=NOW)


def unhealthy(sender: SenderConfig[Any], languages: Mapping[str, datetime | None]) -> Senders:
    return known(sender, unhealthy_languages={sender.id: languages})


@pytest.mark.parametrize(
    ("trouble", "usable"),
    [
        ({}, ("en", "es_MX", "pt_BR")),
        ({"es_MX": NOW + SECOND}, ("en", "pt_BR")),
        ({"es_MX": NOW}, ("en", "es_MX", "pt_BR")),
        ({"es_MX": None}, ("en", "es_MX", "pt_BR")),
        ({"es-MX": NOW + SECOND}, ("en", "es_MX", "pt_BR")),  # it is stored in one spelling
        ({"fr": NOW + SECOND}, ("en", "es_MX", "pt_BR")),
        ({"en": NOW + SECOND, "pt_BR": NOW + SECOND}, ("es_MX",)),
        ({"en": NOW + SECOND, "es_MX": NOW + SECOND, "pt_BR": NOW + SECOND}, ()),
    ],
)
def test_languages_in_trouble_are_left_out_in_the_senders_order(
    trouble: dict[str, datetime | None], usable: tuple[str, ...]
) -> None:
    sender = whatsapp("en", "es_MX", "pt_BR")
    senders = unhealthy(sender, trouble)

    assert senders.template_languages(sender, now=NOW) == usable
    assert senders.is_open(sender, now=NOW) is (usable == ())


def test_a_language_that_was_stored_with_a_hyphen_is_the_same_language() -> None:
    """Rows are older than the rule that asks for an underscore."""
    sender = whatsapp("es-MX")

    assert unhealthy(sender, {"es_MX": NOW + SECOND}).template_languages(sender, now=NOW) == ()
    assert unhealthy(sender, {"es_MX": None}).was_unhealthy(sender, "es-MX")


def test_a_sender_whose_languages_are_all_skipped_comes_back_with_the_first_of_them() -> None:
    sender = whatsapp("en", "es_MX")
    senders = unhealthy(sender, {"en": NOW + SECOND, "es_MX": NOW + 10 * SECOND})

    assert senders.is_open(sender, now=NOW)
    assert not senders.is_open(sender, now=NOW + SECOND)
    assert senders.template_languages(sender, now=NOW + SECOND) == ("en",)


def test_a_sender_without_templates_is_not_skipped_for_a_template() -> None:
    assert not known(sms()).is_open(sms(), now=NOW)
    assert known(sms()).template_languages(sms(), now=NOW) == ()


def test_an_open_breaker_skips_a_sender_whose_languages_are_well() -> None:
    sender = whatsapp()

    assert known(sender, open_until={sender.id: NOW + SECOND}).is_open(sender, now=NOW)


@pytest.mark.parametrize(
    ("trouble", "language", "was_unhealthy"),
    [
        ({}, "en", False),
        ({"en": None}, "en", True),
        ({"en": NOW - SECOND}, "en", True),
        ({"en": NOW + SECOND}, "es_MX", False),
        ({"es_MX": NOW}, "es-MX", True),
    ],
)
def test_a_language_has_to_be_seen_to_work_after_it_was_in_trouble(
    trouble: dict[str, datetime | None], language: str, was_unhealthy: bool
) -> None:
    """A healthy language costs no statement when a message is taken."""
    sender = whatsapp()

    assert unhealthy(sender, trouble).was_unhealthy(sender, language) is was_unhealthy
    assert not known(sender).was_unhealthy(sender, language)


languages = st.lists(st.sampled_from(["en", "es_MX", "pt_BR", "de", "fr"]), unique=True, min_size=1)


@given(languages, st.dictionaries(st.sampled_from(["en", "es_MX", "de"]), st.none() | st.integers(-9, 9)))
def test_a_usable_language_is_one_of_the_senders_and_is_not_skipped_now(
    configured: list[str], seconds: dict[str, int | None]
) -> None:
    sender = whatsapp(*configured)
    trouble = {key: None if left is None else NOW + left * SECOND for key, left in seconds.items()}
    senders = unhealthy(sender, trouble)

    usable = senders.template_languages(sender, now=NOW)

    skipped = {key for key, left in seconds.items() if left is not None and left > 0}
    assert list(usable) == [item for item in configured if item not in skipped]
    assert senders.is_open(sender, now=NOW) is (not usable)


# A sender in memory -----------------------------------------------------------------------------------


def test_a_sender_with_other_languages_is_otherwise_the_same() -> None:
    sender = whatsapp("en", "es_MX")

    fewer = sender.with_languages(("en",))

    assert fewer.template_languages == ("en",)
    assert sender.template_languages == ("en", "es_MX")
    assert (fewer.id, fewer.project_id, fewer.channel) == (sender.id, sender.project_id, sender.channel)
    assert fewer.settings.access_token == sender.settings.access_token
    assert fewer.settings.template_name == sender.settings.template_name


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        (support.whatsapp_sender(), "330022114455667"),
        (support.twilio_sender(), "+15005550006"),
        (support.twilio_sender(from_number="", messaging_service_sid="MG1"), "MG1"),
        (support.vonage_sender(from_number="Acme"), "Acme"),
        (support.gateway_sender(url="https://gateway.example/send"), "https://gateway.example/send"),
        (support.config("console", SMS, {}), ""),
        (support.config("memory", WHATSAPP, {"phone_number_id": "7"}), "7"),
    ],
    ids=lambda item: item.provider if isinstance(item, SenderConfig) else "",
)
def test_what_the_list_of_senders_shows(sender: SenderConfig[Any], shown: str) -> None:
    assert sender.settings.sends_from == shown


@pytest.mark.parametrize(
    ("sender", "number"),
    [
        (support.whatsapp_sender(), ""),
        (support.twilio_sender(), "+15005550006"),
        (support.twilio_sender(from_number="", messaging_service_sid="MG1"), ""),
        (support.vonage_sender(), "+15005550006"),
        (support.gateway_sender(), ""),
    ],
    ids=lambda item: item.provider if isinstance(item, SenderConfig) else "",
)
def test_where_people_who_wrote_stop_can_write_start(sender: SenderConfig[Any], number: str) -> None:
    assert sender.settings.reply_number == number
