"""The admin's pages of clients as staff use them."""

from typing import Any
from urllib.parse import urlencode

from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from oidc import services
from oidc.models import Client
from oidc.types import Login, Tokens
from projects.config import ProjectConfig
from tests import factories
from users.models import User, session_hash

LIST = "admin:oidc_client_changelist"


def values(project: ProjectConfig, /, **changes: object) -> dict[str, Any]:
    form: dict[str, object] = {
        "project": str(project.id),
        "name": "Acme shop",
        "client_id": "acme-shop",
        "client_type": "confidential",
        "is_active": "on",
        "redirect_uris": "https://acme.example/callback",
        "post_logout_redirect_uris": "",
        "allowed_origins": "",
        "scopes": ["openid", "phone"],
        "skip_authorization": "on",
        "pkce_required": "on",
        "algorithm": "RS256",
        "backchannel_logout_uri": "",
        "jwks": "",
    }
    return {name: value for name, value in (form | changes).items() if value is not None}


def add(staff: Browser, project: ProjectConfig, /, **changes: object) -> str:
    page = staff.post(reverse("admin:oidc_client_add"), values(project, **changes), follow=True)
    return page.content.decode()


def change(staff: Browser, row: Client, project: ProjectConfig, **changes: object) -> str:
    path = reverse("admin:oidc_client_change", args=[row.pk])
    return staff.post(path, values(project, **changes), follow=True).content.decode()


def act(staff: Browser, action: str, *rows: Client) -> str:
    form = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return staff.post(reverse(LIST), form, follow=True).content.decode()


def errors(staff: Browser, project: ProjectConfig, /, **changes: object) -> dict[str, list[str]]:
    """What the form says of a new client, by field."""
    page = staff.post(reverse("admin:oidc_client_add"), values(project, **changes))
    assert page.status_code == 200
    found: dict[str, list[str]] = page.context["adminform"].form.errors
    return {name: [str(line) for line in lines] for name, lines in found.items()}


def sign_in(row: Client) -> Tokens:
    """A new person's login at a client."""
    user = User.objects.create(project_id=row.project_id, phone=factories.PHONE, password="")
    login = Login(
        user_id=user.id,
        sid=None,
        auth_time=timezone.now(),
        amr=("otp",),
        session_hash=session_hash(password=user.password, session_salt=user.session_salt),
    )
    new = services.new_tokens(client=row, scopes=["openid", "phone"], issuer="http://testserver")
    new.store(login)
    return services.sign_tokens(
        new, user_id=user.id, phone=factories.PHONE, auth_time=login.auth_time, amr=login.amr
    )


def post(browser: Browser, path: str, **fields: str) -> Any:
    """As clients post to the provider."""
    return browser.post(path, urlencode(fields), content_type="application/x-www-form-urlencoded")
