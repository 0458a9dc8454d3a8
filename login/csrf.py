"""Django's CSRF protection, which also accepts a seal that we made for this very browser.

A login changes the CSRF secret, so the tokens of forms that are open in other tabs become invalid. The seal in the
forms of the login pages proves the same: we made it, and only this browser's cookie opens it.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware, RejectRequest

from login import login_cookie
from login.pages import LOGIN


class CsrfMiddleware(CsrfViewMiddleware):
    """Origin and Referer are checked first, as for every form."""

    def process_view(
        self,
        request: HttpRequest,
        callback: Callable[..., Any],
        callback_args: tuple[object, ...],
        callback_kwargs: dict[str, object],
    ) -> HttpResponseForbidden | None:
        if request.method not in getattr(callback, "methods", (request.method,)):
            return None  # the view answers 405, with or without a token
        return super().process_view(request, callback, callback_args, callback_kwargs)

    def _check_token(self, request: HttpRequest) -> None:
        try:
            super()._check_token(request)  # type: ignore[misc] # not in the stubs
        except RejectRequest:
            if not (request.path_info.startswith(LOGIN) and login_cookie.is_own_form(request)):
                raise
