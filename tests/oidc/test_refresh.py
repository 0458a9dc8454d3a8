"""Refresh tokens: rotated, never used twice, bound, and over one day. docs/security.md, section J."""

from datetime import timedelta

import pytest

from oidc import policy
from oidc.models import RefreshToken, TokenFamily
from tests.clock import later
from tests.login.conftest import Page
from tests.oidc.app import App
from users.models import User

pytestmark = pytest.mark.django_db
GRACE = policy.REFRESH_GRACE.total_seconds()


def is_refused(page: Page) -> bool:
    return bool(page.status_code == 400 and page.json()["error"] == "invalid_grant")


def test_a_stolen_token_kills_the_family(app: App) -> None:
    """J6: whoever comes second with an old token, thief or owner."""
    first = app.tokens()
    second = app.refresh(first["refresh_token"]).json()

    with later(GRACE + 1):
        assert is_refused(app.refresh(first["refresh_token"]))
        assert is_refused(app.refresh(second["refresh_token"]))
        assert app.userinfo(second["access_token"]).status_code == 401


def test_two_honest_refreshes_get_the_same_answer(app: App) -> None:
    """J7: within seconds, and then no more."""
    first = app.tokens()
    one = app.refresh(first["refresh_token"]).json()
    with later(GRACE - 1):
        two = app.refresh(first["refresh_token"]).json()

    assert one["refresh_token"] == two["refresh_token"]
    assert one["access_token"] == two["access_token"]
    assert RefreshToken.objects.count() == 2
    assert app.refresh(one["refresh_token"]).status_code == 200


def test_the_grace_period_ends_when_the_successor_is_used(app: App) -> None:
    """J6, J7: a thief cannot go on beside the owner, not even within seconds."""
    first = app.tokens()
    second = app.refresh(first["refresh_token"]).json()
    third = app.refresh(second["refresh_token"]).json()

    assert is_refused(app.refresh(first["refresh_token"]))
    assert is_refused(app.refresh(third["refresh_token"]))


def test_a_family_ends_however_often_it_is_refreshed(app: App) -> None:
    """J6: an absolute end."""
    token = app.tokens()["refresh_token"]
    for day in range(10, policy.FAMILY_VALID.days, 10):
        with later(day * 86400):
            token = app.refresh(token).json()["refresh_token"]

    with later(policy.FAMILY_VALID.total_seconds() - 60):
        last = app.refresh(token).json()
    with later(policy.FAMILY_VALID.total_seconds() + 1):
        assert is_refused(app.refresh(last["refresh_token"]))
        assert app.userinfo(last["access_token"]).status_code == 401


def test_an_access_token_lives_for_an_hour(app: App) -> None:
    tokens = app.tokens()
    assert tokens["expires_in"] == 3600

    with later(3599):
        assert app.userinfo(tokens["access_token"]).status_code == 200
    with later(3601):
        assert app.userinfo(tokens["access_token"]).status_code == 401
        assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_refresh_token_is_bound_to_its_client(app: App, server_app: App) -> None:
    """J6"""
    tokens = app.tokens()

    assert is_refused(server_app.refresh(tokens["refresh_token"]))
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_scopes_may_narrow_and_never_widen(app: App) -> None:
    """J6"""
    tokens = app.tokens(scope="openid phone")

    wide = app.refresh(tokens["refresh_token"], scope="openid phone profile")
    assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")

    narrow = app.refresh(tokens["refresh_token"], scope="openid").json()
    assert narrow["scope"] == "openid"
    assert "phone_number" not in app.userinfo(narrow["access_token"]).json()
    again = app.refresh(narrow["refresh_token"]).json()
    assert again["scope"] == "openid phone"


def test_a_repeat_with_other_scopes_gets_what_the_first_asked_for(app: App) -> None:
    tokens = app.tokens(scope="openid phone")
    app.refresh(tokens["refresh_token"], scope="openid")

    assert app.refresh(tokens["refresh_token"]).json()["scope"] == "openid"


@pytest.mark.parametrize("token", ["", "made-up", "ü" * 50, "x" * 5000])
def test_made_up_tokens_are_refused(app: App, token: str) -> None:
    page = app.refresh(token)

    assert page.status_code == 400
    assert page.json()["error"] in ("invalid_grant", "invalid_request")


def test_a_blocked_person_keeps_nothing(app: App) -> None:
    """F6"""
    from users import services

    tokens = app.tokens()
    services.set_active(user_id=User.objects.get().id, active=False)

    assert is_refused(app.refresh(tokens["refresh_token"]))
    assert app.userinfo(tokens["access_token"]).status_code == 401
    services.set_active(user_id=User.objects.get().id, active=True)
    assert is_refused(app.refresh(tokens["refresh_token"]))


def test_a_client_that_was_switched_off_gets_nothing(app: App) -> None:
    tokens = app.tokens()
    app.client.is_active = False
    app.client.save()

    assert app.refresh(tokens["refresh_token"]).status_code == 401
    assert app.userinfo(tokens["access_token"]).status_code == 401


def test_tokens_for_offline_use_outlive_the_session_and_others_do_not(app: App) -> None:
    """Core 11: offline_access is for when the person is away."""
    offline = app.tokens()
    online = app.tokens(scope="openid phone")

    app.browser.client.post("/logout/")

    assert app.refresh(offline["refresh_token"]).status_code == 200
    assert is_refused(app.refresh(online["refresh_token"]))
    assert app.userinfo(online["access_token"]).status_code == 401


def test_refreshing_is_seen_in_the_family(app: App) -> None:
    tokens = app.tokens()
    before = TokenFamily.objects.get().used_at
    assert before

    with later(60):
        app.refresh(tokens["refresh_token"])

    after = TokenFamily.objects.get().used_at
    assert after
    assert after - before >= timedelta(seconds=59)
