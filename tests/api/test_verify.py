"""POST /api/v1/challenges/{id}/verify: a login, and every way in which it is none."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings
from django.utils import timezone

from oidc import direct
from oidc.models import AccessToken, Client, RefreshToken, TokenFamily
from otp import services
from otp.models import Challenge, Delivery, PhoneRecord
from tests import factories
from tests.api.conftest import CHALLENGES, App, challenge_id, claims_of, code_of, problem, wrong_code
from tests.clock import later
from users import services as user_services
from users.models import User


def refresh(app: App, **fields: str) -> Any:
    """A refresh at the token endpoint."""
    form = urlencode({"grant_type": "refresh_token"} | fields)
    return app.http.post("/oauth2/token/", form, content_type="application/x-www-form-urlencoded")


def test_the_right_code_signs_in(app: App) -> None:
    name = app.started()

    response = app.verify(name, code_of(name))

    found = response.json()
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert list(found) == [
        "access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token", "user",
    ]  # fmt: skip
    assert (found["token_type"], found["expires_in"]) == ("Bearer", 3600)
    assert found["scope"] == "openid phone offline_access"
    user = User.objects.get()
    assert found["user"] == {"id": str(user.id), "phone_number": factories.PHONE, "is_new": True}
    assert app.read(name).json()["state"] == "verified"


def test_the_same_number_is_the_same_user_the_next_time(app: App) -> None:
    """H12, H13"""
    first = app.signed_in()["user"]
    with later(31):
        second = app.signed_in()["user"]

    assert second == first | {"is_new": False}


def test_the_id_token_says_who_and_how(app: App) -> None:
    """I22, J9, J17"""
    found = app.signed_in()

    claims = claims_of(found["id_token"])
    family = TokenFamily.objects.get()
    assert claims["sub"] == found["user"]["id"]
    assert claims["phone_number"] == factories.PHONE
    assert claims["phone_number_verified"] is True
    assert claims["amr"] == ["otp"]
    assert claims["sid"] == str(family.id)
    assert claims["auth_time"] == int(family.auth_time.timestamp())
    assert claims["exp"] - claims["iat"] == 3600


def test_a_login_with_an_sms_says_so(app: App) -> None:
    """I22"""
    name = app.started()
    app.send(name, channel="sms")
    Delivery.objects.filter(channel="sms").update(tries=1)

    found = app.verify(name, code_of(name)).json()

    assert claims_of(found["id_token"])["amr"] == ["otp", "sms"]


def test_the_access_token_opens_the_users_claims(app: App) -> None:
    """J15"""
    found = app.signed_in()

    response = app.http.get("/oauth2/userinfo/", headers={"Authorization": f"Bearer {found['access_token']}"})

    assert response.json() == {
        "sub": found["user"]["id"],
        "phone_number": factories.PHONE,
        "phone_number_verified": True,
    }


def test_the_refresh_token_is_renewed_by_its_own_client_only(app: App, server: App) -> None:
    """J6: tokens are bound to the client that the challenge was begun by."""
    found = app.signed_in()
    token = found["refresh_token"]

    theirs = refresh(server, refresh_token=token, client_id="acme-server", client_secret=server.secret)
    ours = refresh(app, refresh_token=token, client_id="acme-web")

    assert (theirs.status_code, theirs.json()["error"]) == (400, "invalid_grant")
    assert ours.status_code == 200
    assert ours.json()["refresh_token"] != found["refresh_token"]


def test_a_client_gets_no_scope_that_it_is_not_registered_for(app: App) -> None:
    """J22"""
    client = Client.objects.get()
    client.scopes = ["openid", "profile"]
    client.save()

    found = app.signed_in()

    assert found["scope"] == "openid"
    assert "phone_number" not in claims_of(found["id_token"])


def test_only_hashes_of_the_tokens_are_stored(app: App) -> None:
    found = app.signed_in()

    assert bytes(AccessToken.objects.get().token_hash) != found["access_token"].encode()
    assert RefreshToken.objects.count() == 1
    assert found["access_token"] not in str(list(AccessToken.objects.values()))


def test_signing_out_everywhere_ends_these_tokens_too(app: App) -> None:
    found = app.signed_in()
    user_services.end_all_sessions(user_id=User.objects.get().id)

    response = app.http.get("/oauth2/userinfo/", headers={"Authorization": f"Bearer {found['access_token']}"})

    assert response.status_code == 401


@pytest.mark.parametrize("spelling", ["{0} {1}", "{0}-{1}", " {0}{1}\n"])
def test_codes_are_taken_as_people_type_them(app: App, spelling: str) -> None:
    """A13"""
    name = app.started()
    code = code_of(name)

    assert app.verify(name, spelling.format(code[:3], code[3:])).status_code == 200


# Refusals -------------------------------------------------------------------------------------------


def test_wrong_codes_say_how_many_are_left_and_then_lock(app: App) -> None:
    """B1"""
    name = app.started()
    for nth, left in enumerate((4, 3, 2, 1)):
        assert problem(app.verify(name, wrong_code(name, nth)), 400, "wrong_code")["attempts_left"] == left

    problem(app.verify(name, wrong_code(name, 4)), 423, "challenge_locked")
    problem(app.verify(name, code_of(name)), 423, "challenge_locked")
    assert not User.objects.exists()


@pytest.mark.parametrize("typed", ["12345", "abcdef", "1" * 64, "12 34", "０"])
def test_whatever_can_be_typed_is_a_guess(app: App, typed: str) -> None:
    """B6"""
    name = app.started()

    assert problem(app.verify(name, typed), 400, "wrong_code")["attempts_left"] == 4


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


def test_a_blocked_user_is_told_after_the_right_code_only(app: App) -> None:
    user_id = app.signed_in()["user"]["id"]
    user_services.set_active(user_id=user_id, active=False)

    with later(31):
        name = app.started()
        problem(app.verify(name, wrong_code(name)), 400, "wrong_code")
        problem(app.verify(name, code_of(name)), 403, "user_blocked")
    assert TokenFamily.objects.count() == 1


def test_a_number_that_was_guessed_at_waits(app: App) -> None:
    """B2, B4"""
    name = app.started()
    PhoneRecord.objects.create(
        project_id=Challenge.objects.get().project_id,
        phone=factories.PHONE,
        wrong_guesses=9,
        updated_at=timezone.now(),
    )
    app.verify(name, wrong_code(name))

    response = app.verify(name, code_of(name))
    problem(response, 429, "rate_limited")
    assert response["Retry-After"] == "60"
    with later(61):
        assert app.verify(name, code_of(name)).status_code == 200


def test_guesses_are_counted_for_the_number_that_the_id_names(app: App, settings: LazySettings) -> None:
    """B2: the number's limit holds though no cookie names it."""
    settings.AUTHSVC_LIMITS = {"guess.number": "2/1h"}
    first, other = app.started(), app.started(factories.OTHER_PHONE)
    for nth in range(2):
        problem(app.verify(first, wrong_code(first, nth)), 400, "wrong_code")

    problem(app.verify(first, code_of(first)), 429, "rate_limited")
    assert app.verify(other, code_of(other)).status_code == 200


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


def test_a_login_is_there_whole_or_not_at_all(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens that cannot be written leave the code unused."""
    name = app.started()

    def fail(**_: object) -> None:
        raise RuntimeError("no room for tokens")

    with monkeypatch.context() as broken:
        broken.setattr(direct, "begin", fail)
        problem(app.verify(name, code_of(name)), 500, "internal_error")
    assert not User.objects.exists()
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
