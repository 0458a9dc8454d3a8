"""Whatever goes wrong under /api/ is problem+json, with nothing in it that was not meant for the caller."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.test import Client as HttpClient

from api import problems, views
from api.errors import CODES, Problem
from core.errors import DomainError
from otp import services
from tests import factories
from tests.api.conftest import CHALLENGES, App, problem

CONTRACT = {
    "invalid_request": 400,
    "invalid_phone": 400,
    "country_not_allowed": 403,
    "channel_not_allowed": 403,
    "invalid_client": 401,
    "challenge_not_found": 404,
    "wrong_code": 400,
    "challenge_locked": 423,
    "challenge_expired": 410,
    "challenge_consumed": 409,
    "rate_limited": 429,
    "user_blocked": 403,
    "unavailable": 503,
}


def test_codes_and_statuses_are_those_of_the_contract() -> None:
    assert {code: CODES[code][0] for code in CONTRACT} == CONTRACT


def test_every_error_of_the_heart_has_its_code() -> None:
    """Those of `users` come of acts of staff, which the API does not have."""
    kinds = [kind for kind in DomainError.__subclasses__() if kind.__module__ != "users.errors"]

    assert len(kinds) == 12
    assert {kind.code for kind in kinds} <= set(CONTRACT)


# Paths and methods ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api",
        "/api/v1",
        "/api/v2/challenges",
        "/api/v1/challenges/",
        "/api/v1/challenges/x/",
        "/api/v1/challenges/x/verify/",
        "/api/v1/challenges/x/cancel",
        "/api/schema",
        "/api/%00",
        "/api/é",
        "/api/%0a",
    ],
)
def test_an_unknown_path_is_not_found(app: App, path: str) -> None:
    """No redirect to a slash, no page, and no question for a CSRF token."""
    strict = HttpClient(enforce_csrf_checks=True)

    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        problem(strict.generic(method, path), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("", "POST"), ("/x", "GET, HEAD"), ("/x/send", "POST"), ("/x/verify", "POST")],
)
def test_a_wrong_method_gets_the_allowed_ones(app: App, path: str, allowed: str) -> None:
    """P7"""
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - set(allowed.split(", ")):
        response = app.http.generic(method, CHALLENGES + path)

        problem(response, 405, "method_not_allowed")
        assert response["Allow"] == allowed


# Bodies ---------------------------------------------------------------------------------------------


def post(app: App, body: bytes, content_type: str, **headers: str) -> Any:
    return app.http.generic("POST", CHALLENGES, body, content_type=content_type, headers=headers)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json-seq",
        "nonsense",
    ],
)
def test_only_json_is_taken(app: App, content_type: str) -> None:
    """P7: what a form of another site could send is refused before it is read."""
    body = b'{"client_id": "acme-web", "phone": "+85251234567"}'

    response = post(app, body, content_type, Origin="https://acme.example")

    problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_every_spelling_of_the_json_content_type_is_accepted(app: App, content_type: str) -> None:
    body = b'{"client_id": "acme-web", "phone": "+85251234567"}'

    assert post(app, body, content_type).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe{}",
        b'{"phone": NaN}',
        b'{"phone": "\xff"}',
        b"[" * 10_000,
        b'{"a":' * 2_000,
        b"1" * 5_000,
        b"[]",
        b'"text"',
        b"null",
        b"true",
    ],
)
def test_what_is_no_json_object_is_a_bad_request(app: App, body: bytes) -> None:
    problem(post(app, body, "application/json"), 400, "invalid_request")


def test_a_body_larger_than_any_that_makes_sense_is_refused(app: App) -> None:
    body = b'{"phone": "' + b"1" * 20_000 + b'"}'

    problem(post(app, body, "application/json"), 413, "too_large")


def test_a_body_that_never_arrives_is_a_bad_request(app: App) -> None:
    class Broken(BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError("the caller went away")

    broken: dict[str, Any] = {"wsgi.input": Broken(), "CONTENT_LENGTH": "10"}

    response = app.http.post(CHALLENGES, "{}", content_type="application/json", **broken)

    problem(response, 400, "invalid_request")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "application/problem+json"])
def test_an_answer_that_is_no_json_cannot_be_had(app: App, accept: str) -> None:
    problem(app.call("POST", CHALLENGES, {}, Accept=accept), 406, "not_acceptable")


@pytest.mark.parametrize("accept", ["*/*", "application/*", "text/html, application/json;q=0.5"])
def test_every_accept_header_that_allows_json_gets_json(app: App, accept: str) -> None:
    assert app.start(headers={"Accept": accept}).status_code == 201


# Hosts, crashes, outages ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CHALLENGES, f"{CHALLENGES}/x", "/api/nothing", "/api/schema/"])
def test_a_host_that_is_not_ours_is_a_bad_request(app: App, path: str) -> None:
    """J14"""
    problem(app.http.get(path, headers={"Host": "evil.example"}), 400, "invalid_request")


def test_pages_of_the_same_host_keep_their_pages(app: App) -> None:
    response = app.http.get("/login/", headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


def test_a_crash_says_nothing_of_itself(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(**_: object) -> None:
        raise RuntimeError("secret of ours")

    monkeypatch.setattr(services, "start_challenge", crash)

    response = app.start()

    problem(response, 500, "internal_error")
    assert b"secret of ours" not in response.content


def test_a_crash_outside_of_any_view_is_a_problem_as_well(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("secret of ours")

    monkeypatch.setattr("authsvc.middleware.resolve", crash)

    response = app.http.get("/api/nothing")

    problem(response, 500, "internal_error")
    assert b"secret of ours" not in response.content


def test_what_is_refused_outside_of_any_view_is_no_crash(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionDenied

    monkeypatch.setattr("authsvc.middleware.resolve", refuse)

    problem(app.http.get("/api/nothing"), 400, "invalid_request")


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_without_the_database_the_api_is_unavailable(
    app: App, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def away(**_: object) -> None:
        raise kind("connection to +85251234567 refused")

    name = app.started()
    monkeypatch.setattr(services, "describe", away)

    response = app.read(name)

    problem(response, 503, "unavailable")
    assert b"8525" not in response.content


def test_unexpected_errors_are_internal_errors() -> None:
    assert problems.of(KeyError("x")).code == "internal_error"


def test_a_problem_carries_its_members_and_headers() -> None:
    response = problems.answer(
        Problem("wrong_code", "Say this.", headers={"X-Y": "z"}, attempts_left=3)
    ).as_response()

    found = problem_body(response)
    assert (found["detail"], found["attempts_left"], response["X-Y"]) == ("Say this.", 3, "z")


def problem_body(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.content)
    return found


@pytest.mark.parametrize("language", ["es", "ar", "zh-hant"])
def test_texts_are_for_developers_and_english(app: App, settings: LazySettings, language: str) -> None:
    english = app.start(phone="").json()

    assert app.start(phone="", headers={"Accept-Language": language}).json() == english
    assert english["detail"] == "phone must not be empty."


def test_whatever_else_the_framework_raises_is_ours(app: App) -> None:
    """No view leaves the handler out."""
    assert {view.get_exception_handler(view()) for view in (views.Challenges, views.Challenge)} == {
        problems.handler
    }


def test_answers_cannot_be_sniffed_or_stored(app: App) -> None:
    """They are data, whatever is in them."""
    for response in (app.start(), app.start(), app.start("nonsense")):
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"] == "no-store"
        assert int(response["Content-Length"]) == len(response.content)
    assert factories.PHONE not in response.content.decode()


def test_more_parameters_than_django_reads_are_the_callers_fault(app: App) -> None:
    """Whoever accepts something unusual has them read."""
    page = HttpClient().get(f"{CHALLENGES}/x?{'&' * 1100}", headers={"Accept": "text/html"})

    problem(page, 400, "invalid_request")
