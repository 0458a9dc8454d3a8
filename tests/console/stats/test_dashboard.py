"""The index of the admin: every figure, the span, who may see it, and what it costs."""

import csv
import io
import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Http
from django.utils import timezone

from channels.models import Sender
from channels.providers import PROVIDERS
from core.config_models import ConfigVersion
from core.ids import new_id
from projects.config import ProjectConfig
from stats import tokens
from stats.models import LoginRollup, Price
from stats.report import FIGURES
from tests import factories
from tests.statements import statements
from tests.stats.support import login, message
from users.models import User

pytestmark = pytest.mark.django_db

INDEX = "/admin/"


def page_of(browser: Http, query: str = "") -> str:
    answer = browser.get(INDEX + query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def member(*permissions: str) -> Http:
    """A browser of staff with these permissions."""
    user = User.objects.create_user(f"staff-{new_id().hex}", "a-long-password-here")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Http()
    browser.force_login(user)
    return browser


def rows_of(page: str, figure: str) -> list[list[str]]:
    section = re.search(rf'<section[^>]*aria-labelledby="figure-{figure}">(.*?)</section>', page, re.DOTALL)
    assert section
    body = "".join(re.findall(r"<tbody>(.*?)</tbody>", section[1], re.DOTALL))
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in body.split("<tr")[1:]]


def test_the_index_has_every_figure(staff: Http, counted: ProjectConfig) -> None:
    page = page_of(staff)

    assert re.findall(r'<h2 id="figure-(\w+)"', page) == list(FIGURES)
    today = timezone.now().date().isoformat()
    assert rows_of(page, "logins") == [[today, "2", "2", "100.0 %", "1"]]
    assert rows_of(page, "fallbacks") == [["WhatsApp", "not on channel", "1", "50.0 %"]]
    assert rows_of(page, "failures") == [["WhatsApp", "not on channel", "1"]]
    assert rows_of(page, "costs")[1][3:5] == ["authentication_international", "international"]
    assert rows_of(page, "totals")[0][:4] == ["USD", "0.0592", "2", "0.0296"]


def test_a_sender_is_shown_with_its_state(staff: Http, counted: ProjectConfig) -> None:
    names = [row[0] for row in rows_of(page_of(staff), "senders")]
    assert names == [f"Shared · {PROVIDERS['memory'].label}: works"] * 2

    Sender.objects.filter(channel="sms").delete()
    ConfigVersion.bump()

    assert [row[0] for row in rows_of(page_of(staff), "senders")] == [names[0], "switched off or deleted"]


def test_prices_that_are_missing_are_asked_for(staff: Http, counted: ProjectConfig) -> None:
    assert "1 message costs money and no price is known." in page_of(staff)
    Price.objects.create(provider="memory", amount="0.01", currency="USD", valid_from=timezone.now().date())

    page = page_of(staff)

    assert "no price is known." not in page
    assert "Saved against SMS" in page


def test_an_empty_installation_says_so(staff: Http) -> None:
    page = page_of(staff)

    assert page.count("Nothing in these days.") == len(FIGURES)
    assert "<canvas" not in page


def test_charts_are_drawn_from_the_same_values(staff: Http, counted: ProjectConfig) -> None:
    import html

    page = page_of(staff)
    charts = [json.loads(html.unescape(text)) for text in re.findall(r'data-value="([^"]*)"', page)]

    logins, times, fallbacks = charts
    assert len(logins["labels"]) == 30
    assert [sum(item["data"]) for item in logins["datasets"]] == [2, 2]
    assert len(times["labels"]) == 4
    assert fallbacks["datasets"][0]["data"] == [1]
    assert len(re.findall(r'<canvas class="chart" role="img" aria-label="[^"]+', page)) == 3


