"""The poll of the code page takes a shorter way than a page, and its answer is what the longer way would give."""

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import translation

from channels.types import FailureReason, Status
from core import config_version
from core.config_models import ConfigVersion
from core.redis import redis_client
from projects.config import ProjectConfig
from projects.models import Project
from tests.login.conftest import Browser, set_status

pytestmark = pytest.mark.django_db
POLL = "login.polls.PollMiddleware"
STATUS = "/login/status/"
_HOSTS = {"unknown host": "a..b", "misdirected": "testserver:81"}
# Different in each answer.
_OWN = re.compile(r'"(now|resend_at|at|expires_at)": ?("[^"]+"|\{[^}]*\})')


@pytest.fixture
def long_way(browser: Browser, settings: LazySettings) -> Client:
    """A client of the same service without the short way. A client takes the middleware at its first request."""
    browser.client.get("/login/")
    client = Client()
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != POLL]
    client.get("/login/")
    return client


def shown(answer: Any) -> tuple[int, str, dict[str, str], list[str]]:
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in ("X-Request-ID", "Content-Length")
    }
    headers["has a length"] = str("Content-Length" in answer.headers)
    return answer.status_code, _OWN.sub("", answer.text), headers, sorted(answer.cookies)


@pytest.mark.parametrize("language", ["en", "ar", "zh-TW,zh;q=0.9", "xx"])
@pytest.mark.parametrize("cookie", ["", "es", "nonsense"])
@pytest.mark.parametrize(
    "case", ["pending", "failed", "unchanged", "no login", "unknown host", "misdirected", "posted", "head"]
)
def test_answers_are_the_same(
    browser: Browser, long_way: Client, case: str, language: str, cookie: str
) -> None:
    browser.ask()
    if case == "failed":
        set_status(browser.challenge_id, Status.FAILED, reason=FailureReason.UNAVAILABLE)
    headers = {"accept-language": language}
    if cookie:
        browser.client.cookies["language"] = cookie
    if case == "no login":
        del browser.client.cookies["login"]
    if case == "unchanged":
        headers["if-none-match"] = browser.client.get(STATUS, headers=headers).headers["ETag"]
    if case in _HOSTS:
        headers["host"] = _HOSTS[case]
    long_way.cookies = browser.client.cookies
    ask = {"posted": "post", "head": "head"}.get(case, "get")

    answers = [getattr(client, ask)(STATUS, headers=headers) for client in (browser.client, long_way)]

    assert [answer.status_code for answer in answers] == [
        {"unchanged": 304, "no login": 404, "unknown host": 400, "misdirected": 421, "posted": 405}.get(
            case, 200
        )
    ] * 2
    assert shown(answers[0]) == shown(answers[1])


def test_both_ways_are_different_ways(browser: Browser, long_way: Client) -> None:
    """Otherwise the comparison above compares nothing."""
    browser.ask()
    long_way.cookies = browser.client.cookies

    requests = [client.get(STATUS).wsgi_request for client in (browser.client, long_way)]

    assert [hasattr(request, "user") for request in requests] == [False, True]


def test_a_poll_touches_no_session(browser: Browser) -> None:
    browser.sign_in()
    browser.ask("+447911123456")

    answer = browser.client.get(STATUS)

    assert not answer.wsgi_request.session.accessed
    assert not answer.cookies
    assert browser.is_signed_in


def test_a_closed_project_says_so_to_a_poll(browser: Browser, project: ProjectConfig) -> None:
    browser.ask()
    Project.objects.all().delete()
    ConfigVersion.bump()

    assert browser.client.get(STATUS).status_code == 503


# The version of the configuration -----------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The times that the version of the configuration was read."""
    ask, times = config_version._ask, []

    def count() -> int:
        times.append(1)
        return ask()

    monkeypatch.setattr(config_version, "_ask", count)
    return times


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by which a version grows old: it stands still until a test moves it."""
    now = [time.monotonic() + 1]  # what was heard before the test is old
    monkeypatch.setattr(config_version, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.mark.stores
@pytest.mark.parametrize("path", ["/login/", "/login/code/", STATUS])
def test_what_only_shows_goes_by_what_was_just_heard(
    browser: Browser, asked: list[int], clock: list[float], path: str
) -> None:
    browser.ask()
    browser.client.get(path)
    asked.clear()
    each = 0 if redis_client() else 1

    for seconds, expected in ((0, each), (0.09, each), (0.02, 1)):
        clock[0] += seconds
        asked.clear()
        assert browser.client.get(path).status_code == 200
        assert len(asked) == expected, seconds


@pytest.mark.stores
def test_what_is_posted_goes_by_the_newest(browser: Browser, asked: list[int], clock: list[float]) -> None:
    browser.ask()
    for path in ("/login/", "/login/code/", "/login/send/"):
        asked.clear()
        browser.client.post(path, {})
        assert asked, path


@pytest.mark.stores
def test_a_save_of_this_process_is_shown_at_once(
    browser: Browser, project: ProjectConfig, clock: list[float]
) -> None:
    assert "Acme" in browser.client.get("/login/").text

    Project.objects.filter(id=project.id).update(name="Umbrella")
    ConfigVersion.bump()

    assert "Umbrella" in browser.client.get("/login/").text


@pytest.mark.stores
def test_a_save_of_another_process_is_shown_within_a_moment(
    browser: Browser, project: ProjectConfig, clock: list[float]
) -> None:
    """It may be a tenth of a second late on a page, and never where something is decided."""
    client = redis_client()
    if client is None:
        return  # the row is read each time
    assert "Acme" in browser.client.get("/login/").text
    Project.objects.filter(id=project.id).update(name="Umbrella")
    client.incrby(config_version.VERSION_KEY, 1)  # as the other process published it

    clock[0] += 0.09
    assert "Acme" in browser.client.get("/login/").text
    assert "Umbrella" in browser.client.post("/login/", {"phone": "1"}).text
    clock[0] += 0.02
    assert "Umbrella" in browser.client.get("/login/").text


def test_languages_are_left_as_they_were(browser: Browser) -> None:
    browser.ask()
    with translation.override("en"):
        polled = browser.client.get(STATUS, headers={"accept-language": "ar"})

    assert polled.headers["Content-Language"] == "ar"
