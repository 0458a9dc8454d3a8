"""Roles in projects: each role at each page and action, and nobody at another project's rows (K8)."""

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.db.models import Model

from console.base import ConsoleAdmin
from console.people_acts import ACTS
from projects.models import LoginMethods, Project
from tests.console import rows
from tests.console.fresh import freshly
from tests.console.roles.support import MODELS, REGISTRY, actions, junk, label, root
from tests.console.roles.tenants import Tenant, change_page, member
from users.roles import PERMISSIONS, TABLE, Role

ROLES = [role.value for role in Role]


def may(role: str, model: type[Model], action: str) -> bool:
    return f"{model._meta.app_label}.{action}_{model._meta.model_name}" in PERMISSIONS[role]


def owned_pages(model: type[Model], row: Model) -> list[str]:
    """Of one row, from the admin's own table of addresses."""
    pages = []
    for pattern in REGISTRY[model].get_urls():
        route = str(pattern.pattern)
        if pattern.name is not None and "<" in route:
            key = quote(str(row.pk))
            page = root(model) + route[: route.index("<")] + key + route[route.index(">") + 1 :]
            pages += [page.replace("<slug:name>", act) for act in (ACTS if "<slug:name>" in page else ("",))]
    return pages


# What the table says --------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_what_the_table_says(role: str, acme: Tenant, other: Tenant) -> None:
    """Every page of every kind of row of the own project."""
    browser = member("staff", (acme.project, role))
    seen: dict[str, bool] = {}
    for model in MODELS:
        answer = browser.get(root(model), follow=True)
        seen[label(model)] = answer.status_code == 200
        assert answer.status_code in (200, 403), label(model)
        row = acme.rows.get(model)
        if row is not None:
            assert (browser.get(change_page(row)).status_code == 200) is may(role, model, "view"), label(
                model
            )

    assert seen == {label(model): may(role, model, "view") for model in MODELS}
    index = browser.get("/admin/").content.decode()
    assert {label(model): f'href="{root(model)}"' in index for model in MODELS} == seen


@pytest.mark.parametrize("role", ROLES)
def test_each_role_adds_and_deletes_what_the_table_says(role: str, acme: Tenant) -> None:
    browser = member("staff", (acme.project, role))
    for model, row in acme.rows.items():
        page: Any = REGISTRY[model]
        request = browser.get("/admin/").wsgi_request
        for action, answered in (
            ("add", page.has_add_permission(request)),
            ("change", page.has_change_permission(request, row)),
            ("delete", page.has_delete_permission(request, row)),
        ):
            assert not answered or may(role, model, action), (label(model), action)
        if page.has_add_permission(request):
            assert browser.get(f"{root(model)}add/").status_code == 200
        elif model is not LoginMethods:
            assert browser.get(f"{root(model)}add/").status_code == 403


def test_the_table_names_permissions_that_exist(acme: Tenant) -> None:
    from django.contrib.auth.models import Group, Permission

    real = {
        f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")
    }
    for role in Role:
        assert PERMISSIONS[role] <= real
        group = Group.objects.get(name=role.value.capitalize())
        given = group.permissions.select_related("content_type")
        assert {f"{p.content_type.app_label}.{p.codename}" for p in given} == PERMISSIONS[role]


def test_support_sees_logins_and_no_configuration(acme: Tenant) -> None:
    """K4: policies, keys and clients need permissions of their own."""
    browser = member("staff", (acme.project, "support"))

    for address in ("/admin/oidc/client/", "/admin/oidc/signingkey/", "/admin/channels/sender/"):
        assert browser.get(address).status_code == 403
    page = browser.get("/admin/otp/challenge/").content.decode()
    assert "+85291234501" not in page
    assert "•" in page or "*" in page
    assert set(TABLE[Role.SUPPORT]) == {
        "projects.project", "projects.loginmethods", "otp.challenge", "users.user",
    }  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_every_page_knows_its_project_or_is_for_the_installation(model: type[Model], acme: Tenant) -> None:
    page = REGISTRY[model]

    assert isinstance(page, ConsoleAdmin)
    row = acme.rows.get(model)
    assert (page.path is None) is (row is None)
    if row is not None:
        assert page.project_id_of(row) == acme.project.pk


