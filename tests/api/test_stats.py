"""GET /api/v1/stats: figures for machines of staff."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client as Http
from django.utils import timezone

from api.serializers import stats as documented
from projects.config import ProjectConfig
from stats import report, rollup, span, tokens
from stats.models import StatsToken
from stats.report import FIGURES
from tests import factories
from tests.api.conftest import App, problem
from tests.statements import statements
from tests.stats.support import login, message

pytestmark = pytest.mark.django_db

STATS = "/api/v1/stats"


@pytest.fixture
def counted(project: ProjectConfig) -> ProjectConfig:
    login(project, message(), verified_after=1, at=timezone.now() - timedelta(seconds=2))
    rollup.keep(seconds=10)
    return project


def token_of(project: ProjectConfig | None = None) -> str:
    return tokens.issue(StatsToken(name="Warehouse", project_id=project.id if project else None))


def ask(token: str, query: str = "", **headers: str) -> Any:
    """As a machine asks; the answer is held against the OpenAPI document."""
    sent = {"Authorization": f"Bearer {token}"} if token else {}
    return App().call("GET", STATS + query, **(sent | headers))


def test_all_figures_come_at_once(counted: ProjectConfig) -> None:
    answer = ask(token_of())

    assert answer.status_code == 200, answer.content
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert list(body) == ["from", "to", "project", *FIGURES]
    assert body["logins"] == [
        {"day": body["to"], "started": 1, "verified": 1, "conversion": 1.0, "fell_back": 0}
    ]
    loaded = report.load(span.read({}, today=timezone.now().date()))
    assert {name: body[name] for name in FIGURES} == {name: report.as_json(name, loaded) for name in FIGURES}


def test_days_and_a_project_may_be_chosen(counted: ProjectConfig) -> None:
    token = token_of()

    body = ask(token, f"?from=2026-01-01&to=2026-01-31&project={counted.id}").json()

    assert (body["from"], body["to"], body["project"]) == ("2026-01-01", "2026-01-31", str(counted.id))
    assert body["logins"] == []


def test_a_token_of_a_project_reads_that_one_only(counted: ProjectConfig) -> None:
    other = factories.make_project(slug="other", name="Other", is_default=False, senders=False)
    token = token_of(other)

    body = ask(token).json()

    assert (body["project"], body["logins"]) == (str(other.id), [])
    problem(ask(token, f"?project={counted.id}"), 400, "invalid_request")
    assert ask(token_of(counted)).json()["logins"][0]["started"] == 1


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?from=x", "from"),
        ("?to=2026-02-31", "to"),
        ("?project=acme", "project"),
        ("?from=2020-01-01", "from"),
        ("?days=7", "days"),
    ],
)
def test_a_wrong_parameter_is_named(query: str, parameter: str, counted: ProjectConfig) -> None:
    body = problem(ask(token_of(), query), 400, "invalid_request")

    assert list(body["invalid_params"]) == [parameter]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic eDp5", "Token {}", "Bearer {}x"])
def test_without_a_valid_token_nothing_is_read(header: str, counted: ProjectConfig) -> None:
    headers = {"Authorization": header.format(token_of())} if header else {}

    answer = App().call("GET", STATS, **headers)

    problem(answer, 401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="stats"'


def test_a_revoked_token_reads_nothing(counted: ProjectConfig) -> None:
    text = token_of()
    tokens.revoke(StatsToken.objects.get())

    problem(ask(text), 401, "invalid_token")


def test_staff_and_clients_are_no_machines_of_staff(counted: ProjectConfig) -> None:
    """Neither a session nor a client's secret reads what all projects cost."""
    factories.make_client(counted, secret="s3cret-of-a-server-0123456789-abcdefghij", client_id="acme-server")
    app = App("acme-server", secret="s3cret-of-a-server-0123456789-abcdefghij")

    problem(app.call("GET", STATS), 401, "invalid_token")


def test_it_is_for_reading(counted: ProjectConfig) -> None:
    problem(Http().post(STATS), 405, "method_not_allowed")


def test_a_token_may_not_ask_without_end(counted: ProjectConfig, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"stats.token": "2/1h"}
    token, other = token_of(), token_of()

    statuses = [ask(token).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert ask(other).status_code == 200


def test_guessing_has_an_end(counted: ProjectConfig, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"stats.address": "3/1h"}

    statuses = [ask("authsvc_stats_" + "x" * 43).status_code for _ in range(4)]

    assert statuses == [401, 401, 401, 429]


def test_no_token_is_logged(counted: ProjectConfig, capsys: pytest.CaptureFixture[str]) -> None:
    token = token_of()
    ask(token)
    ask(token + "x")

    assert token not in "".join(capsys.readouterr())


def test_an_answer_is_few_statements(counted: ProjectConfig) -> None:
    token = token_of()
    ask(token)

    with statements() as sent:
        ask(token)

    assert len(sent) <= 8, sent


def test_the_document_has_the_columns_of_the_figures() -> None:
    fields: dict[str, Any] = documented.Stats().get_fields()

    for name, figure in FIGURES.items():
        assert list(fields[name].child.get_fields()) == list(figure.columns), name
