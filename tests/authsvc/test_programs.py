"""The short way of programs: what it takes, and that its answers are Django's."""

import json
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.wsgi import get_wsgi_application
from django.db import DEFAULT_DB_ALIAS, connections
from django.test import Client
from prometheus_client import REGISTRY
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from authsvc import programs
from authsvc.programs import Environ, Programs
from projects.config import ProjectConfig
from tests import factories
from tests.api.conftest import code_of, wrong_code
from tests.programs import ProductionClient, took_short_way
from webhooks.registry import WEBHOOKS

pytestmark = pytest.mark.django_db

CHALLENGES = "/api/v1/challenges"
CLIENT = "acme-web"


@pytest.fixture
def project() -> ProjectConfig:
    made = factories.make_project()
    factories.make_client(made)
    return made


def post(http: Client, path: str, body: object, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Host": "testserver"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return http.generic("POST", path, raw, content_type="application/json", headers=sent)


def start(http: Client, phone: str = factories.PHONE, **headers: str) -> Any:
    return post(http, CHALLENGES, {"phone": phone, "client_id": CLIENT}, **headers)


def essence(response: Any) -> tuple[int, Mapping[str, str], object]:
    """Without what differs each time."""
    headers = {name.title(): value for name, value in response.headers.items()}
    for name in ("X-Request-Id", "Location", "Content-Length"):
        if headers.pop(name, None) is None and name != "Location":
            headers[name] = "absent"
    text = response.content.decode()
    body = json.loads(text) if text.startswith("{") else text
    if isinstance(body, dict):
        varying = {"id", "access_token", "refresh_token", "id_token", "expires_at", "resend_at", "at"}
        body = {name: "…" if name in varying else value for name, value in body.items()}
        for delivery in body.get("deliveries", []):
            delivery["at"] = "…"
    return response.status_code, headers, body


STARTS: list[tuple[str, object, dict[str, str]]] = [
    ("a start", {"phone": "+85251000001", "client_id": CLIENT}, {}),
    ("a number that is none", {"phone": "12", "client_id": CLIENT}, {}),
    ("a client that is none", {"phone": factories.PHONE, "client_id": "nobody"}, {}),
    ("no JSON", b"{", {}),
    ("no object", b"[]", {}),
    ("an empty body", b"", {}),
    ("too large", b"x" * 20_000, {}),
    ("an answer it does not give", {"phone": factories.PHONE, "client_id": CLIENT}, {"Accept": "text/html"}),
    ("a key that is none", {"phone": "+85251000002", "client_id": CLIENT}, {"Idempotency_Key": "é"}),
    ("another address", {"phone": "+85251000003", "client_id": CLIENT, "end_user_ip": "192.0.2.1"}, {}),
    ("a language", {"phone": "+85251000004", "client_id": CLIENT}, {"Accept_Language": "es"}),
]


@pytest.mark.parametrize(("body", "headers"), [case[1:] for case in STARTS], ids=[case[0] for case in STARTS])
def test_a_start_is_answered_as_by_django(
    project: ProjectConfig, body: object, headers: dict[str, str]
) -> None:
    short = post(ProductionClient(), CHALLENGES, body, **headers)
    other = (
        body | {"phone": str(body["phone"]).replace("8525100000", "8525100001")}
        if isinstance(body, dict)
        else body
    )
    long = post(Client(), CHALLENGES, other, **headers)

    assert took_short_way(short)
    assert not took_short_way(long)
    assert short.status_code != 503, "something is missing in this test"
    short_status, short_headers, short_body = essence(short)
    assert (short_status, short_headers) == essence(long)[:2]
    if short_status != 201:
        assert short_body == essence(long)[2]


def test_a_login_is_answered_as_by_django(project: ProjectConfig) -> None:
    answers = []
    for http, phone in ((ProductionClient(), "+85251000001"), (Client(), "+85251000002")):
        name = start(http, phone).json()["id"]
        verify = f"{CHALLENGES}/{name}/verify"
        typed = [wrong_code(name), code_of(name), code_of(name), "x"]
        answers.append([post(http, verify, {"code": code, "client_id": CLIENT}) for code in typed])

    assert [took_short_way(short) for short in answers[0]] == [True] * 4
    assert [essence(short)[:2] for short in answers[0]] == [essence(long)[:2] for long in answers[1]]
    assert [answer.status_code for answer in answers[0]] == [400, 200, 409, 409]


@pytest.mark.parametrize("path", sorted(WEBHOOKS))
@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 5_000_000], ids=["empty", "object", "large"])
def test_a_report_is_answered_as_by_django(project: ProjectConfig, path: str, body: bytes) -> None:
    short, long = post(ProductionClient(), path, body), post(Client(), path, body)

    assert took_short_way(short)
    assert essence(short) == essence(long)


