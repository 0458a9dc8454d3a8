"""POST /api/v1/challenges."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from channels.models import Sender
from oidc.models import Client
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from projects.models import LoginMethods, TestNumber
from tests import factories
from tests.api.conftest import CHALLENGES, App, challenge_id, nothing_new, problem
from tests.clock import later


def test_a_start_answers_with_the_challenge_of_the_contract(app: App, rung: list[uuid.UUID]) -> None:
    before = timezone.now()
    response = app.start()

    found = response.json()
    assert response.status_code == 201
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert response["Location"] == f"{CHALLENGES}/{found['id']}"
    assert list(found) == [
        "id", "phone_masked", "channel", "channels", "code_length", "expires_at", "resend_at", "attempts_left",
        "state", "deliveries",
    ]  # fmt: skip
    assert found["phone_masked"] == "+852 •••• ••67"
    assert (found["channel"], found["channels"]) == ("whatsapp", ["whatsapp", "sms"])
    assert (found["code_length"], found["attempts_left"], found["state"]) == (6, 5, "pending")
    assert timedelta(seconds=29) < datetime.fromisoformat(found["resend_at"]) - before < timedelta(seconds=35)
    assert (
        timedelta(seconds=599) < datetime.fromisoformat(found["expires_at"]) - before < timedelta(seconds=605)
    )
    (delivery,) = found["deliveries"]
    assert delivery.pop("at").endswith("Z")
    assert delivery == {"channel": "whatsapp", "status": "queued"}
    assert rung == [Delivery.objects.get().id]


def test_a_start_answers_as_a_read_does(app: App) -> None:
    response = app.start()

    assert app.read(response.json()["id"]).json() == response.json()


def test_a_number_is_read_by_the_country_that_comes_with_it(app: App) -> None:
    """H12"""
    app.started("5123 4567", country="hk")

    assert Challenge.objects.get().phone == factories.PHONE


def test_the_origin_is_that_of_the_host_that_was_called(app: App) -> None:
    app.started()

    assert Challenge.objects.get().origin == "http://testserver"


@pytest.mark.parametrize(
    ("sent", "headers", "language"),
    [
        ({"locale": "zh-HK"}, {}, "zh-HK"),
        ({"locale": "pt_BR"}, {"Accept-Language": "es"}, "pt_BR"),
        ({}, {"Accept-Language": "es-MX,es;q=0.9"}, "es"),
        ({"locale": None}, {"Accept-Language": "xx"}, "en"),
        ({"locale": "en-US-u-fw-mon-mu-celsius"}, {"Accept-Language": "es"}, "en-US"),
        ({"locale": "de-u-fw-mon"}, {}, "de"),
        ({"locale": "zh-Hans-SG-x-work"}, {}, "zh-Hans-SG"),
        ({"locale": "zh_TW_#Hant"}, {}, "zh-Hant-TW"),
        ({"locale": "de_DE.UTF-8@euro"}, {}, "de-DE"),
        ({"locale": "sr_RS@latin"}, {}, "sr-Latn-RS"),
        ({"locale": "es-MX,es;q=0.9"}, {}, "es-MX"),
        ({"locale": "x-klingon"}, {"Accept-Language": "es"}, "es"),
        ({"locale": "C"}, {}, "en"),
        ({"locale": "e"}, {}, "en"),
        ({"locale": ""}, {"Accept-Language": "zh-CN"}, "zh-hans"),
        ({"locale": "\0en"}, {}, "en"),
        ({"locale": "\ud800"}, {}, "en"),
        ({"locale": "日本語"}, {"Accept-Language": "de_DE.UTF-8@euro, \x7f;q=x"}, "en"),
        ({"locale": "en" * 6000}, {"Accept-Language": "en-" * 2000}, "en"),
        ({"locale": ["en"]}, {}, "en"),
        ({"locale": {"language": "es"}}, {}, "en"),
        ({"locale": 5}, {"Accept-Language": "es"}, "es"),
        ({"locale": True}, {}, "en"),
        ({}, {}, "en"),
    ],
)
def test_the_language_of_the_message(
    app: App, sent: dict[str, Any], headers: dict[str, str], language: str
) -> None:
    """A hint, which never stops a login."""
    assert app.start(headers=headers, **sent).status_code == 201

    assert Challenge.objects.get().language == language


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ("nonsense", "not_a_number"),
        ("+852", "not_a_number"),
        ("+85251", "not_possible"),
        ("+85211111111", "not_valid"),
        ("+85221234567", "landline"),
        ("+448001234567", "no_messages"),
    ],
)
def test_what_is_no_number_that_gets_messages_is_refused(app: App, phone: str, reason: str) -> None:
    """C8"""
    with nothing_new():
        refused = problem(app.start(phone), 400, "invalid_phone")

    assert refused["reason"] == reason
    assert phone not in str(refused)


def test_a_country_that_the_project_does_not_serve_is_refused(app: App) -> None:
    """C7"""
    methods = LoginMethods.objects.get()
    methods.countries_allowed = ["HK"]
    methods.save()

    with nothing_new():
        problem(app.start(factories.OTHER_PHONE), 403, "country_not_allowed")
    app.started(factories.PHONE)


def test_an_explicit_channel_is_used(app: App) -> None:
    """D14"""
    found = app.start(channel="sms").json()

    assert found["channel"] == "sms"
    assert Delivery.objects.get().chosen


def test_a_channel_that_the_project_does_not_promise_is_refused(app: App) -> None:
    methods = LoginMethods.objects.get()
    methods.verify_phone_by = "whatsapp_only"
    methods.save()

    with nothing_new():
        problem(app.start(channel="sms"), 403, "channel_not_allowed")
    assert app.start().json()["channels"] == ["whatsapp"]


def test_without_a_sender_nothing_can_be_sent(app: App) -> None:
    for sender in Sender.objects.all():
        sender.delete()

    with nothing_new():
        problem(app.start(), 503, "unavailable")


def test_without_the_limiters_store_nothing_is_sent(app: App, settings: LazySettings) -> None:
    """C13"""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    with nothing_new():
        problem(app.start(), 503, "unavailable")


def test_a_second_start_for_a_number_waits(app: App) -> None:
    """C3, C14: with the wait in Retry-After, as the JSON knows no clock."""
    app.started()

    with nothing_new():
        response = app.start()
    problem(response, 429, "rate_limited")
    assert 1 <= int(response["Retry-After"]) <= 30

    with later(31):
        app.started()


def test_no_answer_tells_a_known_number_from_an_unknown_one(app: App) -> None:
    """E1, C14: starts and refusals look the same, but for what belongs to the challenge."""
    app.signed_in(factories.PHONE)
    with later(300):
        known, unknown = app.start("+85251234567"), app.start("+85251234568")
        refused = [app.start("+85251234567"), app.start("+85251234568")]

    own = {"id", "phone_masked"}
    assert {k: v for k, v in known.json().items() if k not in own} == {
        k: v for k, v in unknown.json().items() if k not in own
    }
    assert refused[0].content == refused[1].content
    assert refused[0]["Retry-After"] == refused[1]["Retry-After"]


def test_a_test_number_reaches_no_provider(app: App, project: ProjectConfig, rung: list[uuid.UUID]) -> None:
    """A10"""
    TestNumber.objects.create(
        project_id=project.id, phone=factories.PHONE, code="424242", until=date(2999, 1, 1)
    )

    found = app.start().json()

    assert found["deliveries"][0]["status"] == "delivered"
    assert rung == []
    assert app.verify(found["id"], "424242").status_code == 200


def test_unknown_fields_are_ignored(app: App) -> None:
    assert app.start(colour="blue").status_code == 201


def test_null_is_as_good_as_nothing(app: App) -> None:
    response = app.start(country=None, channel=None, locale=None, end_user_ip=None)

    assert response.status_code == 201


# Whose address counts -------------------------------------------------------------------------------

PHONES = [f"+8525123410{nth}" for nth in range(4)]


@pytest.fixture
def _one_from_an_address(settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"send.address": "1/10m"}


@pytest.mark.usefixtures("_one_from_an_address")
def test_a_caller_cannot_choose_its_own_address(app: App) -> None:
    """C6: neither by headers nor by a field that is for servers."""
    app.started(PHONES[0])

    for nth, name in enumerate(("X-Forwarded-For", "X-Real-IP", "Forwarded"), 1):
        problem(app.start(PHONES[nth], headers={name: f"198.51.100.{nth}"}), 429, "rate_limited")
    with nothing_new():
        refused = problem(app.start(PHONES[1], end_user_ip="198.51.100.9"), 400, "invalid_request")
    assert "end_user_ip" in refused["detail"]


@pytest.mark.usefixtures("_one_from_an_address")
def test_a_server_names_the_address_of_its_user(server: App) -> None:
    server.started(PHONES[0], end_user_ip="198.51.100.1")
    server.started(PHONES[1], end_user_ip="2001:db8::1")

    problem(server.start(PHONES[2], end_user_ip="198.51.100.1"), 429, "rate_limited")
    problem(server.start(PHONES[2], end_user_ip="2001:db8::2"), 429, "rate_limited")
    assert set(Challenge.objects.values_list("address", flat=True)) == {"198.51.100.1", "2001:db8::1"}


@pytest.mark.usefixtures("_one_from_an_address")
def test_without_end_user_ip_the_server_itself_is_counted(server: App) -> None:
    server.started(PHONES[0])

    problem(server.start(PHONES[1]), 429, "rate_limited")


def test_the_challenge_belongs_to_the_project_of_the_host(app: App, stranger: App) -> None:
    name = stranger.started()

    challenge = Challenge.objects.get(id=challenge_id(name))
    assert challenge.project_id == Client.objects.get(client_id="other-web").project_id