# Another project ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_no_page_of_another_project_opens(role: str, acme: Tenant, other: Tenant) -> None:
    """404 for what the role may see at home, 403 for what it may not see at all."""
    browser = freshly(member("staff", (acme.project, role)))
    before = rows.snapshot()

    for model, row in other.rows.items():
        expected = (404,) if may(role, model, "view") else (403, 404)
        for page in owned_pages(model, row):
            answers = [
                browser.get(page),
                browser.post(page, {}),
                browser.post(page, {"post": "yes", **junk(model)}),
            ]
            assert {answer.status_code for answer in answers} <= {*expected, 403, 405}, page
            assert {answer.status_code for answer in answers} != {405}, page
            if page.endswith("/change/"):
                assert answers[0].status_code in expected, page
            for answer in answers:
                assert not any(text in answer.content.decode() for text in other.texts), page

    assert rows.snapshot() == before


@pytest.mark.parametrize("role", ROLES)
def test_no_list_shows_another_project(role: str, acme: Tenant, other: Tenant) -> None:
    """Rows, filters, searches, autocompletion, the index."""
    browser = member("staff", (acme.project, role))
    key = str(other.project.pk)
    addresses = ["/admin/", "/admin/setup/", "/admin/search/?s=zenith"]
    addresses += ["/admin/figures/senders.csv", f"/admin/figures/logins.csv?project={key}"]
    for model in MODELS:
        addresses += [
            root(model) + query
            for query in ("", "?q=zenith", "?q=%2B85291234502", f"?project__id__exact={key}")
        ]
        for field in model._meta.concrete_fields:
            if field.is_relation:
                place = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}"
                addresses.append(f"/admin/autocomplete/?{place}&field_name={field.name}&term=")
    for address in addresses:
        page = browser.get(address, follow=True).content.decode()
        shown = [text for text in other.texts if text in page]
        assert shown == [], address


@pytest.mark.parametrize("role", ROLES)
def test_no_action_touches_another_project(role: str, acme: Tenant, other: Tenant) -> None:
    browser = member("staff", (acme.project, role))
    before = rows.snapshot()

    for model, row in other.rows.items():
        for action in actions(model):
            form = {"action": action, "_selected_action": [str(row.pk)], "post": "yes"}
            assert browser.post(root(model), form, follow=True).status_code < 500

    assert rows.snapshot() == before


def test_a_role_counts_in_its_own_project_only(acme: Tenant, other: Tenant) -> None:
    """An operator here and a viewer there changes nothing there, neither by the form nor by an action."""
    browser = member("staff", (acme.project, "owner"), (other.project, "viewer"))
    before = rows.snapshot()

    for model, row in other.rows.items():
        if not may("viewer", model, "view"):
            continue
        assert browser.get(change_page(row)).status_code == 200, label(model)
        assert browser.post(change_page(row), junk(model)).status_code == 403, label(model)
        for action in actions(model):
            form = {"action": action, "_selected_action": [str(row.pk)], "post": "yes"}
            browser.post(root(model), form, follow=True)

    assert rows.snapshot() == before
    browser.post(
        "/admin/oidc/client/", {"action": "renew_secret", "_selected_action": [str(other.rows[Project].pk)]}
    )
    assert rows.snapshot() == before


def test_rows_cannot_be_made_in_or_moved_to_another_project(acme: Tenant, other: Tenant) -> None:
    browser = member("staff", (acme.project, "owner"), (other.project, "viewer"))
    form = {"project": str(other.project.pk), "url": "https://new.example/events", "types": ["sender.alert"]}
    before = rows.snapshot()

    page = browser.get("/admin/events/endpoint/add/").content.decode()
    answers = [
        browser.post("/admin/events/endpoint/add/", form),
        browser.post(
            change_page(next(row for row in acme.rows.values() if "Endpoint" in type(row).__name__)), form
        ),
    ]

    assert "zenith products" not in page
    assert "acme products" in page
    for answer in answers:
        assert answer.status_code == 200
        assert "project" in answer.context["adminform"].form.errors
    assert rows.snapshot() == before


def test_nobody_of_a_project_makes_what_all_projects_share(acme: Tenant) -> None:
    """A sender without a project would send for everybody."""
    browser = member("staff", (acme.project, "operator"))

    answer = browser.post(
        "/admin/channels/sender/add/", {"channel": "sms", "provider": "http", "is_active": "on"}
    )

    assert answer.status_code == 200
    assert "project" in answer.context["adminform"].form.errors
