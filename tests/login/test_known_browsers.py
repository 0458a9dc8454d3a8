"""The cookie of browsers that logged in before: what it opens, what ends it, and what it tells."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.conf import LazySettings
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext

from abuse import known_browsers
from otp.models import Challenge
from projects.config import ProjectConfig
from projects.models import Domain, TestNumber
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser
from users import services as users
from users.models import User

NAME = "known"


@pytest.fixture
def owner(browser: Browser) -> Iterator[Browser]:
    """Logged in a while ago, and out again."""
    browser.sign_in()
    browser.client.post("/logout/")
    with later(4000):
        yield browser


def counted_under(browser: Browser, phone: str = factories.PHONE) -> str:
    """What a new challenge of this browser is counted under; "" as a stranger."""
    assert browser.ask(phone).status_code == 302
    return Challenge.objects.get(id=browser.challenge_id).browser


def test_a_browser_that_logged_in_is_known_the_next_time(owner: Browser) -> None:
    assert len(counted_under(owner)) == 24


def test_a_browser_that_did_not_log_in_is_unknown(owner: Browser, other_browser: Browser) -> None:
    assert counted_under(other_browser) == ""


def test_typing_a_number_does_not_make_a_browser_known(browser: Browser) -> None:
    browser.ask()
    browser.enter(browser.wrong_code)

    assert NAME not in browser.client.cookies


def test_a_browser_is_known_for_its_own_number_only(owner: Browser) -> None:
    assert counted_under(owner, factories.OTHER_PHONE) == ""


def test_each_browser_has_counters_of_its_own(owner: Browser, other_browser: Browser) -> None:
    other_browser.sign_in()
    with later(8000):
        assert counted_under(owner) != counted_under(other_browser)


def test_logging_in_again_gives_no_new_counters(owner: Browser) -> None:
    first = counted_under(owner)
    owner.enter(owner.code)
    owner.client.post("/logout/")
    with later(8000):
        assert counted_under(owner) == first


def test_another_project_does_not_know_it(owner: Browser, settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "other.example"]
    other = factories.make_project(slug="other", is_default=False)
    Domain.objects.create(project_id=other.id, host="other.example")
    there = Browser(headers={"host": "other.example"})
    there.client.cookies[NAME] = owner.client.cookies[NAME].value

    assert counted_under(there) == ""


@pytest.mark.parametrize("how", ["signs out everywhere", "is blocked", "is gone"])
def test_a_browser_is_unknown_after_all_sessions_of_the_person_end(owner: Browser, how: str) -> None:
    user_id = User.objects.get().id
    if how == "signs out everywhere":
        users.end_all_sessions(user_id=user_id)
    elif how == "is blocked":
        users.set_active(user_id=user_id, active=False)
        users.set_active(user_id=user_id, active=True)
    else:
        User.objects.all().delete()

    assert counted_under(owner) == ""


def test_signing_out_of_one_browser_leaves_it_known(browser: Browser) -> None:
    browser.sign_in()
    browser.client.post("/logout/")

    assert NAME in browser.client.cookies


def _of(browser: Browser) -> list[list[str]]:
    rows: list[list[str]] = signing.loads(browser.client.cookies[NAME].value, salt="login.known")
    return rows


@pytest.mark.parametrize(
    "forge",
    [
        lambda value: "",
        lambda value: "x",
        lambda value: value[:-1] + ("a" if value[-1] != "a" else "b"),
        lambda value: signing.dumps([["n", "b", "s"]], salt="login.login_cookie"),
        lambda value: signing.dumps({"a": 1}, salt="login.known"),
        lambda value: signing.dumps([["only one"]], salt="login.known"),
        lambda value: signing.dumps([1, 2], salt="login.known"),
        lambda value: "é" * 50,
        lambda value: "a" * 4000,
    ],
    ids=[
        "empty",
        "nonsense",
        "changed",
        "another cookie",
        "an object",
        "short",
        "numbers",
        "letters",
        "long",
    ],
)
def test_a_forged_cookie_does_not_make_a_browser_known(owner: Browser, forge: object) -> None:
    owner.client.cookies[NAME] = forge(owner.client.cookies[NAME].value)  # type: ignore[operator] # a callable

    assert counted_under(owner) == ""
    owner.enter(owner.code)
    assert len(_of(owner)) == 1


def test_a_seal_of_another_entry_is_no_seal(owner: Browser) -> None:
    """Entries cannot be put together, not even with the signing key."""
    number, browser, seal = _of(owner)[0]
    for nth, row in enumerate(([number, "f" * 24, seal], [number, browser, "f" * 24]), 1):
        owner.client.cookies[NAME] = signing.dumps([row], salt="login.known")
        owner.client.cookies.pop("login", None)
        with later(4000 * nth):
            assert counted_under(owner) == ""


def test_a_browser_is_forgotten_half_a_year_after_its_last_login(owner: Browser) -> None:
    with later(181 * 86_400):
        assert counted_under(owner) == ""


def test_the_cookie_is_hidden_from_scripts_and_sent_to_the_login_only(owner: Browser) -> None:
    cookie = owner.client.cookies[NAME]

    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/login/")
    assert cookie["max-age"] == 180 * 86_400


def test_the_cookie_holds_no_number(owner: Browser) -> None:
    """Neither number nor salt nor user can be read in it."""
    text = str(_of(owner))

    user = User.objects.get()
    for told in (factories.PHONE[1:], user.session_salt, str(user.id), user.id.hex):
        assert told not in text


def test_the_cookie_remembers_the_last_eight_numbers(project: ProjectConfig, browser: Browser) -> None:
    """A family's tablet, and a bound for the header."""
    for nth in range(10):
        TestNumber.objects.create(
            project_id=project.id, phone=f"+8525123400{nth}", code="424242", until=date(2999, 1, 1)
        )
        assert browser.ask(f"+8525123400{nth}").status_code == 302
        assert browser.enter("424242").status_code == 302
        browser.client.post("/logout/")

    assert len(_of(browser)) == 8
    assert len(browser.client.cookies[NAME].value) < 1200
    assert counted_under(browser, "+85251234009") != ""
    assert counted_under(browser, "+85251234001") == ""


