"""Users, pages and paths."""

import json
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import include, path
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

PAGE = """{% if user.is_authenticated %}<h1>Hello, {{ user.first_name }}</h1><pre>{{ claims }}</pre>
<form method="post" action="/refresh">{% csrf_token %}<button>Refresh</button></form>
<form method="post" action="{% url "oidc_logout" %}">{% csrf_token %}<button>Log out</button></form>
{% else %}<h1>Django example</h1><a href="{% url "oidc_authentication_init" %}">Log in</a>{% endif %}"""


class PhoneBackend(OIDCAuthenticationBackend):
    """Users are identified by `sub`, which never changes, even when the number does."""

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        claims = super().verify_token(token, **kwargs)  # signature, time, nonce
        # Issuer and audience are left to us.
        if (claims["iss"], claims["aud"]) != (settings.ISSUER, settings.OIDC_RP_CLIENT_ID):
            raise SuspiciousOperation("an ID token for somebody else")
        self.request.session["claims"] = claims
        return claims

    def verify_claims(self, claims: dict[str, Any]) -> bool:
        return "phone_number" in claims

    def filter_users_by_claims(self, claims: dict[str, Any]) -> Any:
        return self.UserModel.objects.filter(username=claims["sub"])

    def create_user(self, claims: dict[str, Any]) -> Any:
        return self.update_user(self.UserModel(username=claims["sub"]), claims)

    def update_user(self, user: Any, claims: dict[str, Any]) -> Any:
        user.first_name = claims["phone_number"]
        user.save()
        return user


def home(request: HttpRequest) -> HttpResponse:
    claims = json.dumps(request.session.get("claims"), indent=2)
    return HttpResponse(
        engines["django"].from_string(PAGE).render({"user": request.user, "claims": claims}, request)
    )


def refresh(request: HttpRequest) -> HttpResponse:
    """What SessionRefresh does every 15 minutes: log in again without a page (prompt=none)."""
    request.session["oidc_id_token_expiration"] = 0
    return redirect("/")


def end_session_url(request: HttpRequest) -> str:
    """Called by the library at logout: the user is logged out of authsvc as well."""
    hint = {
        "id_token_hint": request.session["oidc_id_token"],
        "post_logout_redirect_uri": f"{settings.BASE}/",
    }
    return f"{settings.ISSUER}/oauth2/logout/?{urlencode(hint)}"


urlpatterns = [path("", home), path("refresh", refresh), path("oidc/", include("mozilla_django_oidc.urls"))]
