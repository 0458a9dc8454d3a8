"""Browsers of staff who have just proven that it is them."""

from types import SimpleNamespace
from typing import Any

from django.test import Client

from console.staff import steps


def freshly(browser: Client) -> Client:
    """The same browser, signed in, right after a proof: what asks for one again opens."""
    session = browser.session
    request: Any = SimpleNamespace(session=session)
    steps.mark(request, steps.Kind.PASSWORD)
    session.save()
    return browser
