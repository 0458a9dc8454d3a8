"""Idempotency-Key on POST /challenges."""

import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from api import authentication, idempotency
from oidc.models import Client
from otp.models import Challenge, Delivery
from projects.config import projects
from tests import factories
from tests.api.conftest import App, challenge_id, code_of, nothing_new, problem, wrong_code
from tests.clock import later

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def test_the_same_key_and_body_give_the_same_challenge(app: App, rung: list[uuid.UUID]) -> None:
    """C2"""
    first = app.start(headers=KEY)
    answers = [app.start(headers=KEY) for _ in range(5)]

    assert {response.status_code for response in (first, *answers)} == {201}
    assert {response.json()["id"] for response in answers} == {first.json()["id"]}
    assert Delivery.objects.count() == 1
    assert len(rung) == 1


def test_a_repeat_shows_what_became_of_it(app: App) -> None:
    name = app.start(headers=KEY).json()["id"]
    app.verify(name, wrong_code(name))

    assert app.start(headers=KEY).json()["attempts_left"] == 4


@pytest.mark.parametrize("seconds", [1, 400, 2000, 80_000])
def test_a_key_gives_the_same_challenge_later_and_after_its_end(app: App, seconds: int) -> None:
    """Not a new one, and not a second message: a client that repeats late wants the answer, not another code."""
    name = app.start(headers=KEY).json()["id"]
    app.verify(name, code_of(name))

    with nothing_new(), later(seconds):
        response = app.start(headers=KEY)

    assert response.status_code == 201
    assert (response.json()["id"], response.json()["state"]) == (name, "verified")


@pytest.mark.parametrize(
    "other", [{"phone": factories.OTHER_PHONE}, {"channel": "sms"}, {"locale": "es"}, {"x": 1}]
)
def test_another_body_under_the_same_key_is_refused(app: App, other: dict[str, Any]) -> None:
    app.start(headers=KEY)

    with nothing_new():
        refused = problem(app.start(headers=KEY, **other), 400, "invalid_request")
    assert "Idempotency-Key" in refused["detail"]


def test_the_order_of_fields_is_no_other_body(app: App) -> None:
    one = {"client_id": "acme-web", "phone": factories.PHONE, "channel": "sms"}
    other = dict(reversed(one.items()))

    first, second = (app.call("POST", "/api/v1/challenges", body, **KEY) for body in (one, other))

    assert first.json()["id"] == second.json()["id"]


def test_another_key_starts_another_challenge(app: App) -> None:
    app.start(headers=KEY)

    problem(app.start(headers={"Idempotency-Key": "another"}), 429, "rate_limited")
    with later(31):
        assert app.start(headers={"Idempotency-Key": "another"}).status_code == 201


def test_a_key_belongs_to_its_client(app: App, server: App) -> None:
    mine = app.start(headers=KEY).json()["id"]
    with later(31):
        theirs = server.start(headers=KEY).json()["id"]

    assert challenge_id(mine) != challenge_id(theirs)


@pytest.mark.parametrize("address", ["203.0.113.8", "198.51.100.1", "2001:db8:1::1"])
def test_a_key_of_a_public_client_belongs_to_its_sender_as_well(app: App, address: str) -> None:
    """Two applications happen to use the same key, and neither gets the other's challenge."""
    app.http.defaults["REMOTE_ADDR"] = factories.ADDRESS
    mine = app.start(headers=KEY).json()["id"]
    app.http.defaults["REMOTE_ADDR"] = address
    with later(31):
        theirs = app.start(headers=KEY).json()["id"]
        assert challenge_id(mine) != challenge_id(theirs)

        assert app.start(headers=KEY).json()["id"] == theirs
        app.http.defaults["REMOTE_ADDR"] = factories.ADDRESS
        assert app.start(headers=KEY).json()["id"] == mine


def test_another_address_of_one_customer_is_the_same_sender(app: App) -> None:
    """A phone often changes its address within its IPv6 /64."""
    app.http.defaults["REMOTE_ADDR"] = "2001:db8:1:2::a"
    mine = app.start(headers=KEY).json()["id"]
    app.http.defaults["REMOTE_ADDR"] = "2001:db8:1:2:ffff::b"

    assert app.start(headers=KEY).json()["id"] == mine


