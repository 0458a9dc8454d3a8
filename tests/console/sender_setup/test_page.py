"""The set-up page: drawn from our own database alone, for who may look, and nothing on it that must not be seen."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels import setup_checks
from channels.findings import fail, ok, warn
from channels.models import Sender, SenderCheck, SenderNotice
from channels.setup import StepName
from core import http
from tests import factories
from tests.console.sender_setup.conftest import SetupPage, make_meta, make_twilio
from users.models import User

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


@pytest.mark.parametrize(
    ("make", "steps"),
    [
        (make_meta, ["connect", "templates", "reports", "try"]),
        (make_twilio, ["connect", "reports", "try"]),
        (
            lambda: factories.make_sender(
                "sms", provider="vonage", api_key="abcd", from_number="+15005550006"
            ),
            ["connect", "reports", "try"],
        ),
        (
            lambda: factories.make_sender("sms", provider="http", url="https://gateway.example/sms"),
            ["connect", "reports", "try"],
        ),
    ],
)
def test_each_provider_has_the_same_page_with_the_steps_it_has(
    make: Any, steps: list[str], staff: Client, project: Any
) -> None:
    page = SetupPage(staff, make())
    text = page.text()

    assert [item.step.name for item in page.client.get(page.address).context["page"].cards] == steps
    assert all(f'id="{step}"' in text for step in steps)
    assert ("Create missing" in text) is ("templates" in steps)
    assert ("Send hello_world" in text) is ("templates" in steps)
    assert ("Subscribe" in text) is ("templates" in steps)
    assert "Send a test code" in text
    assert text.count('value="check"') == len(steps)  # one for all, and one for each but the last


def test_a_provider_without_steps_has_no_page(staff: Client, project: Any) -> None:
    sender = factories.make_sender("sms", provider="memory")

    assert staff.get(f"/admin/channels/sender/{sender.pk}/setup/").status_code == 404
    assert f"{sender.pk}/setup/" not in staff.get("/admin/channels/sender/").content.decode()


@pytest.mark.parametrize("ending", ["setup/", "setup/live/"])
@pytest.mark.parametrize("key", ["01890000-0000-7000-8000-00000000abcd", "no-id", "a/b"])
def test_no_such_sender(ending: str, key: str, staff: Client, project: Any) -> None:
    assert staff.get(f"/admin/channels/sender/{key}/{ending}").status_code == 404


def test_the_list_the_form_and_a_new_sender_lead_here(page: SetupPage) -> None:
    sender = page.sender
    assert page.address in page.client.get("/admin/channels/sender/").content.decode()
    assert page.address in page.client.get(f"/admin/channels/sender/{sender.pk}/change/").content.decode()

    form = {
        "channel": "sms",
        "provider": "http",
        "http_url": "https://gateway.example/sms",
        "is_active": "on",
    }
    answer = page.client.post(
        "/admin/channels/sender/add/", form | {"http_signing_secret": "s3cret", "_save": "1"}
    )
    added = Sender.objects.get(channel="sms")
    assert answer.headers["Location"] == f"/admin/channels/sender/{added.pk}/setup/"


def test_another_button_of_the_form_leads_where_it_says(page: SetupPage) -> None:
    form = {"channel": "sms", "provider": "http", "http_url": "https://gateway.example/sms"}
    answer = page.client.post(
        "/admin/channels/sender/add/", form | {"http_signing_secret": "s3cret", "_addanother": "1"}
    )
    assert answer.headers["Location"] == "/admin/channels/sender/add/"


def test_it_takes_few_statements_however_much_there_is_to_show(page: SetupPage) -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert page.client.get(page.address).status_code == 200
        return len(queries)

    statements()
    few = statements()
    for name in StepName:
        setup_checks.keep(page.sender.pk, name, [ok("well"), warn("a text", "a remedy")] * 50)
    languages = ["en", "es", "fr", "de", "it", "pt_BR", "ar", "hi", "id", "tr", "ru", "zh_CN", "zh_HK"]
    page.sender.values = page.sender.values | {"template_languages": languages}
    page.sender.save()
    for language in languages:
        SenderNotice.objects.create(
            sender=page.sender,
            topic="template",
            template="one_time_password",
            language=language,
            bad_at=timezone.now(),
        )
    statements()

    assert statements() <= few <= 15


def test_what_a_provider_says_is_text(page: SetupPage) -> None:
    setup_checks.keep(
        page.sender.pk, StepName.CONNECT, [fail("<script>alert(1)</script>", "<b onclick=x>now</b>")]
    )

    text = page.text()

    assert "<script>alert(1)" not in text
    assert "<b onclick" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_no_secret_is_on_it(page: SetupPage) -> None:
    text = page.text() + page.client.get(f"{page.address}live/").content.decode()

    assert [value for value in page.sender.secrets.values() if value in text] == []
    assert len(page.sender.secrets) == 3


@pytest.mark.parametrize(
    ("findings", "level"),
    [
        ([], ""),
        ([ok("a")], "ok"),
        ([ok("a"), warn("b", "c")], "warn"),
        ([fail("a", "b"), ok("c"), warn("d", "e")], "fail"),
    ],
)
def test_a_step_is_as_good_as_its_worst_finding(findings: list[Any], level: str, page: SetupPage) -> None:
    if findings:
        setup_checks.keep(page.sender.pk, StepName.CONNECT, findings)

    assert card(page, "connect").level == level


def test_a_check_before_the_last_save_is_said_to_be_old(page: SetupPage) -> None:
    setup_checks.keep(page.sender.pk, StepName.CONNECT, [ok("well")])
    assert not card(page, "connect").is_old

    page.sender.save()
    assert card(page, "connect").is_old
    assert "The sender was saved after that" in page.text()


def test_a_sender_that_is_off_says_so(page: SetupPage) -> None:
    Sender.objects.filter(pk=page.sender.pk).update(is_active=False)

    assert "this sender is switched off" in page.text()


def test_a_sender_whose_key_is_lost_has_its_page(page: SetupPage, settings: Any) -> None:
    """Only what needs its secrets fails, with words."""
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    assert "Check everything" in page.text()
    assert "No key opens the secrets" in page.press("check").content.decode()


# Reports ----------------------------------------------------------------------------------------------


def member(*permissions: str) -> Client:
    user = User.objects.create_user("someone", "a-long-password-1")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser


def test_who_may_look_sees_it_and_presses_nothing(page: SetupPage) -> None:
    viewer = member("view_sender")
    text = viewer.get(page.address).content.decode()

    assert "1. Connect" in text
    assert "<form" not in text.partition("sender-setup flex")[2]
    for action in ("check", "create", "subscribe", "verify_token", "hello", "test_code", "preview", ""):
        assert viewer.post(page.address, {"action": action}).status_code == 403
    assert SenderCheck.objects.count() == 0


@pytest.mark.parametrize("permissions", [(), ("view_client",), ("add_sender",)])
def test_nobody_else_sees_it(permissions: tuple[str, ...], page: SetupPage) -> None:
    browser = member(*permissions)

    assert browser.get(page.address).status_code == 403
    assert browser.get(f"{page.address}live/").status_code == 403
    assert browser.post(page.address, {"action": "check"}).status_code == 403


def test_strangers_are_asked_to_sign_in(page: SetupPage) -> None:
    assert Client().get(page.address).status_code == 302


def test_a_button_needs_its_token(page: SetupPage) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="root"))

    assert strict.post(page.address, {"action": "check"}).status_code == 403


@pytest.mark.parametrize("action", ["", "nothing", "__class__"])
def test_an_unknown_button_does_nothing(action: str, page: SetupPage) -> None:
    assert "Nothing was done" in page.press(action).content.decode()


def test_the_live_part_is_only_read(page: SetupPage) -> None:
    assert page.client.post(f"{page.address}live/").status_code == 405
    text = page.client.get(f"{page.address}live/").content.decode()
    assert "sender-setup-steps" in text
    assert "<html" not in text
