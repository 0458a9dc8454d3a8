"""Browsers that use the hosted pages, over real URLs and the real heart; only providers are pretended."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core import signing
from django.test import Client
from django.utils import translation

from channels.senders import senders
from channels.types import FailureReason, Status
from otp import bell, limiter
from otp.models import Delivery
from projects.config import ProjectConfig, projects
from tests import factories

type Page = Any  # what Django's test client answers: a response that also knows its templates


class Browser:
    """One cookie jar. `ask` types a number, `enter` a code; each posts the form as the page has it."""

    def __init__(self, **options: Any) -> None:
        self.client = Client(**options)

    def form_token(self, url: str = "/login/") -> str:
        found = re.search(r'name="form_token" value="([^"]+)"', self.client.get(url).content.decode())
        assert found
        return found[1]

    def ask(self, phone: str = factories.PHONE, *, url: str = "/login/", **fields: Any) -> Page:
        form = {"form_token": self.form_token(url), "phone": phone} | fields
        return self.client.post("/login/", form)

    def enter(self, code: str, **fields: Any) -> Page:
        return self.client.post("/login/code/", {"code": code} | fields)

    def sign_in(self, phone: str = factories.PHONE, **fields: Any) -> Page:
        assert self.ask(phone, **fields).status_code == 302
        return self.enter(self.code)

    def send(self, channel: str = "", **extra: Any) -> Page:
        return self.client.post("/login/send/", {"channel": channel} if channel else {}, **extra)

    @property
    def pending(self) -> dict[str, str]:
        value: dict[str, str] = signing.loads(
            self.client.cookies[settings.LOGIN_COOKIE_NAME].value, salt="login.pending"
        )
        return value

    @property
    def challenge_id(self) -> uuid.UUID:
        return uuid.UUID(self.pending["c"])

    @property
    def code(self) -> str:
        return factories.code_of(self.challenge_id)

    @property
    def wrong_code(self) -> str:
        return factories.wrong_code(self.challenge_id)

    @property
    def is_signed_in(self) -> bool:
        return bool(self.client.get("/account/").status_code == 200)

    def page(self, url: str = "/login/code/") -> str:
        return text_of(self.client.get(url))


def text_of(response: Page) -> str:
    """The words of a page, entities resolved."""
    import html

    return html.unescape(response.content.decode())


def set_status(challenge_id: uuid.UUID, status: Status, *, reason: FailureReason | None = None) -> None:
    """What a provider would have brought about for the newest delivery."""
    newest = factories.deliveries(challenge_id)[-1]
    Delivery.objects.filter(id=newest.id).update(status=status, reason=reason or "")


@pytest.fixture(autouse=True)
def _nothing_remembered(settings: LazySettings) -> Iterator[None]:
    settings.WHITENOISE_AUTOREFRESH = True  # files as they are: nothing is collected for tests
    limiter.clear_memory()
    projects.clear()
    senders.clear()
    with translation.override("en"):  # a request leaves its language in the thread until the next one
        yield
    projects.clear()
    senders.clear()


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """Deliveries that a worker would have been told of, once committed."""
    heard: list[uuid.UUID] = []
    monkeypatch.setattr(bell, "ring_send", heard.append)
    monkeypatch.setattr(bell, "ring_fall_back", heard.append)
    return heard


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def browser(project: ProjectConfig) -> Browser:
    return Browser()


@pytest.fixture
def other_browser(project: ProjectConfig) -> Browser:
    return Browser(REMOTE_ADDR="203.0.113.99")
