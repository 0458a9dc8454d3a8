"""P2, A9: no code, token or whole number in an answer, a log line or a metric that is not meant to have it."""

import logging
from typing import Any

import pytest
from prometheus_client import generate_latest

from api.serializers import requests
from oidc.models import TokenFamily
from otp.models import Challenge
from tests import factories
from tests.api.conftest import CHALLENGES, App, code_of, wrong_code
from tests.clock import later


@pytest.fixture
def whole_story(app: App) -> tuple[list[Any], list[str]]:
    """Every call, right and wrong: (answers but the last, secrets that none of them may hold)."""
    name = app.started()
    code = code_of(name)
    answers = [
        app.read(name),
        app.send(name),
        app.send(name, channel="sms"),
        app.verify(name, wrong_code(name)),
        app.start(headers={"Idempotency-Key": "a b"}),
        app.start(),
        app.start("nonsense"),
        app.call("GET", f"{CHALLENGES}/{name}x"),
    ]
    return answers, [code, factories.PHONE, factories.PHONE[4:]]


def test_answers_hold_neither_code_nor_number(whole_story: tuple[list[Any], list[str]]) -> None:
    answers, secrets = whole_story

    for response in answers:
        said = response.content.decode() + str(response.headers)
        for secret in secrets:
            assert secret not in said


def test_logs_hold_no_code_no_number_no_token_and_no_id(
    app: App, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """An id is a bearer value, so paths are not logged."""
    caplog.set_level(logging.DEBUG)
    name = app.started()
    code = code_of(name)
    app.verify(name, wrong_code(name))
    app.send(name)
    app.http.get(f"{CHALLENGES}/{name}/verify")
    app.http.get(f"{CHALLENGES}/{name}/")
    given = app.verify(name, code).json()
    app.verify(name, code)

    logged = "\n".join(record.getMessage() for record in caplog.records) + capsys.readouterr().out
    assert "api.refused" in logged
    for secret in (
        code,
        name,
        factories.PHONE,
        factories.PHONE[1:],
        given["access_token"],
        given["refresh_token"],
        given["id_token"],
    ):
        assert secret not in logged, secret


def test_what_is_logged_names_the_client(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """P1: each step of a login."""
    app.signed_in()

    lines = capsys.readouterr().out.splitlines()
    for event in ("challenge.started", "challenge.verified"):
        (line,) = [line for line in lines if event in line]
        assert "client_id=acme-web" in line
    family = TokenFamily.objects.get()
    assert f"family_id={family.id}" in line
    assert f"user_id={family.user_id}" in line


def test_metrics_are_labelled_with_calls_not_with_paths(app: App) -> None:
    """P5: as many series as there are calls."""
    name = app.started()
    app.read(name)
    app.http.get(f"/api/{name}")

    counted = generate_latest().decode()
    assert 'view="api-challenge"' in counted
    assert 'view="api-unknown"' in counted
    assert name not in counted


def test_values_do_not_print_what_they_hold() -> None:
    asked = requests.start({"client_id": "acme-web", "phone": factories.PHONE})

    assert factories.PHONE not in repr(asked)
    assert "123456" not in repr(requests.verify({"code": "123456"}))


def test_the_code_is_not_in_the_database_either(app: App) -> None:
    """A9"""
    name = app.started()
    code = code_of(name)

    assert code not in str(list(Challenge.objects.values()))
    with later(31):
        app.send(name)
    assert code not in str(list(Challenge.objects.values("start_key", "language", "origin", "phone")))
