"""Guesses by people who are not the number's owner, who logs in beside them."""

import pytest
from django.conf import LazySettings
from django.utils import timezone

from otp.models import Challenge, Delivery, PhoneRecord
from tests import factories
from tests.api.conftest import code_of, wrong_code
from tests.login.abuse.support import HOME, Clock, Stranger, logs_in
from tests.login.conftest import Browser


def test_sixty_two_posts_to_one_challenge(
    stranger: Stranger, owner: Browser, fresh: Browser, clock: Clock
) -> None:
    """Neither the owner's browser nor a new one is refused, on the pages or by the API."""
    name = stranger.start().json()["id"]
    answers = [stranger.guess(name, wrong_code(name, nth)).json()["code"] for nth in range(62)]

    assert answers == ["wrong_code"] * 4 + ["challenge_locked"] * 58
    assert logs_in(owner)
    clock.go(31)
    assert logs_in(fresh)
    clock.go(61)
    own = stranger.start(address=HOME).json()["id"]
    assert stranger.guess(own, code_of(own), address=HOME).status_code == 200


@pytest.mark.parametrize("fate", ["locked", "expired", "consumed", "replaced", "unknown"])
def test_posts_to_what_is_over(
    fate: str, stranger: Stranger, owner: Browser, fresh: Browser, clock: Clock, settings: LazySettings
) -> None:
    """Any end of a challenge, with a ceiling for guesses that a handful would reach."""
    settings.AUTHSVC_LIMITS = {
        "guess.number": "6/1h",
        "send.number.hour": "50/1h",
        "send.number.day": "50/1d",
    }
    name = stranger.start().json()["id"]
    if fate == "locked":
        for nth in range(5):
            stranger.guess(name, wrong_code(name, nth))
    elif fate == "expired":
        clock.go(700)
    elif fate == "consumed":
        stranger.guess(name, code_of(name))
    elif fate == "replaced":
        Challenge.objects.filter(verified_at=None).update(ended_at=timezone.now(), end_reason="restarted")
    else:
        Delivery.objects.all().delete()
        Challenge.objects.all().delete()
    judged = sum(PhoneRecord.objects.values_list("wrong_guesses", flat=True))

    for nth in range(40):
        assert stranger.guess(name, f"{nth:06}").status_code in (404, 409, 410, 423), fate

    assert sum(PhoneRecord.objects.values_list("wrong_guesses", flat=True)) == judged
    clock.go(211)
    assert logs_in(fresh)
    assert logs_in(owner)


def test_a_hundred_guesses_over_two_days(
    stranger: Stranger, owner: Browser, fresh: Browser, clock: Clock
) -> None:
    """From five networks, as often as they may; then both browsers of the owner, and one more guess a day renews
    nothing."""
    networks, wrong = [f"203.0.{nth}.9" for nth in range(5)], 0
    turn = 0
    while wrong < 100:
        turn += 1
        address = networks[turn % 5]
        started = stranger.start(address=address)
        if started.status_code == 201:
            name = started.json()["id"]
            for nth in range(5):
                answer = stranger.guess(name, wrong_code(name, nth), address=address)
                wrong += answer.json()["code"] in ("wrong_code", "challenge_locked")
        clock.go(2400)
    assert PhoneRecord.objects.get().wrong_guesses >= 100

    assert logs_in(owner)
    PhoneRecord.objects.update(wrong_guesses=100)
    clock.go(31)
    waited = 0
    while not logs_in(fresh):
        waited += 600
        clock.go(600)
        stranger.start(address=networks[waited % 5])
    assert waited <= 4 * 3600


@pytest.mark.parametrize("already", [99, 100, 109, 5000])
def test_one_more_wrong_guess_closes_nothing(
    already: int, stranger: Stranger, owner: Browser, fresh: Browser, clock: Clock
) -> None:
    """The owner's browser at once, a new one within a quarter of an hour."""
    name = stranger.start().json()["id"]
    PhoneRecord.objects.update_or_create(
        project_id=Challenge.objects.latest("id").project_id,
        phone=factories.PHONE,
        defaults={"wrong_guesses": already, "updated_at": timezone.now()},
    )
    stranger.guess(name, wrong_code(name))

    assert logs_in(owner)
    PhoneRecord.objects.update(wrong_guesses=already + 1)
    clock.go(901)
    assert logs_in(fresh)


def test_guesses_of_unknown_browsers_stay_bounded(stranger: Stranger, owner: Browser, clock: Clock) -> None:
    """B2: with a new network for each start, every five minutes of a day."""
    judged = 0
    for nth in range(24 * 12):
        started = stranger.start(address=f"10.{nth // 250}.{nth % 250}.1")
        if started.status_code == 201:
            name = started.json()["id"]
            judged += sum(
                stranger.guess(name, wrong_code(name, turn), address=f"10.{turn}.0.1").json()["code"]
                == "wrong_code"
                for turn in range(6)
            )
        clock.go(300)

    assert judged <= 100
    assert logs_in(owner)
