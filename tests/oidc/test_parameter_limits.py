"""How large and how many the requests of a client may be, and when what it pushed ends."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import LazySettings
from django.test import Client as Http

from oidc import parameters, policy, retention
from oidc.models import PushedRequest
from tests.clock import later
from tests.oidc.app import App, answer_of, refusal
from tests.oidc.endpoint_parameters import ENDPOINTS, FORM
from tests.oidc.test_par import bring, push

pytestmark = pytest.mark.django_db


class Unread:
    """A body that must not be touched."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")

    readline = read

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("path", list(ENDPOINTS))
@pytest.mark.parametrize("origin", [None, "https://acme.example"])
def test_what_is_too_large_is_refused_unread(app: App, path: str, origin: str | None) -> None:
    """O6: also when a page of the application asks."""
    environment: dict[str, Any] = {"HTTP_ORIGIN": origin} if origin else {}
    environment |= {"CONTENT_LENGTH": str(parameters.MOST_BYTES + 1), "wsgi.input": Unread()}
    page = Http().generic("POST", path, content_type=FORM, **environment)

    assert refusal(page, 413) == "invalid_request"
    assert refusal(Http().post(f"{path}?x={'y' * 17_000}"), 413) == "invalid_request"


def test_a_request_of_just_that_size_is_taken(app: App) -> None:
    """O6: and nothing of what is not known is kept."""
    fields = app.parameters()
    room = parameters.MOST_BYTES - len(urlencode(fields | {"extra": ""}))
    assert push(app, extra="x" * room).status_code == 201
    assert push(app, extra="x" * (room + 1)).status_code == 413

    row = PushedRequest.objects.get()
    assert row.parameters == fields


@pytest.mark.parametrize(
    ("kind", "limit", "others"),
    [("app", "push.address", 201), ("app", "push.client", 429), ("server_app", "push.client", 429)],
)
def test_pushes_are_limited(
    request: pytest.FixtureRequest, settings: LazySettings, kind: str, limit: str, others: int
) -> None:
    """O6: by the address of a public client, and by client; refused ones write nothing and the count ends."""
    client: App = request.getfixturevalue(kind)
    settings.AUTHSVC_LIMITS = {limit: "3/10m"}
    assert [push(client).status_code for _ in range(3)] == [201] * 3

    refused = push(client)
    assert refusal(refused, 429) == "temporarily_unavailable"
    assert 0 < int(refused["Retry-After"]) <= 600
    assert PushedRequest.objects.count() == 3
    client.http.defaults["REMOTE_ADDR"] = "198.51.100.1"
    assert push(client).status_code == others
    with later(601):
        assert push(client).status_code == 201


def test_a_server_is_not_limited_by_its_one_address(server_app: App, settings: LazySettings) -> None:
    """O6: it speaks for all its users."""
    settings.AUTHSVC_LIMITS = {"push.address": "1/10m"}

    assert [push(server_app).status_code for _ in range(5)] == [201] * 5


def test_refused_requests_do_not_count_towards_the_limit(app: App, settings: LazySettings) -> None:
    """O6: only what is written is counted."""
    settings.AUTHSVC_LIMITS = {"push.address": "1/10m"}
    for _ in range(3):
        assert push(app, redirect_uri="https://evil.example/").status_code == 400

    assert push(app).status_code == 201


def test_what_was_pushed_is_deleted_when_it_ends(app: App) -> None:
    """O6: by the purge of every minute, used or not."""
    push(app)
    assert answer_of(app.sign_in(bring(app, push(app).json()["request_uri"])))["code"]

    assert retention.purge()["pushed_requests"] == 0
    with later(policy.PUSHED_VALID.total_seconds() + 1):
        assert retention.purge()["pushed_requests"] == 2
    assert not PushedRequest.objects.exists()


def test_json_within_a_parameter_is_kept_as_text_or_not_at_all(app: App) -> None:
    """O5: an escaped NUL in `claims` is six characters, and nothing of them is stored."""
    claims = json.dumps({"userinfo": {"a\0": None}})

    assert push(app, claims=claims, state=quote("\0")).status_code == 201
    assert "claims" not in PushedRequest.objects.get().parameters
