"""Applications that call the API, through real URLs and the real services; only providers are simulated."""

import base64
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jwt
import pytest
from django.conf import LazySettings
from django.test import TestCase
from django.utils import timezone
from jsonschema import Draft202012Validator

from api import challenge_ids
from api import schema as docs
from oidc import keys
from projects.config import ProjectConfig
from projects.models import Domain
from tests import factories
from tests.login.conftest import project, rung  # noqa: F401 # fixtures
from tests.programs import ProductionClient

SECRET = "s3cret-of-a-server-0123456789-abcdefghij"
CHALLENGES = "/api/v1/challenges"

type Answer = Any  # what Django's test client answers


class App:
    """An application of one client. Whatever it is answered is held against the OpenAPI document."""

    def __init__(
        self, client_id: str = "acme-web", *, secret: str = "", host: str = "testserver", **headers: str
    ) -> None:
        self.client_id = client_id
        self.secret = secret
        self.host = host
        self.headers = headers
        self.http = ProductionClient(raise_request_exception=False)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """`body`: an object for JSON, or raw bytes."""
        sent = {"Host": self.host}
        if self.secret:
            sent["Authorization"] = basic(self.client_id, self.secret)
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        response = self.http.generic(
            method,
            path,
            raw,
            content_type="" if body is None else "application/json",
            headers=sent
            | {name.replace("_", "-"): value for name, value in (self.headers | headers).items()},
        )
        assert_documented(method, path, response)
        return response

    def start(
        self, phone: str = factories.PHONE, *, headers: Mapping[str, str] | None = None, **fields: Any
    ) -> Answer:
        named = {} if self.secret else {"client_id": self.client_id}
        with TestCase.captureOnCommitCallbacks(execute=True):
            return self.call("POST", CHALLENGES, named | {"phone": phone} | fields, **(headers or {}))

    def started(self, phone: str = factories.PHONE, **fields: Any) -> str:
        """The id of a new challenge."""
        response = self.start(phone, **fields)
        assert response.status_code == 201, response.content
        return str(response.json()["id"])

    def read(self, name: str) -> Answer:
        return self.call("GET", f"{CHALLENGES}/{name}")

    def send(self, name: str, **fields: Any) -> Answer:
        return self.call("POST", f"{CHALLENGES}/{name}/send", fields)

    def verify(self, name: str, code: str, **fields: Any) -> Answer:
        with TestCase.captureOnCommitCallbacks(execute=True):
            return self.call("POST", f"{CHALLENGES}/{name}/verify", {"code": code} | fields)

    def signed_in(self, phone: str = factories.PHONE) -> dict[str, Any]:
        """The token response of a whole login."""
        name = self.started(phone)
        response = self.verify(name, code_of(name))
        assert response.status_code == 200, response.content
        found: dict[str, Any] = response.json()
        return found


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def challenge_id(name: str) -> uuid.UUID:
    """The key of the challenge that an id of the API names."""
    found = challenge_ids.read(name)
    assert found
    return found.challenge_id


def code_of(name: str) -> str:
    return factories.code_of(challenge_id(name))


def wrong_code(name: str, nth: int = 0) -> str:
    return factories.wrong_code(challenge_id(name), nth)


def problem(response: Answer, status: int, code: str) -> dict[str, Any]:
    """The problem that was answered, which must be this one and look like one."""
    found: dict[str, Any] = response.json()
    assert (response.status_code, found["code"]) == (status, code), found
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    assert found["status"] == status
    assert found["type"] == f"urn:authsvc:problem:{code}"
    assert found["title"]
    assert found["detail"]
    return found


def claims_of(token: str, *, audience: str = "acme-web") -> dict[str, Any]:
    """What an independent library reads in a token of ours, with the keys that we publish."""
    kid = jwt.get_unverified_header(token)["kid"]
    (jwk,) = [key.jwk() for key in keys.key_ring().published(timezone.now()) if key.kid == kid]
    found: dict[str, Any] = jwt.decode(token, jwt.PyJWK(jwk), audience=audience, issuer="http://testserver")
    return found


# What the document promises -------------------------------------------------------------------------


def operation(method: str, path: str) -> Mapping[str, Any] | None:
    """What the document says of a call; None: nothing, because there is no such call."""
    for template, methods in docs.document()["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path.partition("?")[0]):
            found: Mapping[str, Any] | None = methods.get("get" if method == "HEAD" else method.lower())
            return found
    return None


def assert_documented(method: str, path: str, response: Answer) -> None:
    call = operation(method, path)
    if call is None or (method == "OPTIONS" and response.status_code == 204):
        return
    said = call["responses"].get(str(response.status_code))
    assert said, (
        f"{method} answers {response.status_code}, which is not in the document: {response.content!r}"
    )
    assert response["Content-Type"] in said["content"], response["Content-Type"]
    for name, header in said.get("headers", {}).items():
        assert not header.get("required") or name in response.headers, f"{name} is missing"
    if method != "HEAD":
        assert_fits(response.json(), said["content"][response["Content-Type"]]["schema"])


def assert_fits(value: object, schema: Mapping[str, Any]) -> None:
    """`value` is as described, and has nothing that is not."""
    whole = {**schema, "components": _closed(docs.document()["components"])}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def _closed(part: Any) -> Any:
    """The same schemas, none of which takes a field that it does not name."""
    if isinstance(part, dict):
        more = {"additionalProperties": False} if "properties" in part else {}
        return {name: _closed(item) for name, item in part.items()} | more
    return [_closed(item) for item in part] if isinstance(part, list) else part


# Fixtures -------------------------------------------------------------------------------------------


@pytest.fixture
def app(project: ProjectConfig) -> App:  # noqa: F811 # a fixture
    """A page or a phone: a public client. Signed with ES256, which costs a tenth to make keys for."""
    factories.make_client(project, algorithm="ES256")
    return App()


@pytest.fixture
def server(project: ProjectConfig) -> App:  # noqa: F811 # a fixture
    """A confidential client."""
    factories.make_client(project, secret=SECRET, client_id="acme-server", algorithm="ES256")
    return App("acme-server", secret=SECRET)


@pytest.fixture
def stranger(project: ProjectConfig, settings: LazySettings) -> App:  # noqa: F811 # a fixture
    """A public client of another project, at that project's host."""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "other.example"]
    other = factories.make_project(slug="other", name="Other", is_default=False)
    Domain.objects.create(project_id=other.id, host="other.example")
    factories.make_client(other, client_id="other-web", algorithm="ES256")
    return App("other-web", host="other.example")


@contextmanager
def nothing_new() -> Iterator[None]:
    """No challenge is begun in here."""
    from otp.models import Challenge, Delivery

    before = (Challenge.objects.count(), Delivery.objects.count())
    yield
    assert (Challenge.objects.count(), Delivery.objects.count()) == before
