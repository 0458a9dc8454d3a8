"""The event that a project gets for a login on its hosted pages."""

import json

import pytest
from django.db import IntegrityError
from django.utils import timezone

from events.models import Event
from login import sessions
from login.models import Session
from projects.config import ProjectConfig
from tests import factories
from tests.login.conftest import Browser


@pytest.mark.django_db(transaction=True)
def test_a_login_on_the_page_is_one_event_with_its_user(project: ProjectConfig, browser: Browser) -> None:
    factories.make_endpoint(project)
    browser.ask()
    wrong, right = browser.wrong_code, browser.code
    browser.enter(wrong)
    assert factories.told() == []

    assert browser.enter(right).status_code == 302
    browser.enter(right)  # a double click

    ((kind, data),) = factories.told()
    assert browser.is_signed_in
    assert (kind, data["user_id"]) == ("login.succeeded", browser.client.session["_auth_user_id"])
    assert json.loads(Event.objects.get().body)["type"] == kind


@pytest.mark.django_db(transaction=True)
def test_a_session_that_could_not_be_opened_is_no_login(
    project: ProjectConfig, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.make_endpoint(project)
    browser.ask()
    code = browser.code
    taken = Session.objects.create(session_key="a" * 40, session_data="", expire_date=timezone.now())
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "hash_key", lambda _key: taken.session_key)
        with pytest.raises(IntegrityError):
            browser.enter(code)
    assert factories.told() == []

    browser.enter(code)
    assert [kind for kind, _ in factories.told()] == ["login.succeeded"]
