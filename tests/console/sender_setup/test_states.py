"""What the set-up page says of reports that arrive and of templates, as they are now."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from channels import setup_checks
from channels.findings import TemplateSeen, fail, ok
from channels.models import SenderNotice, SenderReports
from channels.setup import StepName
from console.sender_setup import page as subject
from core import http
from tests.console.sender_setup.conftest import SetupPage, make_meta

pytestmark = pytest.mark.django_db
NOBODY_ASKED = "no provider is asked while the page is drawn"


@pytest.fixture
def page(staff: Client, project: Any, monkeypatch: pytest.MonkeyPatch) -> SetupPage:
    """Of a sender whose provider must not be asked."""

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError(NOBODY_ASKED)

    monkeypatch.setattr(http.HttpClient, "get", refuse)
    monkeypatch.setattr(http.HttpClient, "post", refuse)
    return SetupPage(staff, make_meta())


def card(page: SetupPage, step: str) -> Any:
    shown = page.client.get(page.address).context["page"]
    return next(card for card in shown.cards if card.step.name == step)


# What it shows ----------------------------------------------------------------------------------------


def arrivals(page: SetupPage, **row: Any) -> tuple[str, str]:
    if row:
        SenderReports.objects.update_or_create(sender=page.sender, defaults=row)
    line = card(page, "reports").arrivals
    return line.level, str(line.text)


def test_green_only_when_a_signed_event_arrived(page: SetupPage) -> None:
    setup_checks.keep(page.sender.pk, StepName.REPORTS, [ok("an app is subscribed")])

    assert arrivals(page) == ("warn", "no signed event has arrived yet")
    assert card(page, "reports").level == "warn"

    now = timezone.now()
    assert arrivals(page, reported_at=now - timedelta(seconds=12))[0] == "ok"
    assert card(page, "reports").level == "ok"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (12, "12 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (200_000, "2 days"),
    ],
)
def test_how_long_ago_the_last_one_was(seconds: int, words: str, page: SetupPage) -> None:
    now = timezone.now()

    assert subject._ago(now, now - timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"refused": 3, "refused_at": timezone.now()}, "signature that this app secret does not match"),
        ({"missing_since": timezone.now()}, "reports do not arrive"),
    ],
)
def test_red_with_the_reason(row: dict[str, Any], words: str, page: SetupPage) -> None:
    level, text = arrivals(page, **row)

    assert (level, words in text) == ("fail", True)


def test_a_good_report_after_refused_ones_is_green(page: SetupPage) -> None:
    now = timezone.now()
    assert arrivals(page, refused=9, refused_at=now - timedelta(minutes=1), reported_at=now)[0] == "ok"


# Templates --------------------------------------------------------------------------------------------


def checked_templates(page: SetupPage, **words: str) -> None:
    """Meta's words of the template by language; an empty one can be sent."""
    findings = []
    for language, word in words.items():
        seen = TemplateSeen(language=language, reason=None, word=word)
        finding = fail(f"in {language} {word}", "wait") if word else ok(f"in {language}")
        findings.append(
            finding.__class__(level=finding.level, text=finding.text, remedy=finding.remedy, template=seen)
        )
    setup_checks.keep(page.sender.pk, StepName.TEMPLATES, findings)


def languages(page: SetupPage) -> dict[str, tuple[str, str, bool]]:
    shown = page.client.get(page.address).context["page"].languages
    return {item.code: (item.word, item.level, item.is_made) for item in shown}


def test_each_language_has_metas_state(page: SetupPage) -> None:
    assert languages(page) == {"en": ("", "", False), "es": ("", "", False)}

    checked_templates(page, en="", es="PENDING")
    assert languages(page) == {"en": ("APPROVED", "ok", True), "es": ("PENDING", "warn", True)}
    assert "data-pending" in page.text()

    checked_templates(page, en="PAUSED", es="MISSING")
    assert languages(page) == {"en": ("PAUSED", "fail", True), "es": ("MISSING", "fail", False)}
    assert "data-pending" not in page.text()


def notice(page: SetupPage, language: str, **fields: Any) -> None:
    SenderNotice.objects.create(
        sender=page.sender, topic="template", template="one_time_password", language=language, **fields
    )


def test_the_review_is_followed_by_the_webhook(page: SetupPage) -> None:
    """What came after the check counts."""
    checked_templates(page, en="", es="PENDING")
    now = timezone.now()
    notice(page, "es", good_at=now)
    notice(page, "en", reason="template_paused", provider_code="PAUSED", bad_at=now)

    assert languages(page) == {"en": ("PAUSED", "fail", True), "es": ("APPROVED", "ok", True)}


def test_news_from_before_the_check_are_old(page: SetupPage) -> None:
    before = timezone.now() - timedelta(minutes=1)
    notice(page, "en", reason="template_paused", provider_code="PAUSED", bad_at=before)
    checked_templates(page, en="")

    assert languages(page)["en"] == ("APPROVED", "ok", True)


# Who may ----------------------------------------------------------------------------------------------
