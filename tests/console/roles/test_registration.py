"""What may be registered in the admin: the base class of all its pages is not forgotten."""

from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from django.urls import resolve

from audit.models import AuditEvent
from channels.models import Rehearsal, Sender
from console.base import ConsoleAdmin, ConsoleInline, secret_names
from oidc.models import Client as OidcClient
from oidc.models import SigningKey
from otp.models import Challenge
from projects.models import TestNumber
from stats.models import Price
from tests.console import rows
from tests.console.roles.support import MODELS, REGISTRY, label, own_pages, root, signed_in
from users.models import User


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_every_page_has_the_base(model: type[Model]) -> None:
    """Django's own and those of other packages, too."""
    model_admin = REGISTRY[model]

    assert isinstance(model_admin, ConsoleAdmin)
    assert all(issubclass(inline, ConsoleInline) for inline in model_admin.inlines)


# Pages that show something, and whose buttons post to them.
_SHOWN = {
    "channels_sender_setup",
    "channels_sender_setup_live",
    "oidc_client_snippets",
    "channels_rehearsal_phone",
}


@pytest.mark.parametrize("model", MODELS, ids=label)
@pytest.mark.usefixtures("secrets")
def test_pages_of_our_own_are_posted(model: type[Model]) -> None:
    """A link changes nothing, even for a superuser who is tricked into following it; viewers may not post.

    The acts on a user ask first, on a page that changes nothing either.
    """
    superuser, viewer = signed_in("superuser"), signed_in("view", "view_*")
    before = rows.snapshot()

    pages = list(own_pages(model))
    for page in pages:
        shown = "/act/" in page or resolve(page).url_name in _SHOWN
        assert superuser.get(page).status_code in ((200, 404) if shown else (405,)), page
        assert viewer.post(page).status_code in ((403, 405) if shown else (403, 404)), page
    assert rows.snapshot() == before
    assert bool(pages) is (
        model in (AuditEvent, OidcClient, Rehearsal, Sender, SigningKey, Challenge, User, Price)
    )


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


def test_a_page_says_which_project_owns_its_rows_or_is_refused() -> None:
    """A table without a column of that name is not for the whole installation by accident."""
    with pytest.raises(ImproperlyConfigured, match="project_path says neither"):
        ConsoleAdmin(SigningKey, admin.site)


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
