"""Applications are told when a session ends: once, durably, in a token that only we can have made."""

import re
import time
from datetime import timedelta
from urllib.parse import parse_qs

import jwt
import pytest
from django.db import transaction
from django.utils import timezone

from core import outbox
from login import sign_out
from login.models import Session
from oidc import backchannel, keys, policy, services
from oidc.models import Client, LogoutNotice
from tests import factories
from tests.clock import later
from tests.events.test_outbox import Receiver, receiver  # noqa: F401 # a fixture
from tests.oidc.app import App, answer_of, read_id_token
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(app: App, receiver: Receiver) -> Receiver:  # noqa: F811 # a fixture
    """The application's own server."""
    receiver.status = 200
    app.client.backchannel_logout_uri = receiver.url
    app.client.save()
    return receiver


def token_of(told: Receiver, number: int = -1) -> str:
    headers, body = told.posts[number]
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    (token,) = parse_qs(body)["logout_token"]
    return token


def test_signing_out_notifies_the_application(app: App, told: Receiver) -> None:
    """Back-Channel Logout 2.4: the claims of a logout token, and what it must not have."""
    tokens = app.tokens()
    session = app.claims(tokens["id_token"])

    app.browser.client.post("/logout/")
    assert backchannel.post_due(seconds=5) == 1

    token = token_of(told)
    claims = read_id_token(token, "acme-web")
    assert jwt.get_unverified_header(token)["typ"] == "logout+jwt"
    assert (claims["sub"], claims["sid"]) == (session["sub"], session["sid"])
    assert claims["events"] == {backchannel.EVENT: {}}
    assert claims["jti"]
    assert 0 < claims["exp"] - time.time() <= 120
    assert "nonce" not in claims
    assert LogoutNotice.objects.get().delivered_at
    assert backchannel.post_due(seconds=5) == 0


@pytest.mark.parametrize("way", ["rp", "one", "everywhere", "admin", "block", "other person", "grant"])
def test_every_end_of_a_session_is_notified(app: App, told: Receiver, way: str) -> None:
    tokens = app.tokens()
    user = User.objects.get()
    match way:
        case "rp":
            app.browser.client.get(f"/oauth2/logout/?id_token_hint={tokens['id_token']}")
        case "one":
            sign_out.end_sessions([Session.objects.get().id], user_id=user.id)
        case "everywhere":
            app.browser.client.post("/account/sessions/", {"all": "1"})
        case "admin":
            sign_out.end_everything(user_id=user.id)
        case "block":
            sign_out.set_active(user_id=user.id, active=False)
        case "other person":
            app.browser.sign_in(factories.OTHER_PHONE)
        case "grant":
            app.browser.client.post("/account/apps/", {"client_id": "acme-web"})

    backchannel.post_due(seconds=5)

    assert len(told.posts) == 1
    assert read_id_token(token_of(told), "acme-web")["sub"] == str(user.id)


def test_signing_in_again_as_oneself_ends_nothing(app: App, told: Receiver) -> None:
    app.tokens()
    with later(31):
        answer_of(app.sign_in(app.authorize(prompt="login")))

    assert backchannel.post_due(seconds=5) == 0


def test_only_applications_of_that_session_are_notified(app: App, server_app: App, told: Receiver) -> None:
    """One that nobody used, one that is told nothing, and one that was told already."""
    server_app.tokens()
    app.code()  # asked for, never exchanged
    app.browser.client.post("/logout/")
    assert backchannel.post_due(seconds=5) == 0

    with later(31):
        app.tokens()
        app.tokens()
        app.browser.client.post("/logout/")
        assert backchannel.post_due(seconds=5) == 1
        services.end_tokens_of_user(User.objects.get().id)
        assert backchannel.post_due(seconds=5) == 0


def test_an_application_that_was_opened_again_is_told_again(app: App, told: Receiver) -> None:
    """The person took it off their list, came back in the same session, and then signed out."""
    app.tokens()
    app.browser.client.post("/account/apps/", {"client_id": "acme-web"})
    assert backchannel.post_due(seconds=5) == 1
    for _ in range(2):
        app.tokens()

    app.browser.client.post("/logout/")

    assert backchannel.post_due(seconds=5) == 1
    assert LogoutNotice.objects.get().tries == 1
    sids = {read_id_token(token_of(told, number), "acme-web")["sid"] for number in range(2)}
    assert len(sids) == 1


