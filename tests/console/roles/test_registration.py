"""What may be registered in the admin: the base class of all its pages is not forgotten."""

from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from django.urls import reverse

from console.base import ConsoleAdmin, ConsoleInline, secret_names
from oidc.models import SigningKey
from projects.models import TestNumber
from tests.console.roles.support import _DEFAULTS, _OWN_PAGES, MODELS, REGISTRY, label, root, signed_in


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_every_page_has_the_base(model: type[Model]) -> None:
    """Django's own and those of other packages, too."""
    model_admin = REGISTRY[model]

    assert isinstance(model_admin, ConsoleAdmin)
    assert all(issubclass(inline, ConsoleInline) for inline in model_admin.inlines)


@pytest.mark.parametrize("model", MODELS, ids=label)
@pytest.mark.usefixtures("secrets")
def test_pages_of_our_own_are_posted(model: type[Model]) -> None:
    """A link changes nothing, even for a superuser who is tricked into following it; viewers may not post."""
    model_admin = REGISTRY[model]
    own = {
        str(pattern.name)
        for pattern in model_admin.get_urls()
        if pattern.name and pattern.name.removeprefix(label(model) + "_") not in _DEFAULTS
    }
    superuser, viewer = signed_in("superuser"), signed_in("view", "view_*")

    for name in own - _OWN_PAGES:
        assert superuser.get(reverse(f"admin:{name}")).status_code == 405
        assert viewer.post(reverse(f"admin:{name}")).status_code == 403
    assert bool(own - _OWN_PAGES) is (model is SigningKey)


class _Open(ConsoleAdmin):
    actions = ("burn",)

    def burn(self, _request: object, _rows: object) -> None:
        raise AssertionError


class _Listed(ConsoleAdmin):
    list_display = ("phone", "code")


class _Searched(ConsoleAdmin):
    search_fields = ("^code",)


class _Filtered(ConsoleAdmin):
    list_filter = ("project__senders__secrets__access_token",)


class _Ordered(ConsoleAdmin):
    ordering = ("-code",)


class _Linked(ConsoleAdmin):
    actions_list = ("burn",)

    def burn(self, _request: object) -> None:
        raise AssertionError


class _PlainInline(admin.TabularInline):  # type: ignore[type-arg] # not subscriptable at run time
    model = TestNumber


class _PlainRows(ConsoleAdmin):
    inlines = (_PlainInline,)


class _SecretInline(ConsoleInline):
    model = TestNumber


class _SecretRows(ConsoleAdmin):
    inlines = (_SecretInline,)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (_Open, "burn names no permissions"),
        (_Listed, "list_display: code is secret"),
        (_Searched, r"search_fields: \^code is secret"),
        (_Filtered, "list_filter"),
        (_Ordered, "ordering: -code is secret"),
        (_Linked, "actions_list"),
        (_PlainRows, "_PlainInline is not a ConsoleInline"),
        (_SecretRows, "_SecretInline has secrets"),
    ],
)
def test_what_breaks_the_rules_cannot_be_registered(wrong: type[ConsoleAdmin], word: str) -> None:
    """The process refuses to start."""
    with pytest.raises(ImproperlyConfigured, match=word):
        wrong(TestNumber, admin.site)


def test_a_page_without_the_base_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from console import checks

    assert checks.check_admin() == []
    plain: dict[Any, Any] = admin.site._registry
    monkeypatch.setitem(plain, TestNumber, admin.ModelAdmin(TestNumber, admin.site))
    assert [message.id for message in checks.check_admin()] == ["authsvc.E020"]


def test_an_action_of_the_site_without_permissions_is_not_offered(secrets: list[str]) -> None:
    def burn(_admin: object, _request: object, _rows: object) -> None:
        raise AssertionError

    admin.site.add_action(burn, "burn")
    try:
        page = signed_in("superuser").get(root(TestNumber)).content.decode()
        answer = signed_in("superuser").post(
            root(TestNumber), {"action": "burn", "_selected_action": [str(TestNumber.objects.get().pk)]}
        )
    finally:
        admin.site.disable_action("burn")
        del admin.site._global_actions["burn"]

    assert "delete_selected" in page
    assert 'value="burn"' not in page
    assert answer.status_code in (200, 302)


def test_names_of_columns_tell_what_is_secret() -> None:
    """A new secret column is hidden without any change of the admin."""
    from django.apps import apps

    secret = {f"{model._meta.label}.{name}" for model in apps.get_models() for name in secret_names(model)}
    assert secret >= {
        "projects.TestNumber.code", "channels.Sender.secrets",
        "users.User.password", "users.User.session_salt", "oidc.Client.client_secret", "oidc.SigningKey.pem",
        "events.Endpoint.secret", "login.Session.session_key", "login.Session.session_data",
        "oidc.AccessToken.token_hash", "oidc.RefreshToken.token_hash", "otp.Challenge.start_key",
    }  # fmt: skip
    assert not secret & {"otp.Challenge.key_id", "oidc.SigningKey.kid", "channels.Sender.settings"}
