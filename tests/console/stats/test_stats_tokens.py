"""Statistics tokens in the admin: shown once, narrowed to a project, revoked."""

import re

import pytest
from django.test import Client as Http

from audit.models import AuditEvent
from projects.config import ProjectConfig
from stats import tokens
from stats.models import StatsToken
from tests.console.stats.test_dashboard import member

pytestmark = pytest.mark.django_db

TOKENS = "/admin/stats/statstoken/"


def made(browser: Http, **fields: str) -> tuple[str, StatsToken]:
    """The text that the page showed, and its row."""
    answer = browser.post(f"{TOKENS}add/", {"name": "Warehouse"} | fields, follow=True)
    (text,) = re.findall(r"authsvc_stats_[\w-]+", answer.content.decode())
    return text, StatsToken.objects.get()


def test_a_token_is_shown_once(staff: Http, project: ProjectConfig) -> None:
    text, row = made(staff)

    reader = tokens.read(text)
    assert reader
    assert (reader.token_id, reader.project_id) == (row.pk, None)
    for page in (TOKENS, f"{TOKENS}{row.pk}/change/", f"{TOKENS}{row.pk}/history/"):
        assert text not in staff.get(page).content.decode()
    assert text not in str(list(AuditEvent.objects.values()))


def test_a_token_of_a_project_stays_with_it(staff: Http, project: ProjectConfig) -> None:
    text, row = made(staff, project=str(project.id))

    staff.post(f"{TOKENS}{row.pk}/change/", {"name": "Renamed", "project": ""})

    row.refresh_from_db()
    assert (row.name, row.project_id) == ("Renamed", project.id)
    reader = tokens.read(text)
    assert reader
    assert reader.project_id == project.id


def test_a_revoked_token_reads_nothing(staff: Http, project: ProjectConfig) -> None:
    text, row = made(staff)

    form = {"action": "revoke", "_selected_action": [str(row.pk)]}
    assert "Warehouse is revoked." in staff.post(TOKENS, form, follow=True).content.decode()

    assert tokens.read(text) is None
    assert "revoked" in staff.get(TOKENS).content.decode()
    assert "is revoked." not in staff.post(TOKENS, form, follow=True).content.decode()  # it was before


def test_viewers_make_and_revoke_none(project: ProjectConfig) -> None:
    token = StatsToken(name="x")
    text = tokens.issue(token)
    browser = member("view_statstoken")

    assert browser.post(f"{TOKENS}add/", {"name": "mine"}).status_code == 403
    browser.post(TOKENS, {"action": "revoke", "_selected_action": [str(token.pk)]})

    assert tokens.read(text)
    assert StatsToken.objects.count() == 1


def test_a_name_is_needed(staff: Http, project: ProjectConfig) -> None:
    answer = staff.post(f"{TOKENS}add/", {"name": ""})

    assert answer.status_code == 200
    assert not StatsToken.objects.exists()
