"""POST /api/v1/challenges/{id}/send."""

import uuid

import pytest
from django.conf import LazySettings

from channels.models import Sender
from otp import services
from otp.models import Challenge, Delivery
from projects.models import LoginMethods
from tests import factories
from tests.api.conftest import CHALLENGES, App, challenge_id, code_of, nothing_new, problem, wrong_code
from tests.clock import later


def test_the_same_code_again_once_the_wait_is_over(app: App, rung: list[uuid.UUID]) -> None:
    name = app.started()
    code = code_of(name)

    with later(31):
        response = app.send(name)
        found = response.json()

    assert response.status_code == 202
    assert (found["id"], found["channel"], len(found["deliveries"])) == (name, "whatsapp", 2)
    assert code_of(name) == code


def test_a_resend_before_its_time_is_refused_with_the_wait(app: App) -> None:
    """C3"""
    name = app.started()

    with nothing_new():
        response = app.send(name)

    problem(response, 429, "rate_limited")
    assert 1 <= int(response["Retry-After"]) <= 30


def test_another_channel_may_be_chosen_at_once(app: App) -> None:
    """D14"""
    name = app.started()

    response = app.send(name, channel="sms")

    assert response.status_code == 202
    assert response.json()["channel"] == "sms"
    assert factories.channels_of(challenge_id(name)) == ["whatsapp", "sms"]


def test_a_double_click_on_resend_sends_once(app: App) -> None:
    """C2"""
    name = app.started()

    answers = [app.send(name, channel="sms") for _ in range(3)]

    assert {response.status_code for response in answers} == {202}
    assert Delivery.objects.count() == 2


def test_a_body_is_not_needed(app: App) -> None:
    name = app.started()

    with later(31):
        assert app.call("POST", f"{CHALLENGES}/{name}/send").status_code == 202


def test_a_channel_that_the_project_does_not_promise_is_refused(app: App) -> None:
    methods = LoginMethods.objects.get()
    methods.verify_phone_by = "whatsapp_only"
    methods.save()
    name = app.started()

    with nothing_new():
        problem(app.send(name, channel="sms"), 403, "channel_not_allowed")


def test_new_messages_give_no_new_guesses(app: App) -> None:
    """A11"""
    name = app.started()
    for nth in range(4):
        app.verify(name, wrong_code(name, nth))

    assert app.send(name, channel="sms").json()["attempts_left"] == 1
    problem(app.verify(name, wrong_code(name, 4)), 423, "challenge_locked")


def test_nothing_is_sent_for_a_challenge_that_is_over(app: App) -> None:
    """D4"""
    verified, locked, cancelled, expired = (app.started(f"+8525123410{nth}") for nth in range(4))
    app.verify(verified, code_of(verified))
    for nth in range(5):
        app.verify(locked, wrong_code(locked, nth))
    services.cancel(challenge_id=challenge_id(cancelled))

    with nothing_new():
        problem(app.send(verified, channel="sms"), 409, "challenge_consumed")
        problem(app.send(locked, channel="sms"), 423, "challenge_locked")
        problem(app.send(cancelled, channel="sms"), 410, "challenge_expired")
        with later(601):
            problem(app.send(expired, channel="sms"), 410, "challenge_expired")


def test_a_challenge_that_was_purged_is_not_found(app: App) -> None:
    name = app.started()
    Challenge.objects.all().delete()

    problem(app.send(name), 404, "challenge_not_found")


def test_a_resend_without_a_sender_or_a_limiter_is_unavailable(app: App, settings: LazySettings) -> None:
    """C13"""
    name = app.started()
    with nothing_new(), later(31):
        Sender.objects.get(channel="sms").delete()
        problem(app.send(name, channel="sms"), 503, "unavailable")
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        problem(app.send(name), 503, "unavailable")


@pytest.mark.parametrize("address", ["198.51.100.1", None])
def test_sends_count_for_the_address_of_the_user(
    server: App, settings: LazySettings, address: str | None
) -> None:
    settings.AUTHSVC_LIMITS = {"send.address": "1/10m"}
    name = server.started(end_user_ip="198.51.100.1")

    response = server.send(name, channel="sms", end_user_ip=address)

    if address:
        problem(response, 429, "rate_limited")
    else:
        assert response.status_code == 202


def test_a_public_client_names_no_address(app: App) -> None:
    """C6"""
    name = app.started()

    with nothing_new():
        problem(app.send(name, channel="sms", end_user_ip="198.51.100.1"), 400, "invalid_request")
