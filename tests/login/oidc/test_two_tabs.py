"""Two applications in two tabs of one browser; each gets the answer to its own request."""

from typing import Any

import pytest

from otp.models import Challenge
from tests import factories
from tests.login.test_tabs import Tab, code_for
from tests.oidc.app import App, answer_of

pytestmark = pytest.mark.django_db


def arrive(app: App, tab: Tab, phone: str, **changes: Any) -> None:
    """From the application to the code page."""
    tab.get(app.authorize(**changes).url)
    tab.get(tab.post("/login/", phone=phone).url)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("second_phone", [factories.PHONE, factories.OTHER_PHONE])
def test_each_application_gets_its_own_state_and_its_own_person(
    app: App, server_app: App, first: int, second_phone: str
) -> None:
    """Once both answers went to one of the two, or a guess was counted for the other number."""
    apps, phones = (app, server_app), (factories.PHONE, second_phone)
    tabs = Tab(app.browser.client), Tab(app.browser.client)
    for nth, tab in enumerate(tabs):
        arrive(apps[nth], tab, phones[nth], state=f"state-{nth}", nonce=f"nonce-{nth}")
    codes = [code_for(phone) for phone in phones]

    for nth in (first, 1 - first):
        answer = answer_of(tabs[nth].get(tabs[nth].enter(codes[nth]).url))
        tokens = apps[nth].exchange(answer["code"]).json()

        assert answer["state"] == f"state-{nth}"
        assert apps[nth].claims(tokens["id_token"])["nonce"] == f"nonce-{nth}"
        assert apps[nth].userinfo(tokens["access_token"]).json()["phone_number"] == phones[nth]
    assert not Challenge.objects.exclude(attempts=0).exists()


def test_code_page_lets_its_form_end_at_its_own_application(app: App, partner: App) -> None:
    """G1: the content policy names the application that this tab is for."""
    partner.client.redirect_uris = "https://partner.example/callback"
    partner.client.save()
    tabs = Tab(app.browser.client), Tab(app.browser.client)
    arrive(app, tabs[0], factories.PHONE)
    arrive(partner, tabs[1], factories.OTHER_PHONE, redirect_uri="https://partner.example/callback")
    first, second = (
        tab.client.get(tab.status_url.replace("/login/status/", "/login/code/"))["Content-Security-Policy"]
        for tab in tabs
    )

    assert "form-action 'self' https://acme.example;" in first
    assert "form-action 'self' https://partner.example;" in second
