"""Every page and action of the admin, as each role: no secret is shown, nothing changes without permission."""

from itertools import islice
from typing import Any

import pytest
from django.db.models import CharField, Model, TextField
from django.http import HttpResponse

from audit.models import AuditEvent
from console.base import is_secret
from projects.models import TestNumber
from tests.console import rows
from tests.console.roles.support import (
    MODELS,
    label,
    leaks,
    lists,
    object_pages,
    parameters,
    posts,
    root,
    signed_in,
    site_pages,
)

# Every page as each role ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        ("anonymous", ()),
        ("none", ()),
        ("view", ("view_*",)),
        ("superuser", ()),
    ],
)
def test_no_page_shows_a_secret(role: str, permissions: tuple[str, ...], secrets: list[str]) -> None:
    """Lists, forms, histories, deletions, forms that come back, JSON."""
    browser = signed_in(role, *permissions)
    seen, shown = 0, {}
    pages = [page for model in MODELS for page in (*object_pages(model), *lists(model))]
    for page in (*pages, *site_pages()):
        answer: Any = browser.get(page)
        seen += answer.status_code == 200
        shown[page] = leaks(answer, secrets)
        assert answer.status_code < 500, page
    if role in ("view", "superuser"):
        for model in MODELS:
            for page, answer in posts(browser, model, deleting=False):
                shown[page] = leaks(answer, secrets)
                assert answer.status_code < 500, page

    assert {page: found for page, found in shown.items() if found} == {}
    assert (seen > 3 * len(MODELS)) is (role in ("view", "superuser")), seen


def test_no_list_takes_a_nul(secrets: list[str]) -> None:
    """In any filter, in the search, and in what choosers ask for."""
    browser = signed_in("superuser")
    pages = [
        f"{root(model)}?{name}=a%00b"
        for model in MODELS
        for name in (*parameters(model), "q", "p", "_to_field")
    ]
    pages += [f"{page}%00" for page in site_pages() if "?" in page]

    assert {page: browser.get(page).status_code for page in pages} == dict.fromkeys(pages, 400)
    assert len(pages) > 5 * len(MODELS)


@pytest.mark.parametrize(("role", "permissions"), [("anonymous", ()), ("none", ()), ("view", ("view_*",))])
def test_viewers_cannot_change_anything(role: str, permissions: tuple[str, ...], secrets: list[str]) -> None:
    """No page, no action, no address of our own."""
    browser = signed_in(role, *permissions)
    before = rows.snapshot()
    for model in MODELS:
        for page in object_pages(model):
            browser.get(page)
        for page, answer in posts(browser, model, deleting=True):
            assert answer.status_code < 500, page

    after = rows.snapshot()
    assert {name for name in before if before[name] != after[name]} == set()


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_rights_to_all_other_kinds_of_rows_are_none_to_this_one(
    model: type[Model], secrets: list[str]
) -> None:
    others = [other._meta.model_name for other in MODELS if other is not model]
    browser = signed_in(
        "changing", *(f"{right}_{name}" for name in others for right in ("add", "change", "delete"))
    )
    before = rows.snapshot()
    for page, answer in posts(browser, model, deleting=True):
        assert answer.status_code < 500, page
    after = rows.snapshot()
    assert {table for table in before if before[table] != after[table]} == set()


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_right_to_change_shows_no_secret(model: type[Model], secrets: list[str]) -> None:
    name = model._meta.model_name
    browser = signed_in("changing", f"change_{name}", f"view_{name}")
    shown = {page: leaks(browser.get(page), secrets) for page in (*object_pages(model), *lists(model))}
    shown |= {page: leaks(answer, secrets) for page, answer in posts(browser, model, deleting=False)}
    assert {page: found for page, found in shown.items() if found} == {}


def test_the_search_for_leaks_finds_one(secrets: list[str]) -> None:
    """The walk could not fail otherwise."""
    code = TestNumber.objects.get().code

    assert leaks(HttpResponse(f"<p>{code}</p>"), secrets) == [code]
    assert len(secrets) > 40


def test_no_history_holds_a_secret(secrets: list[str]) -> None:
    """The audit events that superusers' work leaves. K3, K6"""
    browser = signed_in("superuser")
    number = TestNumber.objects.get()
    form = {
        "project": str(number.project_id),
        "phone": number.phone,
        "code": "5566778899",
        "until": "2030-01-31",
    }
    browser.post(f"{root(TestNumber)}{number.pk}/change/", form)
    for model in MODELS:
        for _ in posts(browser, model, deleting=False):
            pass

    number.refresh_from_db()
    assert number.code == "5566778899"
    entries = [str(entry) for entry in AuditEvent.objects.values()]
    assert len(entries) > 3
    assert [entry for entry in entries if any(secret in entry for secret in (*secrets, "5566778899"))] == []


# Questions to the database --------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["view", "superuser"])
@pytest.mark.parametrize("model", MODELS, ids=label)
def test_only_declared_filters_are_answered(model: type[Model], role: str, secrets: list[str]) -> None:
    """`?phone__startswith=+8529` reads a masked number digit by digit, `?client_secret__startswith=` a hash."""
    browser = signed_in(role, "view_*")
    texts = [
        f.name for f in model._meta.concrete_fields if isinstance(f, CharField | TextField) or is_secret(f)
    ]
    paths = [*texts, *(f"{f.name}__{texts_of(f)}" for f in model._meta.concrete_fields if f.is_relation)]
    for name in paths:
        for question in ("startswith", "contains", "iregex", "gt", "in"):
            address = f"{root(model)}?{name}__{question}=a"
            answer = browser.get(address)
            assert answer.status_code in (400, 302, 403), address
            assert answer.status_code != 302 or "e=1" not in answer.headers["Location"], address


def texts_of(relation: Any) -> str:
    """A text of the other table: its secrets first."""
    others = relation.related_model._meta.concrete_fields
    secret = [field.name for field in others if is_secret(field)]
    return str((secret or [field.name for field in others if isinstance(field, CharField | TextField)])[0])


@pytest.mark.parametrize(
    "address",
    [
        "/admin/users/user/?is_staff__exact=1",
        "/admin/users/user/?is_active__exact=0",
        "/admin/otp/challenge/?outcome=open",
        "/admin/otp/challenge/?from=2026-01-01&to=2027-01-01&country=852&channel=sms&reason=payment",
        "/admin/channels/sender/?channel__exact=sms",
        "/admin/events/event/?type__exact=sender.alert",
        "/admin/oidc/client/?client_type__exact=public",
    ],
)
def test_filters_of_the_page_work(address: str, secrets: list[str]) -> None:
    """The same door, open where it is meant to be."""
    assert signed_in("view", "view_*").get(address).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_every_link_of_a_filter_is_answered(model: type[Model], secrets: list[str]) -> None:
    browser = signed_in("superuser")
    page = browser.get(root(model), follow=True)
    changes = page.context.get("cl")
    for spec in changes.filter_specs if changes else ():
        for choice in islice(spec.choices(changes), 10):  # one of the filters has every country
            query = choice.get("query_string")
            if query:
                assert browser.get(root(model) + query).status_code == 200, query
