"""The OpenAPI document at /api/schema/."""

from typing import Any

import pytest
import yaml
from drf_spectacular.validation import validate_schema

from api import schema
from api.errors import CODES
from channels.types import Channel, FailureReason, Status
from otp import codes
from otp.types import State
from scripts import write_openapi
from tests.api.conftest import App, problem

CALLS = {
    "/api/v1/challenges": {"post"},
    "/api/v1/challenges/{id}": {"get"},
    "/api/v1/challenges/{id}/send": {"post"},
    "/api/v1/challenges/{id}/verify": {"post"},
    "/api/v1/stats": {"get"},
}


@pytest.fixture
def document(app: App) -> dict[str, Any]:
    found: dict[str, Any] = app.http.get("/api/schema/").json()
    return found


def responses(document: dict[str, Any], path: str) -> dict[str, Any]:
    (call,) = document["paths"][path].values()
    found: dict[str, Any] = call["responses"]
    return found


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validate_schema(document)  # type: ignore[no-untyped-call] # not annotated


def test_the_document_in_the_repository_is_the_served_one() -> None:
    """A change of the public API is a change of this file, which people read before it is merged."""
    assert write_openapi.FILE.read_text() == write_openapi.text(), "run `make openapi` and read what changed"


def test_the_document_is_public_json(app: App) -> None:
    response = app.http.get("/api/schema/", headers={"Accept": "text/html,*/*;q=0.8"})

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/vnd.oai.openapi+json", "application/yaml"]
)
def test_the_document_comes_in_the_requested_format(
    app: App, document: dict[str, Any], media_type: str
) -> None:
    response = app.http.get("/api/schema/", headers={"Accept": media_type})

    assert response["Content-Type"].startswith(media_type)
    assert yaml.safe_load(response.content) == document


def test_the_document_comes_in_no_other_format(app: App) -> None:
    problem(app.http.get("/api/schema/", headers={"Accept": "text/html"}), 406, "not_acceptable")
    problem(app.http.post("/api/schema/"), 405, "method_not_allowed")


def test_the_document_has_exactly_the_calls_of_the_contract(document: dict[str, Any]) -> None:
    assert {path: set(methods) for path, methods in document["paths"].items()} == CALLS


def test_each_call_has_a_summary_of_its_own(document: dict[str, Any]) -> None:
    calls = [call for methods in document["paths"].values() for call in methods.values()]

    for what in ("summary", "description", "operationId"):
        assert len({call[what] for call in calls}) == len(calls)
    for call in calls:
        of_staff = call["operationId"] == "read_stats"
        assert call["security"] == ([{"stats_token": []}] if of_staff else [{"basic": []}, {}])


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for path in CALLS:
        for status, said in responses(document, path).items():
            if int(status) < 400:
                assert set(said["content"]) == {"application/json"}
                continue
            assert said["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }
            assert said["description"], (path, status)


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/api/v1/challenges", "201 400 401 403 406 413 415 429 500 503"),
        ("/api/v1/challenges/{id}", "200 400 401 404 406 429 500 503"),
        ("/api/v1/challenges/{id}/send", "202 400 401 403 404 406 409 410 413 415 423 429 500 503"),
        ("/api/v1/challenges/{id}/verify", "200 400 401 403 404 406 409 410 413 415 423 429 500 503"),
        ("/api/v1/stats", "200 400 401 406 429 500 503"),
    ],
)
def test_the_statuses_of_a_call(document: dict[str, Any], path: str, statuses: str) -> None:
    assert sorted(responses(document, path)) == statuses.split()


def test_waits_and_schemes_are_promised(document: dict[str, Any]) -> None:
    for path in CALLS:
        found = responses(document, path)
        assert found["401"]["headers"]["WWW-Authenticate"]["required"]
        assert "429" not in found or found["429"]["headers"]["Retry-After"]["required"]


def test_its_words_are_all_that_we_say(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert schemas["Channel"]["enum"] == [channel.value for channel in Channel]
    assert set(schemas["DeliveryStatus"]["enum"]) == {status.word for status in Status}
    assert set(schemas["ErrorEnum"]["enum"]) == set(FailureReason)
    assert set(schemas["StateEnum"]["enum"]) == set(State)
    assert set(schemas["CodeEnum"]["enum"]) == set(CODES)


def test_bodies_say_what_they_need(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert schemas["StartRequest"]["required"] == ["phone"]
    assert schemas["VerifyRequest"]["required"] == ["code"]
    assert "required" not in schemas["SendRequest"]
    assert schemas["VerifyRequest"]["properties"]["code"]["maxLength"] == codes.LONGEST_INPUT


def test_the_document_is_made_once(app: App) -> None:
    """Making it costs tens of milliseconds, and everybody may ask."""
    first = schema.document()
    app.http.get("/api/schema/")

    assert schema.document() is first


def test_making_the_document_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """drf-spectacular prints what it had to guess."""
    schema.document.cache_clear()
    schema.document()

    assert capsys.readouterr() == ("", "")
