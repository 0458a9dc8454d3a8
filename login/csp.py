"""Content policy: where a form may finally lead, which is our host and the application that waits for this login.

Chromium applies `form-action` to every redirect that follows a form: code page → /oauth2/authorize/ → application.
With 'self' alone the last redirect is blocked, and nothing happens on the page.
"""

import re
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.utils.csp import CSP, build_policy

_AUTHORIZE = "/oauth2/authorize"
_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_FORBIDDEN = frozenset({"javascript", "data", "blob", "filesystem", "vbscript", "file", "about", "ws", "wss"})


def allow_application_of(response: HttpResponse, url: str) -> None:
    """Let the forms of this page lead to the application whose authorization request is at `url`."""
    _allow(response, application_source(url))


def allow_target(response: HttpResponse, target: str) -> None:
    """Let the forms of this page lead to `target`, an address that an application registered."""
    _allow(response, _source_of(target))


def application_source(url: str) -> str:
    """The CSP source of the application whose authorization request is at `url`; "" for any other page.

    The redirect URI may be unregistered: the authorization endpoint redirects to registered ones only.
    """
    request = urlsplit(url)
    if not request.path.startswith(_AUTHORIZE):
        return ""
    return _source_of(parse_qs(request.query).get("redirect_uri", [""])[0])


def _source_of(address: str) -> str:
    try:
        target = urlsplit(address.lower())
    except ValueError:
        return ""
    if target.scheme in ("http", "https"):
        return f"{target.scheme}://{target.netloc}" if _HOST.fullmatch(target.netloc) else ""
    # An application's own scheme, such as com.example.app:/callback.
    return f"{target.scheme}:" if _SCHEME.fullmatch(target.scheme) and target.scheme not in _FORBIDDEN else ""


def _allow(response: HttpResponse, source: str) -> None:
    if source:
        policy: dict[str, list[str]] = {**settings.SECURE_CSP, "form-action": [CSP.SELF, source]}  # type: ignore[dict-item] # the setting is typed as any dict
        response.headers[CSP.HEADER_ENFORCE.value] = build_policy(policy)
