"""What the pages say about applications: what they may do, and what is wrong with a request of theirs."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from oauthlib.oauth2.rfc6749 import errors


def scope_texts(scopes: Iterable[str]) -> list[str]:
    """What each scope lets an application do; `openid` needs no mention."""
    texts = {
        "phone": _("see your phone number"),
        "profile": _("see since when you have had this account"),
        "offline_access": _("stay signed in while you are away"),
    }
    return [texts[scope] for scope in scopes if scope in texts]


def request_problem(error: errors.OAuth2Error) -> str:
    """Why there is no safe address to redirect to; "" when a person could do nothing about it."""
    match error:
        case errors.MissingClientIdError() | errors.InvalidClientIdError():
            return _("The application is not known here.")
        case errors.MissingRedirectURIError():
            return _("The application did not say where to go afterwards.")
        case errors.InvalidRedirectURIError() | errors.MismatchingRedirectURIError():
            return _("The application did not register this address.")
    return ""
