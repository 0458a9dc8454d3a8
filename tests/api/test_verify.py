"""POST /api/v1/challenges/{id}/verify: a login and its tokens."""

from typing import Any
from urllib.parse import urlencode

import pytest

from oidc.models import AccessToken, Client, RefreshToken, TokenFamily
from otp.models import Delivery
from tests import factories
from tests.api.conftest import App, claims_of, code_of
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


@pytest.mark.parametrize("password", ["", "!", "ü:%s"])
def test_tokens_carry_the_session_hash_of_their_user(app: App, password: str) -> None:
    """Whatever is in the columns that it is made of; the database computes it on PostgreSQL."""
    app.signed_in()
    User.objects.update(password=password)

    with later(31):
        app.signed_in()

    assert TokenFamily.objects.latest("created_at").session_hash == User.objects.get().get_session_auth_hash()


@pytest.mark.parametrize("spelling", ["{0} {1}", "{0}-{1}", " {0}{1}\n"])
def test_codes_are_taken_as_people_type_them(app: App, spelling: str) -> None:
    """A13"""
    name = app.started()
    code = code_of(name)

    assert app.verify(name, spelling.format(code[:3], code[3:])).status_code == 200
