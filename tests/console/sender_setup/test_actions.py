"""The buttons of the set-up page, against a provider that is played strictly over real HTTP."""

import re
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEvent
from channels.models import SampleMessage, Sender, SenderCheck, SenderNotice
from channels.senders import senders
from tests.console.sender_setup.conftest import META, SetupPage
from tests.simulator.support import Receiver
from tests.simulator_client import SimulatorClient

pytestmark = pytest.mark.django_db
PHONE = "+85251234567"


def said(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def history() -> list[str]:
    """What was recorded of the sender's set-up, oldest first; not of the sender's own rows."""
    return [event.detail for event in AuditEvent.objects.order_by("id") if event.detail]


def made(provider: SimulatorClient, name: str = META.template) -> dict[str, str]:
    rows = provider.http.get("/templates").json()
    return {row["language"]: row["status"] for row in rows if row["name"] == name}


def wanting(meta: SetupPage, *languages: str) -> SetupPage:
    meta.sender.values = meta.sender.values | {"template_languages": list(languages)}
    meta.sender.save()
    return meta


# Check ------------------------------------------------------------------------------------------------


def test_one_step_is_checked_by_itself(meta: SetupPage) -> None:
    answer = meta.press("check", step="templates")

    assert "all is well" in said(answer)
    assert list(SenderCheck.objects.values_list("step", flat=True)) == ["templates"]


@pytest.mark.parametrize("step", ["try", "nothing", "CONNECT"])
def test_a_step_that_cannot_be_checked(step: str, meta: SetupPage) -> None:
    assert "no such step" in said(meta.press("check", step=step))
    assert SenderCheck.objects.count() == 0


def test_a_check_tells_messages_which_languages_to_skip(meta: SetupPage, provider: SimulatorClient) -> None:
    """As the doctor does: one truth."""
    provider.set_template(META.template, "es", "PAUSED", report=False)
    meta.press("check", step="templates")

    assert SenderNotice.objects.get(topic="template", language="es").reason == "template_paused"
    provider.set_template(META.template, "es", "APPROVED", report=False)
    meta.press("check", step="templates")
    assert SenderNotice.objects.get(topic="template", language="es").reason == ""


# Templates --------------------------------------------------------------------------------------------


def test_missing_templates_are_made_as_they_have_to_be(meta: SetupPage, provider: SimulatorClient) -> None:
    page = wanting(meta, "en", "nb", "sw")
    answer = page.press("create", languages=["nb", "sw"])

    assert "template in nb: APPROVED; template in sw: APPROVED" in said(answer)
    assert made(provider)["nb"] == made(provider)["sw"] == "APPROVED"
    for language in ("nb", "sw"):
        assert f"one_time_password in {language} is approved, 10 minutes" in page.lines("templates", "ok")
    assert page.level("templates") == "ok"
    assert "templates: nb, sw" in history()[-1]


def test_a_template_that_exists_is_left_alone(meta: SetupPage, provider: SimulatorClient) -> None:
    """Meta would overwrite it, and review it again."""
    provider.set_template(META.template, "es", "PAUSED", report=False)
    answer = meta.press("create", languages=["es"], more_languages="nb")

    assert "template in es exists: PAUSED" in said(answer)
    assert (made(provider)["es"], made(provider)["nb"]) == ("PAUSED", "APPROVED")


def test_nothing_is_made_where_not_all_were_listed(
    meta: SetupPage, provider: SimulatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not read might exist, and would be overwritten."""
    monkeypatch.setattr("channels.providers.meta.account._MOST_PAGES", 0)

    answer = meta.press("create", languages=["nb"])

    assert "one that exists might be overwritten" in said(answer)
    assert "nb" not in made(provider)


def test_a_template_in_review_is_followed(
    meta: SetupPage, provider: SimulatorClient, receiver: Receiver
) -> None:
    provider.http.put("/facts", json={"review": "PENDING"}).raise_for_status()
    page = wanting(meta, "en", "nb")
    page.press("create", languages=["nb"])
    assert "nb PENDING" in page.text()

    provider.set_template(META.template, "nb", "APPROVED")
    for item in receiver.wait(1):
        headers = {"X-Hub-Signature-256": item.headers["x-hub-signature-256"]}
        answer = Client().post(item.path, item.body, content_type="application/json", headers=headers)
        assert answer.status_code == 200
    assert "nb APPROVED" in page.client.get(f"{page.address}live/").content.decode()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Choose a language"),
        ({"more_languages": "pt"}, "The provider knows no such language: pt"),
        ({"languages": ["en"], "more_languages": "zh, no <b>"}, "zh, no, &lt;b&gt;"),
    ],
)
def test_languages_that_cannot_be_made(
    form: dict[str, Any], words: str, meta: SetupPage, provider: SimulatorClient
) -> None:
    before = made(provider)

    assert words in meta.press("create", **form).content.decode()
    assert made(provider) == before
    assert history() == []


def test_a_refusal_is_in_metas_words(meta: SetupPage) -> None:
    meta.sender.values = meta.sender.values | {"business_account_id": "111222333444555"}
    meta.sender.save()

    text = said(meta.press("create", languages=["nb"]))

    assert "templates cannot be read: error 803" in text
    assert "right WhatsApp Business Account ID" in text


def test_metas_wording_is_shown_and_not_kept(meta: SetupPage) -> None:
    text = meta.press("preview", languages=["es"]).content.decode()

    assert "verificaci" in text
    assert "10 minutos" in text
    assert "10 minutos" not in meta.text()


def test_a_preview_of_nothing_chosen_is_one_of_the_senders_languages(meta: SetupPage) -> None:
    previews = meta.press("preview").context["previews"]

    assert [item.language for item in previews] == ["en", "es"]
    assert all(item.body and item.footer and item.button for item in previews)


def test_no_preview(meta: SetupPage) -> None:
    assert "No preview in xx" in said(meta.press("preview", more_languages="xx"))
    meta.sender.values = meta.sender.values | {"access_token": "a-token-of-nobody"}
    meta.sender.save()
    assert "shows no preview" in said(meta.press("preview"))


# Webhook ----------------------------------------------------------------------------------------------


def token_of(answer: Any) -> str:
    match = re.search(r'id="verify_token"[^>]*value="([^"]+)"', answer.content.decode())
    assert match
    return match[1]


def test_a_verify_token_is_made_and_shown_once(meta: SetupPage) -> None:
    answer = meta.press("verify_token")
    token = token_of(answer)

    assert re.fullmatch(r"([a-hj-km-np-z2-9]{4}-){5}[a-hj-km-np-z2-9]{4}", token)
    assert Sender.objects.get(pk=meta.sender.pk).secrets["verify_token"] == token
    assert "no-store" in answer.headers["Cache-Control"]
    assert token not in meta.text()
    assert token not in meta.client.get(f"/admin/channels/sender/{meta.sender.pk}/change/").content.decode()
    assert all(token not in text for text in history())
    assert "verify token renewed" in history()[-1]


def test_meta_can_verify_the_address_with_the_new_token_at_once(meta: SetupPage) -> None:
    """And the other secrets are still there."""
    token = token_of(meta.press("verify_token"))
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1839204471"}

    assert Client().get("/whatsapp/webhook", query).content == b"1839204471"
    kept: Any = senders.get().by_id[meta.sender.pk].settings
    assert kept.app_secrets == (META.app_secret,)


def test_no_two_tokens_are_alike(meta: SetupPage) -> None:
    assert token_of(meta.press("verify_token")) != token_of(meta.press("verify_token"))


def test_the_app_is_subscribed(meta: SetupPage, provider: SimulatorClient) -> None:
    account = f"/v26.0/{META.business_account_id}/subscribed_apps"
    headers = {"Authorization": f"Bearer {META.access_token}"}
    provider.http.delete(account, headers=headers).raise_for_status()

    assert "the app is subscribed to this account" in said(meta.press("subscribe"))
    assert len(provider.http.get(account, headers=headers).json()["data"]) == 1
    assert "app subscribed" in history()[-1]


def test_a_subscription_that_meta_refuses(meta: SetupPage) -> None:
    meta.sender.values = meta.sender.values | {"access_token": "a-token-of-nobody"}
    meta.sender.save()

    assert "Meta did not subscribe the app: error 190" in said(meta.press("subscribe"))
    assert history() == []


@pytest.mark.parametrize("action", ["create", "preview", "subscribe", "verify_token", "hello"])
def test_what_a_provider_has_not_is_refused(action: str, twilio: SetupPage) -> None:
    before = Sender.objects.get(pk=twilio.sender.pk).secrets
    answer = twilio.press(action, languages=["en"], phone=PHONE)

    assert answer.status_code == 200
    assert Sender.objects.get(pk=twilio.sender.pk).secrets == before
    assert (history(), SampleMessage.objects.count()) == ([], 0)
