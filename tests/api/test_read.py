"""GET /api/v1/challenges/{id}."""

from datetime import datetime, timedelta

import pytest

from channels.types import Channel, FailureReason, Status
from otp import services
from otp.models import Challenge, Delivery
from otp.types import Cause
from projects.models import LoginMethods
from tests import factories
from tests.api.conftest import CHALLENGES, App, challenge_id, code_of, problem, wrong_code
from tests.clock import later


def set_status(name: str, status: Status, reason: FailureReason | None = None) -> None:
    newest = factories.deliveries(challenge_id(name))[-1]
    Delivery.objects.filter(id=newest.id).update(status=status, reason=reason or "")


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Status.QUEUED, "queued"),
        (Status.SENDING, "queued"),
        (Status.ACCEPTED, "accepted"),
        (Status.SENT, "sent"),
        (Status.DELIVERED, "delivered"),
        (Status.READ, "read"),
        (Status.EXPIRED, "expired"),
    ],
)
def test_a_delivery_shows_its_status(app: App, status: Status, word: str) -> None:
    name = app.started()
    set_status(name, status)

    response = app.read(name)

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    (delivery,) = response.json()["deliveries"]
    assert delivery["status"] == word
    assert "error" not in delivery


@pytest.mark.parametrize("reason", FailureReason)
def test_a_failure_says_why(app: App, reason: FailureReason) -> None:
    name = app.started()
    set_status(name, Status.FAILED, reason)

    (delivery,) = app.read(name).json()["deliveries"]
    assert (delivery["status"], delivery["error"]) == ("failed", reason.value)


def test_after_a_fallback_the_channel_in_use_is_the_new_one(app: App) -> None:
    name = app.started()
    set_status(name, Status.FAILED, FailureReason.NOT_ON_CHANNEL)
    challenge = Challenge.objects.get()
    sender_id = factories.deliveries(challenge.id)[0].sender_id
    assert sender_id
    at = challenge.created_at + timedelta(seconds=20)
    Delivery.objects.create(
        challenge=challenge,
        channel=Channel.SMS,
        cause=Cause.FALLBACK,
        sender_id=sender_id,
        created_at=at,
        send_after=at,
        status_at=at,
    )

    found = app.read(name).json()

    assert found["channel"] == "sms"
    assert [delivery["channel"] for delivery in found["deliveries"]] == ["whatsapp", "sms"]


def test_the_time_of_the_next_send_is_that_of_the_channel_in_use(app: App) -> None:
    name = app.started()

    assert datetime.fromisoformat(app.read(name).json()["resend_at"]) == Challenge.objects.get().resend_at


def test_a_channel_that_was_given_up_meanwhile_is_not_offered_again(app: App) -> None:
    name = app.started()
    methods = LoginMethods.objects.get()
    methods.verify_phone_by = "sms_only"
    methods.save()

    found = app.read(name).json()

    assert (found["channel"], found["channels"]) == ("whatsapp", ["sms"])
    assert found["resend_at"] == found["expires_at"]


def test_the_states_of_a_challenge(app: App) -> None:
    pending, verified, locked, cancelled = (app.started(f"+8525123410{nth}") for nth in range(4))
    app.verify(verified, code_of(verified))
    for nth in range(5):
        app.verify(locked, wrong_code(locked, nth))
    services.cancel(challenge_id=challenge_id(cancelled))

    assert [app.read(name).json()["state"] for name in (pending, verified, locked, cancelled)] == [
        "pending", "verified", "locked", "expired",
    ]  # fmt: skip
    with later(601):
        assert app.read(pending).json()["state"] == "expired"


def test_wrong_guesses_count_down(app: App) -> None:
    name = app.started()
    app.verify(name, wrong_code(name))

    assert app.read(name).json()["attempts_left"] == 4


def test_reading_sends_nothing(app: App, rung: list[object]) -> None:
    """C1"""
    name = app.started()
    sent = list(rung)

    with later(100):
        for _ in range(20):
            app.read(name)
            app.call("HEAD", f"{CHALLENGES}/{name}")

    assert rung == sent
    assert Delivery.objects.count() == 1


def test_head_is_answered_like_get_without_a_body(app: App) -> None:
    name = app.started()

    response = app.call("HEAD", f"{CHALLENGES}/{name}")

    assert (response.status_code, response.content) == (200, b"")


def test_a_challenge_that_was_purged_is_not_found(app: App) -> None:
    name = app.started()
    Challenge.objects.all().delete()

    problem(app.read(name), 404, "challenge_not_found")
