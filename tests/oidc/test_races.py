"""The same thing many times at once, in real transactions."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from login import sign_out
from login.models import Session
from oidc import keys
from oidc.models import AccessToken, Algorithm, Consent, RefreshToken, SigningKey, TokenFamily
from tests.oidc.app import App
from tests.threads import at_once
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def each(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each act gave, all begun at the same moment. None may raise."""
    found = at_once(acts)
    assert not [one for one in found if isinstance(one, BaseException)]
    return found


def test_fifty_exchanges_of_one_code_give_one_token_set(app: App) -> None:
    """J3: and it is dead after, because somebody else had the code as well."""
    code = app.code()

    pages = each([lambda: app.exchange(code) for _ in range(50)])

    assert Counter(page.status_code for page in pages) == {200: 1, 400: 49}
    assert {page.json()["error"] for page in pages if page.status_code == 400} == {"invalid_grant"}
    (tokens,) = [page.json() for page in pages if page.status_code == 200]
    assert AccessToken.objects.count() == RefreshToken.objects.count() == 1
    assert app.userinfo(tokens["access_token"]).status_code == 401


def test_parallel_refreshes_get_one_answer_and_the_family_lives(app: App) -> None:
    """J7"""
    tokens = app.tokens()

    pages = each([lambda: app.refresh(tokens["refresh_token"]) for _ in range(20)])

    answers = {(page.json().get("access_token"), page.json().get("refresh_token")) for page in pages}
    assert len(answers) == 1
    ((access, refresh),) = answers
    assert app.userinfo(access).status_code == 200
    assert RefreshToken.objects.count() == 2
    assert app.refresh(refresh).status_code == 200


def test_a_refresh_during_a_revocation_does_not_survive_it(app: App) -> None:
    for _ in range(5):
        tokens = app.tokens()
        acts: list[Callable[[], Any]] = [
            lambda tokens=tokens: app.refresh(tokens["refresh_token"]),  # type: ignore[misc] # bound
            lambda tokens=tokens: app.post("/oauth2/revoke_token/", {"token": tokens["refresh_token"]}),  # type: ignore[misc] # bound
        ]
        for page in each(acts):
            if page.content and page.status_code == 200:
                assert app.userinfo(page.json()["access_token"]).status_code == 401
    assert not TokenFamily.objects.filter(revoked_at__isnull=True).exists()


def test_signing_out_everywhere_during_an_exchange_leaves_nothing(app: App) -> None:
    """F6"""
    code = app.code()
    user_id = User.objects.get().id
    acts: list[Callable[[], Any]] = [
        lambda: app.exchange(code),
        lambda: sign_out.end_everything(user_id=user_id),
    ]

    pages = [found for found in each(acts) if found is not None]

    for page in pages:
        if page.status_code == 200:
            assert app.userinfo(page.json()["access_token"]).status_code == 401
    assert not Session.objects.exists()


def test_a_pushed_request_leads_to_one_code_however_often_it_is_brought(app: App) -> None:
    from tests.oidc.test_par import bring, push

    app.tokens()
    uri = push(app).json()["request_uri"]

    pages = each([lambda: bring(app, uri) for _ in range(10)])

    assert sum("code=" in page.get("Location", "") for page in pages) == 1


def test_the_first_key_is_made_once(app: App) -> None:
    each([lambda: keys.rotate(Algorithm.RS256, only_first=True) for _ in range(8)])

    assert SigningKey.objects.count() == 1


def test_a_key_of_the_settings_is_taken_in_once(app: App, settings: Any) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    from tests.oidc.test_keys import pem_of

    settings.AUTHSVC_OIDC_KEY = pem_of(ec.generate_private_key(ec.SECP256R1()))

    rings = each([keys.key_ring for _ in range(8)])

    assert {ring.keys[0].kid for ring in rings} == {SigningKey.objects.get().kid}


def test_consent_twice_at_once_is_one(partner: App) -> None:
    from oidc import services

    partner.sign_in(partner.authorize())
    user_id = User.objects.get().id
    each(
        [
            lambda scope=scope: services.record_consent(
                user_id=user_id, client=partner.client, scopes=["openid", scope]
            )  # type: ignore[misc] # bound
            for scope in ("phone", "profile", "offline_access")
        ]
    )

    assert Consent.objects.get().scope == "openid phone profile offline_access"