@pytest.mark.parametrize("path", [CHALLENGES, "/whatsapp/webhook"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_it_protects_as_django_does(
    project: ProjectConfig, settings: LazySettings, path: str, scheme: str
) -> None:
    settings.SECURE_HSTS_SECONDS = 1234
    answers = [
        http.generic("POST", path, b"{}", headers={"Host": "testserver"}, secure=scheme == "https")
        for http in (ProductionClient(), Client())
    ]

    assert essence(answers[0])[1] == essence(answers[1])[1]
    assert ("Strict-Transport-Security" in answers[0].headers) is (scheme == "https")


UNUSUAL: list[tuple[str, str, dict[str, str]]] = [
    ("GET", CHALLENGES, {}),
    ("OPTIONS", CHALLENGES, {}),
    ("PUT", CHALLENGES, {}),
    ("POST", CHALLENGES, {"Origin": "https://app.acme.example"}),
    ("POST", CHALLENGES, {"Host": "evil.example"}),
    ("POST", CHALLENGES, {"Host": ""}),
    ("POST", CHALLENGES, {"Host": "testserver:x"}),
    ("POST", f"{CHALLENGES}/", {}),
    ("POST", f"{CHALLENGES}/abc/send", {}),
    ("POST", f"{CHALLENGES}//verify", {}),
    ("POST", f"{CHALLENGES}/a/b/verify", {}),
    ("POST", f"{CHALLENGES}/é/verify", {}),
    ("POST", f"{CHALLENGES}/abc/verify/", {}),
    ("GET", f"{CHALLENGES}/abc", {}),
    ("GET", "/whatsapp/webhook", {}),
    ("POST", "/whatsapp/webhook/", {}),
    ("POST", "/login/", {}),
]


@pytest.mark.parametrize(("method", "path", "headers"), UNUSUAL)
def test_what_is_unusual_goes_through_django(
    project: ProjectConfig, settings: LazySettings, method: str, path: str, headers: dict[str, str]
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    http = ProductionClient(raise_request_exception=False)

    response = http.generic(method, path, b"{}", headers={"Host": "testserver"} | headers)

    assert not took_short_way(response)


def test_a_host_is_checked_each_time_it_is_another(project: ProjectConfig, settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = [".acme.example"]
    reached: list[str] = []

    def django(environ: Environ, _start_response: object) -> list[bytes]:
        reached.append(environ["HTTP_HOST"])
        return []

    application = Programs(django)
    for host in ("a.acme.example", "b.acme.example", "a.acme.example", "acme.evil", "acme.evil"):
        list(application(environ_of(HTTP_HOST=host), lambda *_: None))

    assert reached == ["acme.evil", "acme.evil"]


@pytest.mark.parametrize("value", ["CONTENT_LENGTH=1e3", "CONTENT_LENGTH=-1", "wsgi.url_scheme=ftp"])
def test_what_no_web_server_should_give_is_answered_as_by_django(project: ProjectConfig, value: str) -> None:
    changed = dict([value.split("=")])
    django: Any = get_wsgi_application()
    said: list[str] = []
    for application in (django, Programs(django)):
        list(application(environ_of(**changed), lambda status, _headers: said.append(status)))

    assert said[0] == said[1]


def test_it_remembers_only_so_many_hosts(
    project: ProjectConfig, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setattr(programs, "_MOST_HOSTS", 3)
    application = Programs(lambda *_: [])

    for number in range(10):
        list(application(environ_of(HTTP_HOST=f"h{number}.example"), lambda *_: None))

    assert len(application._hosts) == 3


def environ_of(**more: str) -> Environ:
    raw: list[Environ] = []

    class Noting(Client):
        def request(self, **request: Any) -> Any:
            raw.append(self._base_environ(**request))  # type: ignore[attr-defined] # Django's

    Noting().generic(
        "POST", CHALLENGES, b"{}", content_type="application/json", headers={"Host": "testserver"}
    )
    return raw[0] | more


# What Django's middleware does ------------------------------------------------------------------------


def test_its_lines_carry_the_request_and_where_it_came_from(project: ProjectConfig) -> None:
    ids = []
    with capture_logs(processors=[merge_contextvars]) as lines:
        for phone in ("+85251000001", "+85251000002"):
            ids.append(start(ProductionClient(), phone)["X-Request-ID"])  # noqa: PERF401 # two requests, not a list

    started = [line for line in lines if line["event"] == "challenge.started"]
    assert [line["request_id"] for line in started] == ids
    assert len(set(ids)) == 2
    assert {line["address_block"] for line in started} == {"127.0.0.0/24"}


def test_behind_a_proxy_it_is_the_client_that_counts(project: ProjectConfig, settings: LazySettings) -> None:
    settings.AUTHSVC_TRUSTED_PROXIES = (ip_network("127.0.0.0/8"),)
    with capture_logs(processors=[merge_contextvars]) as lines:
        response = start(
            ProductionClient(),
            X_Forwarded_For="198.51.100.9",
            X_Forwarded_Proto="https",
            X_Request_Id="from-proxy",
        )

    assert took_short_way(response)
    assert response["X-Request-ID"] == "from-proxy"
    [line] = [line for line in lines if line["event"] == "challenge.started"]
    assert line["address_block"] == "198.51.100.0/24"


def test_it_is_counted_under_the_name_of_its_view(project: ProjectConfig) -> None:
    def counted(view: str, status: str) -> float:
        labels = {"view": view, "status": status}
        return REGISTRY.get_sample_value("authsvc_http_request_seconds_count", labels) or 0

    for http in (ProductionClient(), Client()):
        before = [counted("api-challenges", "400"), counted("api-verify", "404")]
        post(http, CHALLENGES, {})
        post(http, f"{CHALLENGES}/abc/verify", {"code": "123456"})

        assert [counted("api-challenges", "400"), counted("api-verify", "404")] == [n + 1 for n in before]


def test_an_unexpected_error_is_answered_and_told(
    project: ProjectConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise LookupError

    monkeypatch.setattr("webhooks.views._guarded", crash)
    monkeypatch.setattr("api.parsers.read", crash)

    reports = post(ProductionClient(raise_request_exception=False), "/whatsapp/webhook", b"{}")
    call = start(ProductionClient(raise_request_exception=False))

    assert took_short_way(reports)
    assert took_short_way(call)
    assert (reports.status_code, call.status_code) == (500, 500)
    assert call.json()["code"] == "internal_error"


@pytest.mark.django_db(transaction=True)
def test_it_leaves_no_connection_behind(project: ProjectConfig) -> None:
    connections[DEFAULT_DB_ALIAS].ensure_connection()

    assert start(ProductionClient()).status_code == 201

    assert connections[DEFAULT_DB_ALIAS].connection is None


@pytest.mark.parametrize("name", ["SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_who_follows_django_sees_everything(settings: LazySettings, name: str) -> None:
    assert not programs.is_watched()
    setattr(settings, name, "https://watcher.example")

    assert programs.is_watched()