def test_a_rotation_of_the_servers_key_keeps_it(owner: Browser, settings: LazySettings) -> None:
    """D7: while the old key is among those that may still be read."""
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "new" * 20
    owner.client.cookies.pop("login", None)
    first = counted_under(owner)

    assert first != ""
    owner.enter(owner.code)
    settings.SECRET_KEY_FALLBACKS = []
    owner.client.cookies.pop("login", None)
    owner.client.cookies.pop("sessionid", None)
    with later(8000):
        assert counted_under(owner) == first


@pytest.mark.parametrize(("phone", "queries"), [(factories.PHONE, 1), (factories.OTHER_PHONE, 0)])
def test_the_database_is_asked_for_that_number_only(
    owner: Browser, project: ProjectConfig, phone: str, queries: int
) -> None:
    request = owner.client.get("/login/").wsgi_request

    with CaptureQueriesContext(connection) as asked:
        subject = known_browsers.subject(request, project, factories.phone(phone))

    assert (len(asked), subject != "") == (queries, queries == 1)


def test_an_unknown_browser_costs_no_query(other_browser: Browser, project: ProjectConfig) -> None:
    request = other_browser.client.get("/login/").wsgi_request

    with CaptureQueriesContext(connection) as asked:
        assert known_browsers.subject(request, project, factories.phone()) == ""

    assert len(asked) == 0


def test_a_blocked_person_becomes_no_known_browser(owner: Browser) -> None:
    users.set_active(user_id=User.objects.get().id, active=False)
    before = owner.client.cookies[NAME].value

    assert counted_under(owner) == ""
    assert owner.enter(owner.code).status_code == 403
    assert owner.client.cookies[NAME].value == before