def test_an_unavailable_application_is_notified_later(app: App, told: Receiver) -> None:
    told.status = 503
    app.tokens()
    app.browser.client.post("/logout/")

    for _ in policy.LOGOUT_RETRIES:
        assert backchannel.post_due(seconds=5) == 1
        notice = LogoutNotice.objects.get()
        assert notice.outcome == "503"
        assert notice.due_at
        LogoutNotice.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    told.status = 200
    backchannel.post_due(seconds=5)

    notice = LogoutNotice.objects.get()
    assert notice.delivered_at
    assert notice.due_at is None
    jtis = {read_id_token(token_of(told, number), "acme-web")["jti"] for number in range(len(told.posts))}
    assert len(jtis) == len(told.posts) == len(policy.LOGOUT_RETRIES) + 1


def test_a_notice_is_given_up_after_all_tries(app: App, told: Receiver) -> None:
    told.status = 500
    app.tokens()
    app.browser.client.post("/logout/")

    for _ in range(10):
        backchannel.post_due(seconds=5)
        LogoutNotice.objects.filter(due_at__isnull=False).update(due_at=timezone.now())

    assert len(told.posts) == len(policy.LOGOUT_RETRIES) + 1
    assert LogoutNotice.objects.get().due_at is None


def test_a_refusal_is_not_repeated(app: App, told: Receiver) -> None:
    """Section 2.8: 400 means that the token was understood and not taken."""
    told.status = 400
    app.tokens()
    app.browser.client.post("/logout/")

    backchannel.post_due(seconds=5)

    assert LogoutNotice.objects.get().due_at is None


def test_an_unreachable_application_counts_as_no_answer(app: App, told: Receiver) -> None:
    app.client.backchannel_logout_uri = "http://127.0.0.1:9/none"
    app.client.save()
    app.tokens()
    app.browser.client.post("/logout/")

    assert backchannel.post_due(seconds=5) == 1

    notice = LogoutNotice.objects.get()
    assert re.fullmatch(r"[a-z_ ]+", notice.outcome)
    assert notice.due_at
    assert notice.due_at > timezone.now()


def test_a_notice_is_there_exactly_when_the_end_is(app: App, told: Receiver) -> None:
    app.tokens()
    user = User.objects.get()

    with transaction.atomic():
        sign_out.end_everything(user_id=user.id)
        assert LogoutNotice.objects.exists()
        transaction.set_rollback(True)

    assert not LogoutNotice.objects.exists()
    assert app.browser.is_signed_in


def test_a_held_notice_is_left_alone(app: App, told: Receiver) -> None:
    """A worker that died keeps it no longer than the lease."""
    app.tokens()
    app.browser.client.post("/logout/")
    LogoutNotice.objects.update(due_at=timezone.now() + outbox.LEASE)

    assert backchannel.post_due(seconds=1) == 0
    with later(outbox.LEASE.total_seconds() + 1):
        assert backchannel.post_due(seconds=1) == 1


def test_an_application_that_hangs_does_not_delay_others(app: App, server_app: App, told: Receiver) -> None:
    """It is left alone for a while by the process that met it."""
    Client.objects.filter(pk=server_app.client.pk).update(backchannel_logout_uri=told.url)
    app.tokens()
    server_app.tokens()
    app.browser.client.post("/logout/")
    told.status, told.delay = 500, outbox.SLOW.total_seconds() + 0.2

    assert backchannel.post_due(seconds=10) == 2
    LogoutNotice.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert backchannel.post_due(seconds=5) == 0
    with later(outbox.LEFT_ALONE.total_seconds() + 1):
        told.status, told.delay = 200, 0
        assert backchannel.post_due(seconds=5) == 2


def test_a_logout_token_is_no_id_token_hint(app: App, told: Receiver) -> None:
    """RFC 8725 3.12: one kind of token is never taken for another."""
    app.tokens()
    app.browser.client.post("/logout/")
    backchannel.post_due(seconds=5)

    assert keys.read_id_token(token_of(told), allow_expired=True) is None
