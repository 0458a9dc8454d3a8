"""What the doctor finds out about templates: it is remembered for the next login (P1), and how long codes live (P6)."""

from collections.abc import Iterator
from typing import Any

import pytest
import respx
from django.test import Client, override_settings
from django.utils import timezone

from channels import alerts, code_life, notice_store
from channels.findings import Level
from channels.models import Sender, SenderNotice
from channels.providers.meta import account as meta_account
from channels.senders import senders
from channels.types import FailureReason, TemplateRefusal
from core import http
from ops.doctor import product
from projects.models import LoginMethods
from simulator.accounts import Accounts
from tests import factories
from tests.channels import support
from tests.simulator_client import RunningSimulator, SimulatorClient
from tests.simulator_client import start as start_simulator
from users.models import User

NAME = "one_time_password"

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with start_simulator(webhook_url="http://127.0.0.1:9/whatsapp/webhook") as running:
        yield running


@pytest.fixture
def meta(running: RunningSimulator) -> Iterator[SimulatorClient]:
    with running.client() as client, override_settings(PROVIDER_API_URLS={"whatsapp": running.graph_url}):
        client.reset()
        yield client


@pytest.fixture
def sender(meta: SimulatorClient) -> Sender:
    account = Accounts().whatsapp[0]
    sender = factories.make_sender(
        "whatsapp",
        provider="meta",
        phone_number_id=account.phone_number_id,
        business_account_id=account.business_account_id,
        access_token=account.access_token,
        template_name=NAME,
        template_languages=["en", "es"],
    )
    factories.make_sender("sms")
    factories.make_endpoint(factories.make_project())
    return sender


def look() -> list[tuple[Level, str]]:
    return [(item.level, item.text) for item in product.all_senders()]


def usable(sender: Sender) -> tuple[str, ...]:
    return senders.get().template_languages(senders.get().by_id[sender.id], now=timezone.now())


def refuse(sender: Sender, language: str) -> None:
    refusal = TemplateRefusal(language=language, reason=FailureReason.TEMPLATE_PAUSED, provider_code="132015")
    notice_store.templates_refused(sender.id, [refusal], at=timezone.now())


def test_a_check_clears_a_language_that_works_again(sender: Sender) -> None:
    """P1: earlier than the quarter of an hour."""
    refuse(sender, "es")
    assert usable(sender) == ("en",)

    assert (Level.OK, f"template {NAME} in es is approved, 10 minutes") in look()

    assert usable(sender) == ("en", "es")
    assert alerts.current() == []
    assert not SenderNotice.objects.filter(language="en").exists()


@pytest.mark.parametrize(
    ("state", "reason"),
    [("PAUSED", "template_paused"), ("DISABLED", "template_paused"), ("REJECTED", "template_missing"),
     ("PENDING", "template_missing"), ("DELETED", "template_missing")],
)  # fmt: skip
def test_a_check_marks_a_language_before_a_login_fails(
    state: str, reason: str, sender: Sender, meta: SimulatorClient
) -> None:
    """P1."""
    meta.set_template(NAME, "es", state, report=False)

    assert [level for level, text in look() if " es" in text] == [Level.FAIL]

    assert usable(sender) == ("en",)
    assert SenderNotice.objects.get().reason == reason
    assert [kind for kind, _ in factories.told()] == ["sender.alert"]


def test_what_a_login_found_out_after_the_question_is_not_cleared_by_the_answer(sender: Sender) -> None:
    begun = timezone.now()
    refuse(sender, "es")
    from channels.findings import TemplateSeen

    notice_store.templates_checked(sender.id, [TemplateSeen(language="es", reason=None)], at=begun)

    assert usable(sender) == ("en",)


def test_a_check_that_cannot_read_templates_changes_nothing(sender: Sender) -> None:
    refuse(sender, "es")
    Sender.objects.update(secrets={"access_token": "another"})

    look()

    assert SenderNotice.objects.get().reason == "template_paused"


# Pages and minutes -----------------------------------------------------------------------------------


def read_templates(*pages: dict[str, Any]) -> meta_account.Templates:
    client = http.HttpClient()
    with respx.mock, override_settings(PROVIDER_API_URLS={"whatsapp": "https://graph.example/v26.0"}):
        route = respx.get("https://graph.example/v26.0/220011223344556/message_templates")
        route.side_effect = [respx.MockResponse(200, json=page) for page in pages]
        try:
            return meta_account.templates(support.whatsapp_sender(), client)
        finally:
            client.close()


def template(language: str, **fields: Any) -> dict[str, Any]:
    known = {"name": "login_code", "language": language, "status": "APPROVED", "category": "AUTHENTICATION"}
    return known | fields


def test_all_pages_are_read_and_a_language_on_the_second_is_not_missing() -> None:
    first = {
        "data": [template("en")],
        "paging": {"cursors": {"after": "two"}, "next": "https://graph.example/x"},
    }
    second = {"data": [template("es")], "paging": {"cursors": {"after": "three"}}}

    found = read_templates(first, second)

    assert set(found.by_language) == {"en", "es"}
    assert found.is_complete


