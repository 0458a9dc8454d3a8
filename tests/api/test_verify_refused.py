"""POST /api/v1/challenges/{id}/verify: every way in which it is no login."""

import pytest
from django.conf import LazySettings
from django.db.models import Model
from django.utils import timezone

from oidc import tokens
from oidc.models import AccessToken, RefreshToken, TokenFamily
from otp import services
from otp.models import Challenge, PhoneRecord
from tests import factories
from tests.api.conftest import CHALLENGES, App, challenge_id, code_of, problem, wrong_code
from tests.clock import later
from users import services as user_services
from users.models import User

# What a challenge is begun for, by the mode that verify may name.
PURPOSES = {"tokens": "login", "assertion": "assertion"}


def test_wrong_codes_say_how_many_are_left_and_then_lock(app: App) -> None:
    """B1"""
    name = app.started()
    for nth, left in enumerate((4, 3, 2, 1)):
        assert problem(app.verify(name, wrong_code(name, nth)), 400, "wrong_code")["attempts_left"] == left

    problem(app.verify(name, wrong_code(name, 4)), 423, "challenge_locked")
    problem(app.verify(name, code_of(name)), 423, "challenge_locked")
    assert not User.objects.exists()


@pytest.mark.parametrize("mode", ["tokens", "assertion"])
@pytest.mark.parametrize(
    "typed", ["1", "12345", "1234567", "abcdef", "1" * 64, "12 34", "０", "Your code is on its way, wait."]
)
def test_what_cannot_be_the_code_is_no_attempt(app: App, typed: str, mode: str) -> None:
    name = app.started(purpose=PURPOSES[mode])

    for _repeated in range(6):
        refused = problem(app.verify(name, typed, mode=mode), 400, "invalid_request")

    assert refused["invalid_params"] == {"code": "must be the 6 digits of the code"}
    assert app.read(name).json()["attempts_left"] == 5


@pytest.mark.parametrize("mode", ["tokens", "assertion"])
@pytest.mark.parametrize(
    "spelling",
    ["{0}\u200c{1}", "{0}\u2062{1}", "{0}\ufe0f{1}", "{0}\u3164{1}", "{0}\u1680{1}", "<#> {0} {1} is it"],
)
def test_invisible_characters_and_separators_are_skipped(app: App, spelling: str, mode: str) -> None:
    name = app.started(purpose=PURPOSES[mode])
    code = code_of(name)

    assert app.verify(name, spelling.format(code[:3], code[3:]), mode=mode).status_code == 200


@pytest.mark.parametrize("seconds", [0, 3, 60])
def test_tokens_are_given_once(app: App, seconds: int) -> None:
    """A5: a repeat within seconds is no exception, tokens are not kept to be given again."""
    name = app.started()
    code = code_of(name)
    app.verify(name, code)

    with later(seconds):
        problem(app.verify(name, code), 409, "challenge_consumed")
        problem(app.verify(name, wrong_code(name)), 409, "challenge_consumed")
    assert TokenFamily.objects.count() == 1


def test_old_and_withdrawn_codes_are_expired(app: App) -> None:
    """A3, A4"""
    old, withdrawn = app.started("+85251234100"), app.started("+85251234101")
    services.cancel(challenge_id=challenge_id(withdrawn))

    problem(app.verify(withdrawn, code_of(withdrawn)), 410, "challenge_expired")
    with later(601):
        problem(app.verify(old, code_of(old)), 410, "challenge_expired")


def test_a_block_is_revealed_only_after_the_right_code(app: App) -> None:
    user_id = app.signed_in()["user"]["id"]
    user_services.set_active(user_id=user_id, active=False)

    with later(31):
        name = app.started()
        problem(app.verify(name, wrong_code(name)), 400, "wrong_code")
        problem(app.verify(name, code_of(name)), 403, "user_blocked")
    assert TokenFamily.objects.count() == 1


def test_unknown_callers_wait_before_they_start_for_a_number_under_attack(app: App) -> None:
    """B2, B4: and the challenge that is open takes its right code."""
    name = app.started()
    PhoneRecord.objects.create(
        project_id=Challenge.objects.get().project_id,
        phone=factories.PHONE,
        wrong_guesses=9,
        updated_at=timezone.now(),
    )
    app.verify(name, wrong_code(name))

    response = app.start()
    problem(response, 429, "rate_limited")
    assert response["Retry-After"] == "60"
    assert app.verify(name, code_of(name)).status_code == 200


def test_guesses_are_counted_for_the_number_that_the_id_names(app: App, settings: LazySettings) -> None:
    """B2: the number's limit holds though no cookie names it, and over what is begun."""
    settings.AUTHSVC_LIMITS = {"guess.number": "2/1h"}
    first, other = app.started(), app.started(factories.OTHER_PHONE)
    for nth in range(2):
        problem(app.verify(first, wrong_code(first, nth)), 400, "wrong_code")

    with later(40):
        problem(app.start(), 429, "rate_limited")
        assert app.verify(first, code_of(first)).status_code == 200
        assert app.verify(other, code_of(other)).status_code == 200
        assert app.start(factories.OTHER_PHONE).status_code == 201


def test_guesses_are_counted_for_the_address_of_the_user(server: App, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"guess.address": "1/10m"}
    name = server.started()
    server.verify(name, wrong_code(name), end_user_ip="198.51.100.1")

    problem(server.verify(name, code_of(name), end_user_ip="198.51.100.1"), 429, "rate_limited")
    assert server.verify(name, code_of(name), end_user_ip="198.51.100.2").status_code == 200


def test_a_public_client_names_no_address(app: App) -> None:
    """C6"""
    name = app.started()

    problem(app.verify(name, code_of(name), end_user_ip="198.51.100.1"), 400, "invalid_request")
    assert app.verify(name, code_of(name)).status_code == 200


def test_guesses_go_on_without_the_limiters_store(app: App, settings: LazySettings) -> None:
    name = app.started()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    problem(app.verify(name, wrong_code(name)), 400, "wrong_code")
    assert app.verify(name, code_of(name)).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("taken", [AccessToken, RefreshToken])
def test_a_login_is_there_whole_or_not_at_all(
    app: App, monkeypatch: pytest.MonkeyPatch, taken: type[Model]
) -> None:
    """One token that cannot be written leaves the code unused, and nothing of the login behind."""
    name = app.started()
    with monkeypatch.context() as broken:
        broken.setattr(tokens, "new_token", lambda: "taken")
        app.signed_in(factories.OTHER_PHONE)
        for model in {AccessToken, RefreshToken} - {taken}:
            model._default_manager.all().delete()
        problem(app.verify(name, code_of(name)), 500, "internal_error")
    assert User.objects.count() == TokenFamily.objects.count() == 1
    assert AccessToken.objects.count() + RefreshToken.objects.count() == 1
    assert app.read(name).json()["state"] == "pending"

    assert app.verify(name, code_of(name)).status_code == 200


def test_a_challenge_that_was_purged_is_not_found(app: App) -> None:
    name = app.started()
    code = code_of(name)
    Challenge.objects.all().delete()

    problem(app.verify(name, code), 404, "challenge_not_found")


def test_the_code_of_another_challenge_is_wrong(app: App) -> None:
    """A7"""
    mine, theirs = app.started(), app.started(factories.OTHER_PHONE)

    problem(app.verify(mine, code_of(theirs)), 400, "wrong_code")


def test_verifying_is_a_post(app: App) -> None:
    name = app.started()

    response = app.http.get(f"{CHALLENGES}/{name}/verify?code={code_of(name)}")

    problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST"
