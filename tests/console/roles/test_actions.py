"""An action touches rows of those projects only in which it is allowed, whatever its form says besides."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client as Browser

from console.clients import ClientAdmin, LogoutNoticeAdmin
from console.event_urls import EventAdmin
from events.models import Endpoint, Event
from oidc.models import Client, LogoutNotice
from projects.models import TestNumber
from tests.console import rows
from tests.console.roles.support import REGISTRY, actions, label, root
from tests.console.roles.tenants import Tenant, member

NEVER = "no_such_action"


def forms_of(action: str, *others: str) -> Iterator[dict[str, Any]]:
    """Django runs the action that `index` points to; 0 where that is no number, the last one where it points nowhere."""
    for other in (NEVER, *others):
        yield {"action": [action, other]}
        yield {"action": [other, action], "index": "1"}
        yield {"action": [action, other], "index": "-2"}
        yield {"action": [action, other], "index": "first"}
        yield {"action": [other, action], "index": "7"}


def post(browser: Browser, row: Model, form: dict[str, Any]) -> Any:
    whole = {"_selected_action": [str(row.pk)], "post": "yes", **form}
    return browser.post(root(type(row)), whole, follow=True)


@pytest.mark.parametrize("role", ["security", "operator"])
def test_a_second_action_in_the_form_opens_no_other_project(role: str, acme: Tenant, other: Tenant) -> None:
    """Whoever may change here, and look there, changes nothing there."""
    browser = member("staff", (acme.project, role), (other.project, "viewer"))
    before = rows.snapshot()

    for model, row in other.rows.items():
        for action in actions(model):
            for form in forms_of(action):
                assert post(browser, row, form).status_code < 500, (label(model), form)
        assert rows.snapshot() == before, label(model)


@pytest.mark.parametrize("model", [Client, Endpoint])
def test_the_own_secret_is_renewed_and_no_other(model: type[Model], acme: Tenant, other: Tenant) -> None:
    """The same forms work at home, so it is the project that keeps them out elsewhere."""
    browser = member("staff", (acme.project, "owner"), (other.project, "viewer"))
    column = "client_secret" if model is Client else "secret"
    Client.objects.update(client_type="confidential")
    kept = getattr(other.rows[model], column)
    chosen = [str(tenant.rows[model].pk) for tenant in (acme, other)]
    renewed = {getattr(acme.rows[model], column)}

    for number, form in enumerate(forms_of("renew_secret", "delete_selected"), start=2):
        browser.post(root(model), {"_selected_action": chosen, **form}, follow=True)

        assert getattr(model._default_manager.get(pk=other.rows[model].pk), column) == kept
        renewed.add(getattr(model._default_manager.get(pk=acme.rows[model].pk), column))
        assert len(renewed) == number, form


@pytest.mark.parametrize("form", [{"action": ["delete_selected", NEVER]}, {"select_across": "1"}])
@pytest.mark.parametrize("model", [Client, Endpoint, TestNumber])
def test_the_own_row_is_deleted_and_no_other(
    model: type[Model], form: dict[str, Any], acme: Tenant, other: Tenant
) -> None:
    browser = member("staff", (acme.project, "owner"), (other.project, "viewer"))
    chosen = [str(tenant.rows[model].pk) for tenant in (acme, other)]
    whole = {"action": "delete_selected", "_selected_action": chosen, "post": "yes", "index": "0"}

    browser.post(root(model), whole | form, follow=True)

    left = [other.rows[model].pk]
    assert list(model._default_manager.values_list("pk", flat=True)) == left


def test_an_action_that_does_not_exist_does_nothing(acme: Tenant) -> None:
    browser = member("staff", (acme.project, "owner"))
    before = rows.snapshot()

    for model, row in acme.rows.items():
        for form in forms_of(NEVER):
            assert post(browser, row, form).status_code < 500, label(model)

    assert rows.snapshot() == before


def test_the_pages_ask_for_each_row_themselves(acme: Tenant, other: Tenant) -> None:
    """Also when rows of both projects reach them."""
    browser = member("staff", (acme.project, "owner"), (other.project, "viewer"))
    request = browser.get("/admin/").wsgi_request
    clients: Any = REGISTRY[Client]
    assert isinstance(clients, ClientAdmin)

    assert clients.get_deleted_objects([acme.rows[Client]], request)[2] == set()
    assert clients.get_deleted_objects([acme.rows[Client], other.rows[Client]], request)[2] == {"client"}


@pytest.mark.parametrize("model", [Event, LogoutNotice])
def test_what_is_sent_again_is_of_the_own_project(model: type[Any], acme: Tenant, other: Tenant) -> None:
    browser = member("staff", (acme.project, "owner"), (other.project, "viewer"))
    Client.objects.update(backchannel_logout_uri="https://app.example/logout")
    model.objects.update(outcome="dead", due_at=None)
    page: Any = REGISTRY[model]
    assert isinstance(page, EventAdmin | LogoutNoticeAdmin)
    request = browser.get("/admin/").wsgi_request
    said: list[str] = []
    page_says = type("Page", (), {"only_with": page.only_with, "log_each": page.log_each,
                                  "message_user": lambda _self, _request, text: said.append(str(text))})  # fmt: skip

    type(page).send_again(page_says(), request, model.objects.all())

    assert said == ["1 will be sent again"]
    assert model.objects.get(pk=acme.rows[model].pk).due_at is not None
    assert model.objects.get(pk=other.rows[model].pk).due_at is None
