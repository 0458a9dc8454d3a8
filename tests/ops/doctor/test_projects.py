"""Stored rows that the rules of today would refuse: named, with what to do, and harmless until then."""

from typing import Any

import pytest

from channels.findings import Level
from ops.doctor import projects as checks
from projects.config import projects
from projects.models import Domain, LoginMethods, Project
from tests import factories

pytestmark = pytest.mark.django_db


def lines() -> list[str]:
    findings = list(checks.set_up())
    assert all(item.remedy for item in findings if item.level is not Level.OK)
    return [f"{item.subject}: {item.text}" for item in findings if item.level is not Level.OK]


def test_a_project_that_is_complete_has_no_finding(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["login.acme.example"]
    project = factories.make_project()
    Domain.objects.create(project_id=project.id, host="login.acme.example:8443")

    assert lines() == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"countries_allowed": []}, "acme: countries_allowed must name at least one country"),
        ({"countries_allowed": ["HK"], "countries_pinned": ["GB"]}, "acme: countries_pinned must be among"),
        ({"countries_allowed": ["HK", "HK"]}, "acme: countries_allowed names a country twice: HK"),
        (
            {"otp_valid_seconds": 60, "fallback_wait_seconds": 60},
            "acme: fallback_wait_seconds must be below the 60",
        ),
        (
            {"otp_valid_seconds": 60, "resend_after_seconds": 90},
            "acme: resend_after_seconds must be below the 60",
        ),
    ],
)
def test_rows_of_an_earlier_version_are_checked_by_the_rules_of_today(
    values: dict[str, Any], words: str
) -> None:
    """L2."""
    factories.make_project()
    LoginMethods.objects.update(**values)

    assert any(line.startswith(words) for line in lines()), lines()


def test_a_stored_wait_that_outlasts_the_code_falls_back_in_time() -> None:
    """L2: the row of an earlier version is safe until somebody corrects it."""
    project = factories.make_project(otp_valid_seconds=60, fallback_wait_seconds=300)

    assert projects.get().by_id[project.id].fallback_wait_seconds == 30


def test_a_project_without_login_methods_and_unreachable_hosts_are_named() -> None:
    """L2, D6."""
    project = Project.objects.get(id=factories.make_project().id)
    Domain.objects.create(project=project, host="login.acme.example")
    Domain.objects.bulk_create([Domain(project=project, host="a..example")])  # as no form lets it through
    LoginMethods.objects.all().delete()

    assert lines() == [
        "acme: has no login methods: its hosts answer 503",
        "acme: login.acme.example is not in ALLOWED_HOSTS and is refused",
        "acme: a..example is not a host name, so no browser can reach it",
    ]


def test_an_archived_project_needs_nothing() -> None:
    """D12."""
    project = Project.objects.create(slug="acme", name="Acme")
    assert lines()

    project.archived_at = project.created_at
    project.save()
    assert lines() == []


def test_a_route_that_breaks_a_rule_is_named() -> None:
    """L2: its sender may be gone, or its channel."""
    route = {"countries": ["IN"], "order": ["whatsapp", "sms"], "sender": "gone"}
    factories.make_project(
        routing=[route, {"countries": ["HK"], "order": ["sms"]}], verify_phone_by="whatsapp_only"
    )

    assert lines() == [
        "acme: Route 1, order: must be of whatsapp, each once at most",
        "acme: Route 1, sender: no active sender of this project, and no shared one, is named gone",
        "acme: Route 2, order: must be of whatsapp, each once at most",
    ]
