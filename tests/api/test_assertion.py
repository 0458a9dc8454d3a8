"""`"purpose": "assertion"`: a signed word that a number was proven, and nothing else."""

from typing import Any

import jwt
import pytest
from django.utils import timezone

from api import challenge_ids
from oidc import keys
from oidc.models import Client, TokenFamily
from otp.models import Challenge, Delivery, Purpose
from tests import factories
from tests.api.conftest import App, challenge_id, claims_of, code_of, problem, wrong_code
from tests.clock import later
from users import services as user_services
from users.models import User


def started(app: App, **fields: Any) -> str:
    """The id of a challenge that only proves its number."""
    return app.started(purpose="assertion", **fields)


def assertion_of(app: App, name: str) -> dict[str, Any]:
    response = app.verify(name, code_of(name))
    assert response.status_code == 200, response.content
    assert response["Cache-Control"] == "no-store"
    found: dict[str, Any] = response.json()
    return found


def test_an_assertion_names_number_client_and_challenge(app: App) -> None:
    name = started(app)

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


def test_an_assertion_is_signed_with_the_clients_algorithm(app: App) -> None:
    client = Client.objects.get()
    client.algorithm = "RS256"
    client.save()

    found = assertion_of(app, started(app))

    assert jwt.get_unverified_header(found["assertion"])["alg"] == "RS256"
    assert claims_of(found["assertion"])


def test_an_assertion_signs_no_one_in(app: App) -> None:
    assertion_of(app, started(app))

    assert not User.objects.exists()
    assert not TokenFamily.objects.exists()


def test_a_user_who_is_there_is_neither_touched_nor_asked(app: App) -> None:
    """E1: the answer is the same for a number with an account, without one, and with a blocked one."""
    app.signed_in()
    user = User.objects.get()
    user_services.set_active(user_id=user.id, active=False)

    with later(31):
        assertion_of(app, started(app))

    assert User.objects.get().last_login == user.last_login


def test_an_assertion_shows_whether_an_sms_was_sent(app: App) -> None:
    """I22"""
    name = started(app)
    app.send(name, channel="sms")
    Delivery.objects.filter(channel="sms").update(tries=1)

    assert claims_of(assertion_of(app, name)["assertion"])["amr"] == ["otp", "sms"]


def test_the_code_is_used_up_by_it(app: App) -> None:
    """A5"""
    name = started(app)
    assertion_of(app, name)

    problem(app.verify(name, code_of(name)), 409, "challenge_consumed")
    assert app.read(name).json()["state"] == "verified"
    assert [delivery.due_at for delivery in Delivery.objects.all()] == [None]


@pytest.mark.parametrize(("purpose", "mode"), [("assertion", "tokens"), ("login", "assertion")])
def test_the_purpose_of_a_challenge_is_fixed(app: App, purpose: str, mode: str) -> None:
    """The other answer is refused, no attempt is lost, and the code is still good for its own."""
    name = app.started(purpose=purpose)

    for code in (wrong_code(name), code_of(name)):
        problem(app.verify(name, code, mode=mode), 400, "invalid_request")

    assert app.read(name).json()["attempts_left"] == 5
    assert not User.objects.exists()
    right = app.verify(name, code_of(name))
    assert right.status_code == 200
    assert ("assertion" in right.json()) is (purpose == "assertion")


@pytest.mark.parametrize(("purpose", "mode"), [("assertion", "assertion"), ("login", "tokens"), (None, None)])
def test_an_earlier_versions_mode_may_say_the_same(app: App, purpose: str | None, mode: str | None) -> None:
    """Clients that were written before `purpose` say both."""
    name = app.started(purpose=purpose)

    right = app.verify(name, code_of(name), mode=mode).json()

    assert ("assertion" in right) is (purpose == "assertion")


def test_the_id_cannot_be_turned_into_one_of_a_login(app: App, server: App) -> None:
    """The purpose is in the MAC, and in the row in case of a forged id."""
    name = started(app)
    client = Client.objects.get(client_id="acme-web")
    forged = challenge_ids.write(
        challenge_id=challenge_id(name), phone_key=limits_key(name), client=client, purpose=Purpose.LOGIN
    )

    problem(app.verify(forged, code_of(name)), 400, "invalid_request")

    assert not User.objects.exists()
    assert Challenge.objects.get().attempts == 0


def limits_key(name: str) -> str:
    handle = challenge_ids.read(name)
    assert handle
    return handle.phone_key


@pytest.mark.parametrize("purpose", ["trial", "", "LOGIN", 1, ["login"]])
def test_other_purposes_are_refused(app: App, purpose: object) -> None:
    """Only operators can send test messages."""
    refused = problem(app.start(purpose=purpose), 400, "invalid_request")

    assert refused["invalid_params"] == {"purpose": "must be one of: login, assertion"}


def test_wrong_codes_are_counted(app: App) -> None:
    """B7"""
    name = started(app)
    for nth in range(4):
        app.verify(name, wrong_code(name, nth))

    problem(app.verify(name, wrong_code(name, 4)), 423, "challenge_locked")
    problem(app.verify(name, code_of(name)), 423, "challenge_locked")
    assert Challenge.objects.get().attempts == 5


def test_an_assertion_is_not_accepted_as_a_token(app: App) -> None:
    """J10, J11: it opens nothing at the user-info endpoint, and lacks what makes an ID token."""
    found = assertion_of(app, started(app))["assertion"]

    response = app.http.get("/oauth2/userinfo/", headers={"Authorization": f"Bearer {found}"})

    assert response.status_code == 401
    assert keys.read_id_token(found) is None
    assert "sub" not in claims_of(found)


def test_an_assertion_expires_after_two_minutes(app: App) -> None:
    found = assertion_of(app, started(app))["assertion"]

    with later(121), pytest.raises(jwt.ExpiredSignatureError):
        claims_of(found)


def test_a_login_is_the_usual_purpose(app: App) -> None:
    name = app.started()

    assert "access_token" in app.verify(name, code_of(name)).json()
