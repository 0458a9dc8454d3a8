"""Roles, pages and posts of the admin, as its registry has them."""

import html
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, resolve

from console.people_acts import ACTS
from tests.console import rows
from users.models import User

REGISTRY: dict[type[Model], "DjangoModelAdmin[Any]"] = admin.site._registry
MODELS = sorted(REGISTRY, key=lambda model: model._meta.label)
_DEFAULTS = {"changelist", "add", "history", "delete", "change"}
_OWN_PAGES = {"auth_user_password_change"}  # Django's form, behind the permission to change


def label(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


def root(model: type[Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def signed_in(role: str, *permissions: str) -> Client:
    """A browser of staff with these permissions: `view_sender`. `*_x`: of every model."""
    browser = Client(raise_request_exception=False)
    if role == "anonymous":
        return browser
    if role == "superuser":
        browser.force_login(User.objects.get(username="root"))
        return browser
    user = User.objects.create_user(f"staff-{role}", rows.PASSWORD)
    for name in permissions:
        chosen = Permission.objects.filter(codename__startswith=name.removesuffix("*"))
        user.user_permissions.add(*(chosen if name.endswith("*") else chosen.filter(codename=name)))
    browser.force_login(user)
    return browser


def object_pages(model: type[Model]) -> Iterator[str]:
    """The pages of one kind of row, from the admin's own table of addresses."""
    model_admin = REGISTRY[model]
    keys = [quote(str(key)) for key in model._default_manager.order_by("pk").values_list("pk", flat=True)[:3]]
    assert keys, f"tests.console.rows makes no {model._meta.label}"
    for pattern in model_admin.get_urls():
        assert isinstance(pattern, URLPattern)
        route = str(pattern.pattern)
        if pattern.name is None:  # the redirect of old bookmarks
            continue
        if "<" not in route:
            yield root(model) + route
        for key in keys if "<" in route else ():
            page = root(model) + route[: route.index("<")] + key + route[route.index(">") + 1 :]
            yield from (
                page.replace("<slug:name>", act) for act in (ACTS if "<slug:name>" in page else ("",))
            )


def own_pages(model: type[Model]) -> Iterator[str]:
    """Those that are not Django's."""
    for page in object_pages(model):
        name = resolve(page).url_name or ""
        if name.removeprefix(label(model) + "_") not in _DEFAULTS | _OWN_PAGES:
            yield page


def site_pages() -> Iterator[str]:
    """Those of the admin itself, and what answers in JSON."""
    yield from ("/admin/security/", "/admin/sessions/", "/admin/security/confirm/", "/admin/invitation/")
    yield from ("/admin/", "/admin/password_change/", "/admin/jsi18n/", "/admin/no/such/page/")
    for app in {model._meta.app_label for model in MODELS}:
        yield f"/admin/{app}/"
    for model in MODELS:
        yield f"/admin/search/?s={model._meta.model_name}"
        for field in model._meta.concrete_fields:
            if field.is_relation:
                place = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}"
                yield f"/admin/autocomplete/?{place}&field_name={field.name}&term="


def junk(model: type[Model]) -> dict[str, str]:
    """A form that is wrong in every field, so that it comes back with what it holds."""
    return {field.name: "\u2603" for field in model._meta.fields} | {"_save": "1"}


def lists(model: type[Model]) -> Iterator[str]:
    for parameters in ("?q=a", "?all=", "?_popup=1", "?o=1.2.3.4.5.6.7", "?_facets=True", "?e=1"):
        yield root(model) + parameters


def parameters(model: type[Model]) -> list[str]:
    """The parameters of all filters of a list."""
    page: Any = REGISTRY[model]
    return sorted({name for item in page.list_filter for name in page._parameters(item)})


def posts(browser: Client, model: type[Model], *, deleting: bool) -> Iterator[tuple[str, Any]]:
    """Every form and action that is posted to the pages of a kind of row."""
    for page in object_pages(model):
        yield f"POST {page}", browser.post(page, {})
        if deleting or not page.endswith("/delete/"):
            yield f"POST {page} junk", browser.post(page, junk(model))
    chosen = [str(key) for key in model._default_manager.values_list("pk", flat=True)]
    for action in actions(model):
        form: dict[str, Any] = {"action": action, "_selected_action": chosen}
        yield f"{root(model)} {action}", browser.post(root(model), form, follow=deleting)
        if deleting:
            yield f"{root(model)} {action} post", browser.post(root(model), form | {"post": "yes"})


def actions(model: type[Model]) -> list[str]:
    return ["delete_selected", *(str(action) for action in REGISTRY[model].actions or ())]


def leaks(answer: Any, secrets: list[str]) -> list[str]:
    if getattr(answer, "streaming", False):
        page = b"".join(answer.streaming_content).decode(errors="replace")
    else:
        page = answer.content.decode(errors="replace")
    texts = (page, html.unescape(page), *answer.headers.values(), str(answer.cookies.output()))
    return [secret for secret in secrets if any(secret in text for text in texts)]
