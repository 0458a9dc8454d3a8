"""Idempotency-Key on POST /challenges."""

import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from api import callers, idempotency
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
def test_it_is_the_same_challenge_long_after_and_when_it_is_over(app: App, seconds: int) -> None:
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


def test_another_key_is_another_wish(app: App) -> None:
    app.start(headers=KEY)

    problem(app.start(headers={"Idempotency-Key": "another"}), 429, "rate_limited")
    with later(31):
        assert app.start(headers={"Idempotency-Key": "another"}).status_code == 201


def test_a_key_belongs_to_its_client(app: App, server: App) -> None:
    mine = app.start(headers=KEY).json()["id"]
    with later(31):
        theirs = server.start(headers=KEY).json()["id"]

    assert challenge_id(mine) != challenge_id(theirs)


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
    caller = callers.Caller(
        project=projects.get().by_id[Client.objects.get().project_id], client=Client.objects.get()
    )
    request = RequestFactory().post("/", headers=KEY)

    first = idempotency.read(request, caller=caller, data=body)
    settings.SECRET_KEY = "n" * 50
    second = idempotency.read(request, caller=caller, data=body)

    assert first.body != second.body
    assert first.name != second.name


def test_without_the_limiters_store_there_is_no_promise_to_keep(app: App, settings: LazySettings) -> None:
    """C13"""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    with nothing_new():
        problem(app.start(headers=KEY), 503, "unavailable")
    assert not Challenge.objects.exists()
