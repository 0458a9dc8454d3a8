"""`{"mode": "assertion"}`: a signed word that a number was proven, and nothing else."""

from typing import Any

import jwt
import pytest
from django.utils import timezone

from oidc import keys
from oidc.models import Client, TokenFamily
from otp.models import Challenge, Delivery
from tests import factories
from tests.api.conftest import App, claims_of, code_of, problem, wrong_code
from tests.clock import later
from users import services as user_services
from users.models import User


def assertion_of(app: App, name: str) -> dict[str, Any]:
    response = app.verify(name, code_of(name), mode="assertion")
    assert response.status_code == 200, response.content
    assert response["Cache-Control"] == "no-store"
    found: dict[str, Any] = response.json()
    return found


def test_it_says_that_the_number_was_proven_to_this_client_in_this_challenge(app: App) -> None:
    name = app.started()

    found = assertion_of(app, name)

    assert set(found) == {"assertion", "expires_in"}
    assert found["expires_in"] == 120
    assert jwt.get_unverified_header(found["assertion"])["typ"] == "phone-verification+jwt"
    claims = claims_of(found["assertion"])
    assert claims.pop("jti")
    issued = claims.pop("iat")
    assert abs(issued - timezone.now().timestamp()) < 5
    assert claims == {
        "iss": "http://testserver",
        "aud": "acme-web",
        "exp": issued + 120,
        "challenge_id": name,
        "phone_number": factories.PHONE,
        "phone_number_verified": True,
        "amr": ["otp"],
    }


def test_it_is_signed_as_the_client_wants_it(app: App) -> None:
    client = Client.objects.get()
    client.algorithm = "RS256"
    client.save()

    found = assertion_of(app, app.started())

    assert jwt.get_unverified_header(found["assertion"])["alg"] == "RS256"
    assert claims_of(found["assertion"])


def test_nobody_signs_in_by_it(app: App) -> None:
    assertion_of(app, app.started())

    assert not User.objects.exists()
    assert not TokenFamily.objects.exists()


def test_a_user_who_is_there_is_neither_touched_nor_asked(app: App) -> None:
    """E1: the answer is the same for a number with an account, without one, and with a blocked one."""
    app.signed_in()
    user = User.objects.get()
    user_services.set_active(user_id=user.id, active=False)

    with later(31):
        assertion_of(app, app.started())

    assert User.objects.get().last_login == user.last_login


def test_it_says_whether_an_sms_was_sent(app: App) -> None:
    """I22"""
    name = app.started()
    app.send(name, channel="sms")
    Delivery.objects.filter(channel="sms").update(tries=1)

    assert claims_of(assertion_of(app, name)["assertion"])["amr"] == ["otp", "sms"]


def test_the_code_is_used_up_by_it(app: App) -> None:
    """A5: in both modes."""
    name = app.started()
    assertion_of(app, name)

    problem(app.verify(name, code_of(name), mode="assertion"), 409, "challenge_consumed")
    problem(app.verify(name, code_of(name)), 409, "challenge_consumed")
    assert app.read(name).json()["state"] == "verified"
    assert [delivery.due_at for delivery in Delivery.objects.all()] == [None]


def test_a_code_that_signed_in_gives_no_assertion(app: App) -> None:
    """A5"""
    name = app.started()
    app.verify(name, code_of(name))

    problem(app.verify(name, code_of(name), mode="assertion"), 409, "challenge_consumed")


def test_guesses_are_counted_whatever_the_mode(app: App) -> None:
    """B7"""
    name = app.started()
    for nth in range(4):
        app.verify(name, wrong_code(name, nth), mode="assertion" if nth % 2 else "tokens")

    problem(app.verify(name, wrong_code(name, 4), mode="assertion"), 423, "challenge_locked")
    problem(app.verify(name, code_of(name), mode="assertion"), 423, "challenge_locked")
    assert Challenge.objects.get().attempts == 5


def test_it_is_no_token_of_ours(app: App) -> None:
    """J10, J11: it opens nothing at the user-info endpoint, and lacks what makes an ID token."""
    found = assertion_of(app, app.started())["assertion"]

    response = app.http.get("/oauth2/userinfo/", headers={"Authorization": f"Bearer {found}"})

    assert response.status_code == 401
    assert keys.read(found) is None
    assert "sub" not in claims_of(found)


def test_it_is_over_after_two_minutes(app: App) -> None:
    found = assertion_of(app, app.started())["assertion"]

    with later(121), pytest.raises(jwt.ExpiredSignatureError):
        claims_of(found)


def test_tokens_are_the_usual_mode(app: App) -> None:
    name = app.started()

    assert "access_token" in app.verify(name, code_of(name), mode="tokens").json()
