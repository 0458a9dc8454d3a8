"""States of any alphabet, and the ways in which a request brings one."""

import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from tests.login.conftest import Page
from tests.oidc.app import App
from tests.oidc.test_par import bring, push

_RANDOM = random.Random(7)
# A thousand characters of each: what compresses well and what does not, from one to twelve bytes in an address.
STATES = {
    "ascii": "".join(
        _RANDOM.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", k=1000)
    ),
    "punctuation": "".join(_RANDOM.choices("%&=+?#/;:\"'<>\\ ", k=1000)),
    "cyrillic": "".join(chr(_RANDOM.randrange(0x410, 0x450)) for _ in range(1000)),
    "340 cyrillic": "".join(chr(_RANDOM.randrange(0x410, 0x450)) for _ in range(340)),
    "han": "".join(chr(_RANDOM.randrange(0x4E00, 0x9FA5)) for _ in range(1000)),
    "emoji": "".join(chr(_RANDOM.randrange(0x1F300, 0x1F64F)) for _ in range(1000)),
    "any plane": "".join(chr(_RANDOM.randrange(0x20000, 0x2A6DF)) for _ in range(1000)),
}
LOCATION = 2048  # what Django redirects to, and every proxy lets through


def by_get(app: App, **changes: Any) -> Page:
    return app.authorize(**changes)


def by_post(app: App, **changes: Any) -> Page:
    page = app.http.post(
        "/oauth2/authorize/",
        urlencode(app.parameters(**changes)),
        content_type="application/x-www-form-urlencoded",
    )
    assert page.status_code == 303, page.content
    assert len(page["Location"]) < LOCATION
    return app.browser.client.get(page["Location"])


def by_push(app: App, **changes: Any) -> Page:
    pushed_ = push(app, **changes)
    assert pushed_.status_code == 201, pushed_.content
    return bring(app, pushed_.json()["request_uri"])


WAYS: dict[str, Callable[..., Page]] = {"GET": by_get, "POST": by_post, "PAR": by_push}
