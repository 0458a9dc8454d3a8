"""Where the code page's form may lead in the end: its own host, and the application that waits for this login.

Chromium applies `form-action` to every redirect that follows a form: code page → /oauth2/authorize/ → application.
With 'self' alone the last step is blocked and the person stays on a dead page.
"""

import re
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.utils.csp import CSP, build_policy

_AUTHORIZE = "/oauth2/authorize"
_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_NEVER = frozenset({"javascript", "data", "blob", "filesystem", "vbscript", "file", "about", "ws", "wss"})


def application_of(wanted: str) -> str:
    """The CSP source of the application whose authorization request `wanted` is; nothing for any other page.

    Whether the address is registered is the authorization endpoint's business: it redirects to no other.
    """
    request = urlsplit(wanted)
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
    return f"{target.scheme}:" if _SCHEME.fullmatch(target.scheme) and target.scheme not in _NEVER else ""


def let_form_reach(response: HttpResponse, wanted: str) -> None:
    """Allow the forms of this answer to end at the application that `wanted` returns to."""
    _allow(response, application_of(wanted))


def let_form_end_at(response: HttpResponse, target: str) -> None:
    """Allow the forms of this answer to end at `target`, an address that an application registered."""
    _allow(response, _source_of(target))


def _allow(response: HttpResponse, source: str) -> None:
    if source:
        policy: dict[str, list[str]] = {**settings.SECURE_CSP, "form-action": [CSP.SELF, source]}  # type: ignore[dict-item] # the setting is typed as any dict
        response.headers[CSP.HEADER_ENFORCE.value] = build_policy(policy)
