"""Browsers on the hosted pages, through real URLs and the real services; only providers are simulated."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.test import Client
from django.utils import translation

from channels.senders import senders
from channels.types import FailureReason, Status
from core.redis import LocalStore
from login.login_cookie import LoginCookie, parse
from otp import queue
from otp.models import Delivery
from projects.config import ProjectConfig, projects
from tests import factories

type Page = Any  # what Django's test client answers: a response that also knows its templates


class Browser:
    """One cookie jar. `ask` types a number, `enter` a code; each posts the form as the page has it."""

    def __init__(self, **options: Any) -> None:
        self.client = Client(**options)

    def form_token(self, url: str = "/login/") -> str:
        match = re.search(r'name="form_token" value="([^"]+)"', self.client.get(url).content.decode())
        assert match
        return match[1]

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
    def login_cookie(self) -> LoginCookie:
        """The content of this browser's cookie, of whichever project it is."""
        value = self.client.cookies[settings.LOGIN_COOKIE_NAME].value
        cookies = (parse(value, project_id) for project_id in projects.get().by_id)
        return next(cookie for cookie in cookies if cookie)

    @property
    def challenge_id(self) -> uuid.UUID:
        latest = self.login_cookie.latest
        assert latest
        return latest.challenge_id

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
    """Set the status of the newest delivery, as a provider's report would."""
    newest = factories.deliveries(challenge_id)[-1]
    Delivery.objects.filter(id=newest.id).update(status=status, reason=reason or "")


@pytest.fixture(autouse=True)
def _nothing_remembered(settings: LazySettings) -> Iterator[None]:
    settings.WHITENOISE_AUTOREFRESH = True  # files as they are: nothing is collected for tests
    LocalStore.clear_all()
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
    monkeypatch.setattr(queue, "enqueue_send", heard.append)
    monkeypatch.setattr(queue, "enqueue_fallback", heard.append)
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
