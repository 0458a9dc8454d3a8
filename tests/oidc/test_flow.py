"""From an application's request to its tokens and back out again."""

import pytest

from tests import factories
from tests.oidc.app import App, answer_of
from users.models import User

pytestmark = pytest.mark.django_db


def test_a_login_ends_in_tokens(app: App) -> None:
    page = app.sign_in(app.authorize())
    answer = answer_of(page)
    assert answer["state"] == "st-1"
    assert answer["iss"] == "http://testserver"

    response = app.exchange(answer["code"])

    assert response.status_code == 200, response.content
    assert response["Cache-Control"] == "no-store"
    tokens = response.json()
    assert tokens["token_type"] == "Bearer"
    claims = app.claims(tokens["id_token"])
    user = User.objects.get(phone=factories.PHONE)
    assert claims["sub"] == str(user.id)
    assert claims["nonce"] == "no-1"
    assert app.userinfo(tokens["access_token"]).json() == {
        "sub": str(user.id),
        "phone_number": factories.PHONE,
        "phone_number_verified": True,
    }
    renewed = app.refresh(tokens["refresh_token"])
    assert renewed.status_code == 200, renewed.content
    assert renewed.json()["refresh_token"] != tokens["refresh_token"]
    assert app.claims(renewed.json()["id_token"])["auth_time"] == claims["auth_time"]


def test_a_signed_in_user_comes_back_at_once(app: App) -> None:
    app.tokens()

    assert answer_of(app.authorize())["code"]