def test_one_project_and_some_days(staff: Http, counted: ProjectConfig) -> None:
    other = factories.make_project(slug="other", name="Other <b>", is_default=False, senders=False)

    assert rows_of(page_of(staff, f"?project={other.id}"), "logins") == []
    assert len(rows_of(page_of(staff, f"?project={counted.id}"), "logins")) == 1
    assert rows_of(page_of(staff, "?from=2026-01-01&to=2026-01-02"), "logins") == []
    page = page_of(staff, f"?project={counted.id}&from=2026-11-01&to=2026-11-02")
    assert 'value="2026-11-01"' in page
    assert f'<option value="{counted.id}" selected>' in page
    assert f"from=2026-11-01&amp;to=2026-11-02&amp;project={counted.id}" in page
    assert "Other &lt;b&gt;" in page


@pytest.mark.parametrize("query", ["?from=x", "?project=x", "?from=2026-11-03&to=2026-11-01", "?to=x"])
def test_a_wrong_question_is_named_and_answered_as_none(
    query: str, staff: Http, counted: ProjectConfig
) -> None:
    page = page_of(staff, query)

    assert '<p role="alert"' in page
    assert len(rows_of(page, "logins")) == 1


def test_without_the_permission_the_index_lists_pages_only(counted: ProjectConfig) -> None:
    browser = member("view_project")

    page = page_of(browser)

    assert "figure-logins" not in page
    assert "/admin/projects/project/" in page
    assert browser.get("/admin/figures/logins.csv").status_code == 403


def test_strangers_see_nothing(counted: ProjectConfig) -> None:
    for address in (INDEX, "/admin/figures/logins.csv"):
        answer = Http().get(address)
        assert answer.status_code == 302
        assert "/admin/login/" in answer.headers["Location"]


# What it costs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [0, 30])
def test_the_index_is_few_statements(more: int, counted: ProjectConfig) -> None:
    """However many projects, senders and rows."""
    for nth in range(more):
        other = factories.make_project(slug=f"p{nth}", name=f"P{nth}", is_default=False, senders=False)
        factories.make_sender("sms", project=None, project_id=other.id)
        row = LoginRollup.objects.all()[0]
        row.pk, row.project_id = None, other.id
        row.save()
    browser = member("view_loginrollup", "view_sender", "view_price")
    page_of(browser)

    with statements() as sent:
        page_of(browser)

    free = (
        "BEGIN",
        "COMMIT",
        'SELECT "projects_configversion"',
    )  # the latter is asked of Redis where there is one
    asked = [line[:240] for line in sent if not line.startswith(free)]
    assert len(asked) <= 15, "\n".join(asked)


# CSV ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("figure", FIGURES)
def test_each_figure_is_a_file(figure: str, staff: Http, counted: ProjectConfig) -> None:
    answer = staff.get(f"/admin/figures/{figure}.csv")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(
        rf'attachment; filename="{figure}-[\d-]+\.csv"', answer.headers["Content-Disposition"]
    )
    lines = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert lines
    assert list(lines[0]) == list(FIGURES[figure].columns)


def test_a_file_is_of_the_days_that_the_page_shows(staff: Http, counted: ProjectConfig) -> None:
    query = re.findall(r'href="(/admin/figures/logins\.csv\?[^"]+)"', page_of(staff, "?to=2026-01-02"))[0]

    answer = staff.get(query.replace("&amp;", "&"))

    assert answer.content.decode().splitlines() == [",".join(FIGURES["logins"].columns)]
    assert "logins-2025-12-04-2026-01-02.csv" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(("address", "status"), [("nothing.csv", 404), ("logins.csv?from=x", 400)])
def test_files_that_there_are_not(address: str, status: int, staff: Http, counted: ProjectConfig) -> None:
    answer: Any = staff.get(f"/admin/figures/{address}")

    assert answer.status_code == status
    assert staff.post("/admin/figures/logins.csv").status_code == 405


def test_a_token_is_no_way_into_the_admin(counted: ProjectConfig) -> None:
    from stats.models import StatsToken

    text = tokens.issue(StatsToken(name="x"))

    assert Http().get(INDEX, headers={"Authorization": f"Bearer {text}"}).status_code == 302


def test_a_login_without_a_country_is_shown(staff: Http, project: ProjectConfig) -> None:
    from stats import rollup

    login(project, message(), country="", at=timezone.now())
    rollup.keep(seconds=10)

    assert rows_of(page_of(staff), "messages")[0][0] == "—"
