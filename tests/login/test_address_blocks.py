"""Every start, refusal and guess in the log names the block of the address, and never the address. P1, P2"""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from projects.config import ProjectConfig
from projects.models import LoginMethods
from tests import factories
from tests.api.conftest import App
from tests.login.conftest import Browser

pytestmark = pytest.mark.django_db
ADDRESS, BLOCK = "203.0.113.77", "203.0.113.0/24"
OTHER, OTHER_BLOCK = "2001:db8:7:9::1", "2001:db8:7::/48"


type Lines = list[MutableMapping[str, Any]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything that is logged, with what the request has bound."""
    with capture_logs(processors=[merge_contextvars]) as logged:
        yield logged


def blocks(lines: Lines) -> dict[str, set[str]]:
    """Of each kind of line, where it says that it comes from."""
    seen: dict[str, set[str]] = {}
    for line in lines:
        seen.setdefault(line["event"], set()).add(line.get("address_block", "none"))
    assert ADDRESS not in repr(lines)
    assert OTHER not in repr(lines)
    return seen


@pytest.fixture(autouse=True)
def _only_hong_kong(project: ProjectConfig) -> None:
    methods = LoginMethods.objects.get()
    methods.countries_allowed = ["HK"]
    methods.save()


@pytest.fixture
def here(browser: Browser) -> Browser:
    browser.client.defaults["REMOTE_ADDR"] = ADDRESS
    return browser


def test_a_login_on_the_pages(here: Browser, lines: Lines) -> None:
    here.ask()
    here.enter(here.wrong_code)
    here.send()
    here.enter(here.code)

    seen = blocks(lines)
    wanted = (
        "challenge.started",
        "challenge.guess_refused",
        "challenge.resend_refused",
        "challenge.verified",
    )
    assert {name: seen.get(name) for name in wanted} == {name: {BLOCK} for name in wanted}


def test_a_start_that_is_refused(here: Browser, lines: Lines, settings: Any) -> None:
    """By the country, and by a limit."""
    here.ask("+33612345678")
    settings.AUTHSVC_LIMITS = {"send.address": "1/10m"}
    here.ask()
    here.ask("+85261234567")

    assert [line["why"] for line in lines if line["event"] == "challenge.start_refused"] == [
        "country_not_allowed", "rate_limited",
    ]  # fmt: skip
    assert blocks(lines)["challenge.start_refused"] == blocks(lines)["limits.refused"] == {BLOCK}


def test_the_api_names_the_person_that_a_server_calls_for(lines: Lines, project: ProjectConfig) -> None:
    secret = "a secret of forty characters 0123456789ab"  # made up
    factories.make_client(project, client_id="acme-server", secret=secret)
    app = App("acme-server", secret=secret)
    app.http.defaults["REMOTE_ADDR"] = ADDRESS
    app.start(end_user_ip=OTHER)

    assert blocks(lines)["challenge.started"] == {OTHER_BLOCK}


def test_a_refusal_of_the_api(lines: Lines, project: ProjectConfig) -> None:
    factories.make_client(project, client_id="acme-web")
    app = App("acme-web")
    app.http.defaults["REMOTE_ADDR"] = ADDRESS
    name = app.started()
    app.verify(name, "000000")
    app.start("+33612345678")

    seen = blocks(lines)
    assert (
        seen["api.refused"] == seen["challenge.guess_refused"] == seen["challenge.start_refused"] == {BLOCK}
    )


def test_a_refused_sign_in_of_staff(here: Browser, lines: Lines) -> None:
    here.client.post("/admin/login/", {"username": "root", "password": "wrong"})

    assert blocks(lines)["staff.login"] == {BLOCK}


def test_a_request_leaves_nothing_for_the_next(here: Browser, lines: Lines) -> None:
    here.ask("+33612345678")
    here.client.defaults["REMOTE_ADDR"] = OTHER
    here.ask("+33612345678")

    assert blocks(lines)["challenge.start_refused"] == {BLOCK, OTHER_BLOCK}