def test_an_account_with_more_pages_than_are_read_has_no_missing_template() -> None:
    """It may stand on the next one: nothing is marked."""
    page = {"data": [], "paging": {"cursors": {"after": "more"}, "next": "https://graph.example/x"}}

    assert not read_templates(*[page] * meta_account._MOST_PAGES).is_complete


@pytest.mark.parametrize(
    ("components", "minutes"),
    [
        ([{"type": "FOOTER", "code_expiration_minutes": 5}], 5),
        (
            [{"type": "BUTTONS", "buttons": [{"url": "https://w.example/otp/code/?code_expiration_minutes=7&x=1"}]}],
            7,
        ),
        ([{"type": "BODY", "text": "x"}], None),
        ([{"code_expiration_minutes": True}], None),
        ([{"buttons": [{"url": "https://w.example/?code_expiration_minutes=7777"}, "x", {"url": 5}]}], None),
        ("text", None),
        (None, None),
        ([None, 5], None),
    ],
)  # fmt: skip
def test_the_minutes_are_read_where_meta_writes_them(components: object, minutes: int | None) -> None:
    found = read_templates({"data": [template("en", components=components)]})

    assert found.by_language["en"].minutes == minutes


# P6 ----------------------------------------------------------------------------------------------------


def test_a_code_lives_ten_minutes_as_templates_say() -> None:
    """P6."""
    assert LoginMethods().otp_valid_seconds == 600 == code_life.TEMPLATE_MINUTES * 60


def test_a_life_that_the_template_says_is_no_warning(sender: Sender) -> None:
    assert [text for _, text in look() if "lives" in text] == []


@pytest.mark.parametrize("seconds", [300, 599, 60])
def test_another_life_is_a_warning_of_the_doctor(seconds: int, sender: Sender, meta: SimulatorClient) -> None:
    """P6: the contradiction would be in the person's hand."""
    set_life(seconds)
    meta.set_template(
        NAME, "es", "PAUSED", report=False
    )  # what is remembered of it changes the configuration

    warnings = [(level, text) for level, text in look() if "lives" in text]

    text = f"a code of acme lives {seconds} s, and the template {NAME} says 10 minutes in en, es"
    assert warnings == [(Level.WARN, text)]


def test_the_doctor_goes_by_what_each_template_really_says(sender: Sender, meta: SimulatorClient) -> None:
    set_life(300)
    body = {
        "name": NAME,
        "category": "AUTHENTICATION",
        "languages": ["en"],
        "components": [
            {"type": "BODY"},
            {"type": "FOOTER", "code_expiration_minutes": 5},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
        ],
    }
    account = Accounts().whatsapp[0]
    answer = meta.http.post(
        f"/v26.0/{account.business_account_id}/upsert_message_templates",
        json=body,
        headers={"Authorization": f"Bearer {account.access_token}"},
    )
    assert answer.status_code == 200

    assert [text for _, text in look() if "lives" in text] == [
        f"a code of acme lives 300 s, and the template {NAME} says 10 minutes in es"
    ]


def test_a_project_that_sends_no_whatsapp_is_not_warned(sender: Sender) -> None:
    set_life(300, verify_phone_by="sms_only")

    assert [text for _, text in look() if "lives" in text] == []


def set_life(seconds: int, **fields: object) -> None:
    row = LoginMethods.objects.get(project__slug="acme")
    row.otp_valid_seconds = seconds
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser(username="root", password="a-long-password-1"))
    return client


def login_methods(staff: Client) -> str:
    return staff.get("/admin/projects/loginmethods/", follow=True).content.decode()


@pytest.mark.parametrize(
    ("seconds", "mode", "is_warned"),
    [(600, "whatsapp_or_sms", False), (300, "whatsapp_or_sms", True), (599, "whatsapp_only", True),
     (300, "sms_only", False)],
)  # fmt: skip
def test_another_life_is_a_warning_of_the_admin(
    seconds: int, mode: str, is_warned: bool, sender: Sender, staff: Client
) -> None:
    """P6."""
    set_life(seconds, verify_phone_by=mode)

    text = f"Acme: a code lives {seconds} s, and WhatsApp templates say 10 minutes."
    assert (text in login_methods(staff)) is is_warned


def test_with_several_projects_the_list_warns_of_those_that_meta_serves(
    sender: Sender, staff: Client
) -> None:
    from projects.models import Project

    other = factories.make_project(slug="other", name="Other", is_default=False, otp_valid_seconds=300)
    factories.make_sender("whatsapp", Project.objects.get(id=other.id))  # of another provider
    set_life(300)

    page = login_methods(staff)

    assert "Acme: a code lives 300 s" in page
    assert "Other: a code lives" not in page
