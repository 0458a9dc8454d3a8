"""The order of the reference's page: login methods first, then the sender. Until it is there, nothing is broken."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console.setup_facts import setup_of
from core.config_models import ConfigVersion
from projects.models import LoginMethods
from tests import factories
from tests.console.projects.new_project_form import post
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "a long enough password"))
    return client


def save_mode(staff: Client, mode: str) -> list[str]:
    """Opens Login methods, chooses the mode and presses Save. The errors that come back."""
    address = f"/admin/projects/loginmethods/{LoginMethods.objects.get().pk}/change/"
    form = staff.get(address).context["adminform"].form
    shown: dict[str, Any] = {name: form[name].value() for name in form.fields}
    values = {
        name: "on" if value is True else value for name, value in shown.items() if value not in (None, False)
    }
    answer = staff.post(address, values | {"verify_phone_by": mode})
    if answer.status_code == 302:
        return []
    errors = answer.context["adminform"].form.errors
    return [str(text) for texts in errors.values() for text in texts]


def mode() -> str:
    return LoginMethods.objects.get().verify_phone_by


def test_login_methods_come_before_their_sender(staff: Client, rf: Any) -> None:
    post(staff, verify_phone_by="sms_only")

    assert save_mode(staff, "whatsapp_or_sms") == []
    assert save_mode(staff, "whatsapp_only") == []
    assert mode() == "whatsapp_only"
    request = rf.get("/admin/")
    request.user = User.objects.get(username="root")
    waiting = setup_of(request)
    assert waiting
    assert waiting.steps[1].why.startswith("No sender for WhatsApp yet")

    factories.make_sender("whatsapp")
    ready = setup_of(request)
    assert ready
    assert [step.state.value for step in ready.steps] == ["done", "done", "done", "done", "next"]


def test_a_promise_that_is_kept_is_not_exchanged_for_one_that_is_not(staff: Client) -> None:
    """D13."""
    post(staff, verify_phone_by="sms_only")
    factories.make_sender("sms")

    assert any("no active WhatsApp sender" in text for text in save_mode(staff, "whatsapp_only"))
    assert mode() == "sms_only"


def test_once_people_have_logged_in_the_rule_holds(staff: Client) -> None:
    """D13: also when their sender is gone."""
    post(staff, verify_phone_by="sms_only")
    project = LoginMethods.objects.get().project
    User.objects.create(project=project, phone=factories.PHONE, last_login=timezone.now())
    ConfigVersion.bump()

    assert any("Add one first." in text for text in save_mode(staff, "whatsapp_only"))
    assert mode() == "sms_only"