def test_another_body_from_another_sender_is_no_conflict(app: App) -> None:
    """A key of another caller can be neither read nor spoiled."""
    app.http.defaults["REMOTE_ADDR"] = factories.ADDRESS
    app.start(headers=KEY)
    app.http.defaults["REMOTE_ADDR"] = "203.0.113.8"

    assert app.start(factories.OTHER_PHONE, headers=KEY).status_code == 201


def test_a_server_keeps_its_keys_wherever_it_calls_from(server: App) -> None:
    """It is authenticated, and passes on its users' addresses."""
    mine = server.start(headers=KEY, end_user_ip="203.0.113.8").json()["id"]
    server.http.defaults["REMOTE_ADDR"] = "198.51.100.1"

    assert server.start(headers=KEY, end_user_ip="203.0.113.8").json()["id"] == mine


@pytest.mark.parametrize(
    ("kind", "limit"), [("app", "idempotency.address"), ("server", "idempotency.client")]
)
def test_how_many_keys_are_remembered_is_limited(
    kind: str, limit: str, app: App, server: App, settings: LazySettings
) -> None:
    """Also of starts that are refused; a repeat is free."""
    app = {"app": app, "server": server}[kind]
    settings.AUTHSVC_LIMITS = {limit: "3/10m"}
    name = app.start(headers=KEY).json()["id"]
    for nth in range(2):
        problem(app.start(headers={"Idempotency-Key": f"fresh {nth}".replace(" ", "-")}), 429, "rate_limited")

    refused = app.start(factories.OTHER_PHONE, headers={"Idempotency-Key": "one-more"})
    problem(refused, 429, "rate_limited")
    assert int(refused["Retry-After"]) > 60
    assert app.start(headers=KEY).json()["id"] == name
    app.http.defaults["REMOTE_ADDR"] = "198.51.100.1"
    elsewhere = app.start(factories.OTHER_PHONE, headers={"Idempotency-Key": "one-more"})
    assert elsewhere.status_code == (201 if kind == "app" else 429)
    with later(601):
        assert app.start(factories.OTHER_PHONE, headers={"Idempotency-Key": "later"}).status_code == 201


def test_a_start_that_was_refused_may_be_tried_again_with_its_key(app: App) -> None:
    app.started()
    problem(app.start(headers=KEY), 429, "rate_limited")

    with later(31):
        assert app.start(headers=KEY).status_code == 201


def test_a_body_that_was_refused_does_not_use_the_key_up(app: App) -> None:
    problem(app.start("nonsense", headers=KEY), 400, "invalid_phone")

    assert app.start(headers=KEY).status_code == 201


def test_quotes_belong_to_the_header_not_to_the_key(app: App) -> None:
    """The draft makes it a string of structured fields; most clients send the bare word."""
    first = app.start(headers={"Idempotency-Key": '"abc"'})
    second = app.start(headers={"Idempotency-Key": "abc"})

    assert first.json()["id"] == second.json()["id"]


@pytest.mark.parametrize("key", ["", '""', '"', "a b", "a\tb", "é", "x" * 256, 'a"b"'])
def test_what_is_no_key_is_refused(app: App, key: str) -> None:
    with nothing_new():
        refused = problem(app.start(headers={"Idempotency-Key": key}), 400, "invalid_request")
    assert "Idempotency-Key" in refused["detail"]


def test_what_is_remembered_of_a_body_cannot_be_tried_out(app: App, settings: LazySettings) -> None:
    """P2: a digest of a number is one of the number unless it is keyed."""
    body = {"phone": factories.PHONE}
    caller = authentication.Caller(
        project=projects.get().by_id[Client.objects.get().project_id], client=Client.objects.get()
    )
    request = RequestFactory().post("/", headers=KEY)

    first = idempotency.read(request, caller=caller, data=body)
    settings.SECRET_KEY = "n" * 50
    second = idempotency.read(request, caller=caller, data=body)

    assert first.body_digest != second.body_digest
    assert first.name != second.name


def test_without_the_limiters_store_there_is_no_promise_to_keep(app: App, settings: LazySettings) -> None:
    """C13"""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    with nothing_new():
        problem(app.start(headers=KEY), 503, "unavailable")
    assert not Challenge.objects.exists()
